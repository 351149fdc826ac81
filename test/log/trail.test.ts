import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import type { Log, Proposed } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { openTrail } from '../../src/log/trail.ts'

const noted = (): Proposed => ({
  id: randomUUID(),
  event: { type: 'Noted' },
  meta: { correlationId: randomUUID(), by: 'system' },
})

/** A log of these events, each in a stream of its own. */
async function logOf(events: readonly Proposed[]): Promise<Log> {
  const log = memoryLog({ codec: codec({}), now: () => 0 })
  for (const [n, event] of events.entries()) await log.append(`notes-${n}`, -1, [event])
  return log
}

test('[PAST-4] of what was followed the first event that the log lacks is found, closely if it is new', async () => {
  const events = Array.from({ length: 5_000 }, noted)
  const log = await logOf(events)
  const trail = openTrail()
  const positions: bigint[] = []
  for await (const batch of log.readAll())
    for (const recorded of batch) {
      trail.add(recorded)
      positions.push(recorded.position)
    }
  expect(await trail.firstMissing(log)).toBeNull()
  for (const [kept, exactly] of [
    [4_990, true],
    [4_800, true],
    [1_000, false],
    [0, false],
  ] as const) {
    const older = await logOf([...events.slice(0, kept), ...Array.from({ length: 20 }, noted)])
    const found = positions.indexOf((await trail.firstMissing(older))?.position ?? -1n)
    expect(found).toBeGreaterThanOrEqual(kept)
    expect(found - kept).toBeLessThan(exactly ? 1 : (5_000 - kept) / 4)
    await older.close()
  }
  await log.close()
})

test('[PAST-4] where nothing was followed nothing is missing', async () => {
  expect(await openTrail().firstMissing(await logOf([]))).toBeNull()
})
