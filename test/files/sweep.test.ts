import { expect, test } from 'vitest'
import { startSweeping } from '../../src/files/sweep.ts'
import { manualClock } from '../support/clock.ts'

const HOUR_MS = 3_600_000

test('[FILE-9] what no event refers to after a day is removed, and nothing else', async () => {
  const clock = manualClock()
  const all = new Map([
    ['old', clock.now()],
    ['used', clock.now()],
    ['asked', clock.now()],
  ])
  const errors: unknown[] = []
  const sweeping = startSweeping({
    files: {
      async *list() {
        for (const [hash, at] of all) yield { hash, at }
      },
      remove: async (hash) => all.delete(hash),
    },
    async isReferred(hash) {
      if (hash === 'asked') throw new Error('the log is away')
      return hash === 'used'
    },
    clock,
    onError: (error) => void errors.push(error),
  })
  for (let hour = 0; hour < 24; hour++) {
    clock.advance(HOUR_MS)
    await new Promise(setImmediate)
  }
  expect([...all.keys()]).toEqual(['old', 'used', 'asked'])
  all.set('new', clock.now())
  clock.advance(HOUR_MS)
  await expect.poll(() => errors.length).toBe(1)
  expect([...all.keys()]).toEqual(['used', 'asked', 'new'])
  sweeping.stop()
  expect(clock.pending()).toBe(0)
})
