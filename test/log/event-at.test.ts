import { expect, test } from 'vitest'
import { eventAt } from '../../src/log/event-at.ts'
import { failureOf } from '../../src/log/eventstore-errors.ts'
import { LogUnavailable, NoSuchPosition } from '../../src/log/log.ts'

const failing = (error: Error) => ({
  // biome-ignore lint/correctness/useYield: it fails before the first
  async *readAll(): AsyncGenerator<never> {
    throw error
  },
})

test('[RESUME-3] a position that an EventStoreDB refuses is one at which there is no event', async () => {
  for (const what of ['InvalidPosition', 'Error'])
    expect(failureOf(new Error(`2 UNKNOWN: Unexpected ReadAllResult: ${what}`))).toEqual({ kind: 'no-position' })
  expect(await eventAt(failing(new NoSuchPosition('none')), 7n)).toBeUndefined()
  await expect(eventAt(failing(new LogUnavailable('away')), 7n)).rejects.toThrow('away')
})
