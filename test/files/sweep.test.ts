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
  const tidied: number[] = []
  const sweeping = startSweeping({
    files: {
      async *list() {
        for (const [hash, at] of all) yield { hash, at }
      },
      remove: async (hash) => all.delete(hash),
      tidy: async (before) => void tidied.push(before),
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
  expect(tidied.at(-1)).toBe(clock.now() - 24 * HOUR_MS)
  await sweeping.stop()
  expect(clock.pending()).toBe(0)
})

test('[FILE-9] what cannot be looked at or removed keeps nothing else, and is reported once in a pass', async () => {
  const clock = manualClock()
  const at = clock.now() - 25 * HOUR_MS
  const removed: string[] = []
  const errors: unknown[] = []
  const sweeping = startSweeping({
    files: {
      async *list() {
        for (const hash of ['unknown', 'a', 'stuck', 'b']) yield { hash, at }
        throw new Error('a folder cannot be read')
      },
      async remove(hash) {
        if (hash === 'stuck') throw new Error('it is read-only')
        removed.push(hash)
        return true
      },
      async tidy() {
        throw new Error('aside is away')
      },
    },
    async isReferred(hash) {
      if (hash === 'unknown') throw new Error('its stream is damaged')
      return false
    },
    clock,
    onError: (error) => void errors.push(error),
  })
  for (const pass of [1, 2]) {
    clock.advance(HOUR_MS)
    await expect.poll(() => errors.length).toBe(pass)
  }
  expect(removed).toEqual(['a', 'b', 'a', 'b'])
  expect(String(errors[0])).toMatch(/aside is away, and 3 times more$/)
  await sweeping.stop()
})

test('[FILE-9] stopping ends a pass that is under way: nothing more is asked or removed', async () => {
  const clock = manualClock()
  const asked: string[] = []
  const { promise: answer, resolve } = Promise.withResolvers<boolean>()
  const removed: string[] = []
  const errors: unknown[] = []
  const sweeping = startSweeping({
    files: {
      async *list() {
        for (const hash of ['a', 'b']) yield { hash, at: 0 }
      },
      async remove(hash) {
        removed.push(hash)
        return true
      },
      tidy: async () => {},
    },
    isReferred(hash) {
      asked.push(hash)
      return answer
    },
    clock,
    onError: (error) => void errors.push(error),
  })
  clock.advance(HOUR_MS)
  await expect.poll(() => asked).toEqual(['a'])
  const stopped = sweeping.stop()
  resolve(false)
  await stopped
  expect([asked, removed, errors]).toEqual([['a'], [], []])
  expect(clock.pending()).toBe(0)
})
