import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openHeartbeat } from '../../src/presence/heartbeat.ts'
import { manualClock } from '../support/clock.ts'

async function file(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lyceum-heartbeat-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'alive')
}
const fail = (error: unknown): never => {
  throw error
}

test('[GRACE-9] a heartbeat tells the next process until when this one lived', async () => {
  const path = await file()
  const clock = manualClock()
  const first = await openHeartbeat(path, clock, fail)
  expect(first.lastBeat).toBeNull()
  first.start()
  await expect.poll(() => clock.pending()).toBe(1)
  clock.advance(1_000)
  await expect.poll(() => readFile(path, 'utf8')).toBe(String(clock.now()))
  // Killed here: nothing more is written.
  const died = clock.now()
  clock.advance(500)
  const second = await openHeartbeat(path, manualClock(died + 60_000), fail)
  expect(second.lastBeat).toBe(died)
  expect(await readFile(path, 'utf8')).toBe(String(died)) // a start that fails before it begins leaves it
  await second.stop()
  expect(await readFile(path, 'utf8')).toBe(String(died + 60_000))
  await first.stop()
})

test('a file that something else was written to is as good as none', async () => {
  const path = await file()
  await writeFile(path, 'x')
  const heartbeat = await openHeartbeat(path, manualClock(), fail)
  expect(heartbeat.lastBeat).toBeNull()
  await heartbeat.stop()
})

test('a disk that does not take it is reported, and stops nothing', async () => {
  const errors: unknown[] = []
  const heartbeat = await openHeartbeat(join(await file(), 'missing', 'alive'), manualClock(), (error) =>
    errors.push(error),
  )
  heartbeat.start()
  await heartbeat.stop()
  expect(errors.length).toBeGreaterThan(0)
})
