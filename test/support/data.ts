import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import type { Projection } from '../../projections/projection.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Log, Proposed } from '../../src/log/log.ts'
import type { Alarm } from '../../src/views/alarm.ts'
import { openEmbeddedViews } from '../../src/views/embedded.ts'
import { runViews } from '../../src/views/runner.ts'

/** A data directory (`LYCEUM_DATA`) that goes with its test. */
export async function freshData(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-data-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  return data
}

/**
 * Records events in the log of a data directory, behind whatever stands there, while no server runs on it. `schemas`:
 * of the release that writes them.
 */
export async function recordIn(
  data: string,
  events: readonly (readonly [stream: string, event: Event & Readonly<Record<string, unknown>>])[],
  schemas = eventSchemas,
): Promise<void> {
  const log = await openLogOf(data, schemas)
  for (const [stream, event] of events) {
    let revision = -1
    for await (const [last] of log.read(stream, { backwards: true, limit: 1 })) revision = last?.revision ?? revision
    const meta = { correlationId: randomUUID(), by: 'system' }
    await log.append(stream, revision, [{ id: randomUUID(), event, meta } satisfies Proposed])
  }
  await log.close()
}

/**
 * Brings these views of a data directory to the end of its log, and no others. `schemas`: of the release that folds
 * them.
 */
export async function foldIn(data: string, projections: readonly Projection[], schemas = eventSchemas): Promise<void> {
  const log = await openLogOf(data, schemas)
  const store = await openEmbeddedViews(join(data, 'views'))
  const alarms: Alarm[] = []
  const views = runViews({ log, store, projections, onAlarm: (alarm) => void alarms.push(alarm) })
  await views.ready()
  await views.stop()
  await store.close()
  await log.close()
  if (alarms.length > 0) throw new Error('the views are not what the test needs', { cause: alarms })
}

const openLogOf = (data: string, schemas: typeof eventSchemas): Promise<Log> =>
  openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(schemas),
    now: Date.now,
    onFatal(error) {
      throw error
    },
  })
