import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { instantOf, systemClock } from '../src/clock.ts'
import { manualClock } from './support/clock.ts'

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

test('an instant that has come is told at once, and what was cancelled is not', async () => {
  let ran = false
  const timer = systemClock.at(systemClock.now() + 5, () => {
    ran = true
  })
  timer.cancel()
  await new Promise<void>((resolve) => void systemClock.at(systemClock.now() + 10, resolve))
  expect(ran).toBe(false)
})

test('[CLOCK-3] instants come in their order, whatever was cancelled meanwhile', () => {
  const clock = manualClock()
  const came: number[] = []
  const start = clock.now()
  const after = Array.from({ length: 200 }, (_, n) => (n * 7_919) % 1_009)
  const timers = after.map((ms) => clock.at(start + ms, () => void came.push(ms)))
  for (const [n, timer] of timers.entries()) if (n % 3 === 0) timer.cancel()
  clock.advance(1_500)
  const expected = after.filter((_, n) => n % 3 !== 0).toSorted((a, b) => a - b)
  expect(came).toEqual(expected)
  for (const timer of timers) timer.cancel()
  expect(clock.pending()).toBe(0)
})

test('[CLOCK-1] what happened so long ago happened then by the clock as it is set now', () => {
  const clock = manualClock()
  const heard = clock.elapsed()
  clock.advance(2_000)
  clock.step(-3_600_000)
  expect(instantOf(clock, heard)).toBe(clock.now() - 2_000)
})

/** All lines of the server, as `file: line`. */
function lines(): readonly string[] {
  const root = join(import.meta.dirname, '..')
  return ['src', 'machines', 'projections'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) =>
        readFileSync(join(root, folder, name), 'utf8')
          .split('\n')
          .map((line) => `${folder}/${name}: ${line.trim()}`),
      ),
  )
}

test('[CLOCK-1] nobody reads a clock but src/clock.ts', () => {
  const reads = /\bDate\.now\b|new Date\(\)|\bhrtime\b|process\.uptime|timeOrigin/
  expect(lines().filter((line) => reads.test(line) && !line.startsWith('src/clock.ts'))).toEqual([])
})

test('[CLOCK-1] no time that elapses is taken from the wall clock', () => {
  /** What compares it with something that was recorded, was promised in a token, or is another machine's. */
  const COMPARING = new Set([
    'src/clock.ts',
    'src/instants.ts',
    'src/contracts/courses/viewing.ts', // when another process recorded something
    'src/contracts/projects/mails.ts', // whether a message is news
    'src/files/sweep.ts', // files of yesterday
    'src/gateway/auth/expiry.ts', // what is left of a token
    'src/log/eventstore-append.ts', // a deadline that the server compares
    'src/log/eventstore-client.ts',
    'src/mail/mailer.ts', // a day after it was queued
    'src/outbound/worker.ts', // how far the other side is behind
    'src/presence/redis.ts', // Redis's time, as one of ours
  ])
  const computes = /\bnow\(\)\s*[-+<>]|[-+<>]=?\s*(\w+\.)*now\(\)|after\(.*\bnow\(\)|at:\s*performance/
  const found = lines().filter((line) => {
    const wall = line.replaceAll('performance.now()', 'elapsed()')
    return computes.test(wall) && !COMPARING.has(line.slice(0, line.indexOf(':')))
  })
  expect(found.filter((line) => !/dueAt\b/.test(line))).toEqual([])
  for (const file of COMPARING)
    expect(
      lines().some((line) => line.startsWith(file) && /now\(\)/.test(line)),
      file,
    ).toBe(true)
})
