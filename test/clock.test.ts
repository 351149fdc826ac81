import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'

const fired = (ms: number): Promise<number> =>
  new Promise((resolve) => systemClock.after(ms, () => resolve(systemClock.now())))

test('a timer does not run before its time', async () => {
  const startedAt = systemClock.now()
  expect(await fired(20)).toBeGreaterThanOrEqual(startedAt + 19) // Node may round a fraction of a millisecond away
})

test('a timer of some months does not run at once, as a bare timer of Node would', async () => {
  let early = false
  const timer = systemClock.after(2 ** 32, () => {
    early = true
  })
  await fired(5)
  timer.cancel()
  expect(early).toBe(false)
})

test('a cancelled timer does not run', async () => {
  let ran = false
  const timer = systemClock.after(1, () => {
    ran = true
  })
  timer.cancel()
  timer.cancel()
  await fired(10)
  expect(ran).toBe(false)
})
