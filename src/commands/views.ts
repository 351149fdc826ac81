import { catalogue } from '../../machines/catalogue.ts'
import type { Config } from '../config.ts'
import { all } from '../contracts/all.ts'
import { openLog, openViews, viewsOf } from '../storage.ts'
import { rebuildView } from '../views/rebuild.ts'
import { verifyViews as verifyAll } from '../views/verify.ts'
import { notesToTerminal } from './log.ts'

/** `lyceum views rebuild [name]`: beside the live view, while a server runs or not. */
export async function rebuildViews(config: Config, name?: string): Promise<void> {
  await withViews(config, name, async ({ projections, ...parts }) => {
    for (const projection of projections) {
      const started = performance.now()
      const { table, events } = await rebuildView({
        ...parts,
        projection,
        onAlarm: (alarm) => process.stderr.write(`${JSON.stringify(alarm, readable)}\n`),
      })
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(`${projection.name}: ${events} events in ${seconds} s, now served from ${table}\n`)
    }
  })
}

/** `lyceum views verify`: sets the exit code to 1 when a live view differs from a fresh fold of the log. */
export async function verifyViews(config: Config): Promise<void> {
  await withViews(config, undefined, async (parts) => {
    for (const { view, equal, rows, live, fresh, position, differences, cut } of await verifyAll(parts)) {
      process.stdout.write(
        `${view}: ${equal ? 'equal' : 'DIFFERENT'}, ${rows} keys compared at position ${position}, ` +
          `live ${live.slice(0, 16)}, fresh ${fresh.slice(0, 16)}\n`,
      )
      if (cut.length > 0)
        process.stdout.write(
          `  ${cut.length} not compared, for events of theirs are gone from the log, or damaged: ` +
            `${cut.slice(0, 20).join(', ')}\n`,
        )
      if (equal) continue
      process.exitCode = 1
      process.stdout.write(`  differs in ${differences.join(', ')}\n  mend it with: lyceum views rebuild ${view}\n`)
    }
  })
}

const readable = (_: string, value: unknown): unknown =>
  value instanceof Error ? value.message : typeof value === 'bigint' ? String(value) : value

type Parts = Parameters<typeof verifyAll>[0]

async function withViews(
  config: Config,
  name: string | undefined,
  work: (parts: Parts) => Promise<void>,
): Promise<void> {
  const views = viewsOf(all)
  const chosen = views.filter((projection) => name === undefined || projection.name === name)
  if (chosen.length === 0)
    throw new Error(`there is no view ${JSON.stringify(name)}: there are ${views.map((one) => one.name).join(', ')}`)
  const log = await openLog(config, catalogue, {
    readOnly: true,
    notes: notesToTerminal,
    onFatal: () => undefined, // nothing is written to the log here
    onTrouble: (doing, error) => process.stderr.write(`${doing}: ${(error as Error).message}; trying again\n`),
  })
  const store = await openViews(config)
  try {
    await work({ log, store, projections: chosen })
  } finally {
    await store.close()
    await log.close()
  }
}
