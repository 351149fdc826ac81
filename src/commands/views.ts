import { catalogue } from '../../machines/catalogue.ts'
import type { Projection } from '../../projections/projection.ts'
import type { Config } from '../config.ts'
import { all } from '../contracts/all.ts'
import { openLog, openViews, viewsOf } from '../storage.ts'
import { rebuildView } from '../views/rebuild.ts'
import { verifyView } from '../views/verify.ts'

/** `lyceum views rebuild [name]`: beside the live view, while a server runs or not. */
export async function rebuildViews(config: Config, name?: string): Promise<void> {
  await eachView(config, name, async (projection, parts) => {
    const started = performance.now()
    const { table, events } = await rebuildView({
      ...parts,
      projection,
      onAlarm: (alarm) => process.stderr.write(`${JSON.stringify(alarm, readable)}\n`),
    })
    const seconds = (performance.now() - started) / 1000
    process.stdout.write(`${projection.name}: ${events} events in ${seconds.toFixed(1)} s, now served from ${table}\n`)
  })
}

/** `lyceum views verify`: sets the exit code to 1 when a live view differs from a fresh fold of the log. */
export async function verifyViews(config: Config): Promise<void> {
  await eachView(config, undefined, async (projection, parts) => {
    const { equal, rows, live, fresh, position, differences } = await verifyView({ ...parts, projection })
    process.stdout.write(
      `${projection.name}: ${equal ? 'equal' : 'DIFFERENT'}, ${rows} keys compared at position ${position}, ` +
        `live ${live.slice(0, 16)}, fresh ${fresh.slice(0, 16)}\n`,
    )
    if (equal) return
    process.exitCode = 1
    process.stdout.write(
      `  differs in ${differences.join(', ')}\n  mend it with: lyceum views rebuild ${projection.name}\n`,
    )
  })
}

const readable = (_: string, value: unknown): unknown =>
  value instanceof Error ? value.message : typeof value === 'bigint' ? String(value) : value

type Parts = Pick<Parameters<typeof rebuildView>[0], 'log' | 'store'>

async function eachView(
  config: Config,
  name: string | undefined,
  work: (projection: Projection, parts: Parts) => Promise<void>,
): Promise<void> {
  const views = viewsOf(all)
  const chosen = views.filter((projection) => name === undefined || projection.name === name)
  if (chosen.length === 0)
    throw new Error(`there is no view ${JSON.stringify(name)}: there are ${views.map((one) => one.name).join(', ')}`)
  const log = await openLog(config, catalogue, {
    readOnly: true,
    onFatal: () => undefined, // nothing is written to the log here
    onTrouble: (doing, error) => process.stderr.write(`${doing}: ${(error as Error).message}; trying again\n`),
  })
  const store = await openViews(config)
  try {
    for (const projection of chosen) await work(projection, { log, store })
  } finally {
    await store.close()
    await log.close()
  }
}
