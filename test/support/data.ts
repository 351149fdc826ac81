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

/** Brings these views of a data directory to the end of its log, and no others. */
export async function foldIn(data: string, projections: readonly Projection[]): Promise<void> {
  const log = await openLogOf(data)
  const store = await openEmbeddedViews(join(data, 'views'))
  const views = runViews({
    log,
    store,
    projections,
    onAlarm(alarm) {
      throw new Error(`a view is not what the test needs: ${alarm.kind}`)
    },
  })
  await views.ready()
  await views.stop()
  await store.close()
  await log.close()
}

const openLogOf = (data: string, schemas = eventSchemas): Promise<Log> =>
  openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(schemas),
    now: Date.now,
    onFatal(error) {
      throw error
    },
  })
