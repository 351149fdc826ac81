import { beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { isOf } from '../../machines/stream.ts'
import type { Position } from '../../src/contracts/courses/viewing.ts'
import { type Known, type Viewings, viewings } from '../../src/contracts/courses/viewings.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { manualClock } from '../support/clock.ts'

const stu: Party = { id: 'stu', org: 'acme', role: 'student' }
const video = { courseId: 'c', videoId: 'v', durationSeconds: 600 }

let clock: ReturnType<typeof manualClock>
let log: Log
let entities: Entities
let its: Viewings
let told: number[]
let isAway: boolean
let waitFor: Promise<void>
/** What is known of each event of a node when it is told. */
let known: Known[]
let heard: number
beforeEach(() => {
  clock = manualClock()
  log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: clock.now, idleMs: 60_000 })
  told = []
  isAway = false
  waitFor = Promise.resolve()
  known = []
  heard = 0
  its = open()
})
const open = (): Viewings =>
  viewings({
    entities: {
      state: entities.state,
      async ask(category, id, command) {
        await waitFor
        return isAway ? new Refusal('unavailable') : entities.ask(category, id, command)
      },
    },
    clock,
    onReport: (_, { timestamp }) => void told.push(timestamp),
    onError: () => {},
  })

const report = (timestamp: number, clientId?: string, tab = 'tab') =>
  its.report(video, stu, { timestamp, progress: timestamp / 6, at: clock.now() }, { clientId, tab, taken: () => {} })
const reportOf = (tab: string, timestamp: number) => report(timestamp, undefined, tab)
const tell = (its: Known): void => void known.push(its)
/** Everything that was asked is decided, and the node has told of it. */
const settled = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await new Promise(setImmediate)
  for (const one of (await recorded()).slice(heard)) its.onEvent(one, tell)
  heard = (await recorded()).length
}
async function recorded() {
  const all = []
  for await (const batch of log.read('watch-v.stu'))
    for (const one of batch) if (isOf('watch', one) && one.event.type === 'ProgressMade') all.push(one)
  return all
}
const stretches = async () => (await recorded()).map(({ event }) => (event as { stretches: unknown }).stretches)
const pass = async (ms: number): Promise<void> => {
  clock.advance(ms)
  await settled()
}

test('[COURSE-31] of a watch the first report is recorded, then one in 15 s; the others are told', async () => {
  for (let second = 0; second <= 60; second++) {
    const answer = report(second)
    await settled()
    expect((await answer).kind).toBe('done')
    await pass(1_000)
  }
  const all = await recorded()
  expect(all.length).toBeLessThanOrEqual(5)
  for (const [n, { at }] of all.entries()) if (n > 0) expect(at - (all[n - 1]?.at ?? 0)).toBeGreaterThanOrEqual(15_000)
  expect(told).toEqual(Array.from({ length: 61 }, (_, second) => second))
  expect(known.map(({ isTold }) => isTold)).toEqual(known.map(() => true))
  expect(its.position('v', 'stu')).toEqual<Position>({ timestamp: 60, progress: 10, watchedSeconds: 60, percent: 10 })
  await its.left('v', stu)
  expect((await stretches()).flat().at(-1)).toEqual([expect.any(Number), 60])
})

test('[COURSE-31] the end of a stretch is recorded before it is acknowledged', async () => {
  await report(0)
  await pass(1_000)
  await report(1)
  await pass(1_000)
  await report(2)
  await pass(500)
  const seek = await report(300)
  expect(seek).toMatchObject({ kind: 'done', seq: 1 })
  expect(await stretches()).toEqual([[], [[0, 2]]])
  await pass(1_500)
  await report(303)
  await its.left('v', stu)
  expect(await stretches()).toEqual([[], [[0, 2]], [[300, 303]]])
})

test('[COURSE-31] at most one event a second, whatever is reported', async () => {
  const acks: Promise<unknown>[] = []
  for (let n = 0; n < 40; n++) {
    acks.push(report((n * 97) % 600)) // seeks only
    await pass(100)
  }
  await pass(1_000)
  await Promise.all(acks)
  const all = await recorded()
  expect(all.length).toBeGreaterThan(3)
  expect(all.length).toBeLessThanOrEqual(6)
  for (const [n, { at }] of all.entries()) if (n > 0) expect(at - (all[n - 1]?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
})

test('[COURSE-31] nor across a restart, or another node that they go on at', async () => {
  await report(0)
  await pass(300)
  its = open()
  const first = report(100)
  await pass(300)
  expect(await recorded()).toHaveLength(1)
  await pass(400)
  await first
  const [before, after] = await recorded()
  expect((after?.at ?? 0) - (before?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
})

test('[COURSE-31] whoever just stops is recorded within 15 s, and let go of', async () => {
  await report(0)
  await pass(2_000)
  await report(2)
  expect(await stretches()).toEqual([[]])
  await pass(13_000)
  expect(await stretches()).toEqual([[], [[0, 2]]])
  await pass(15_000)
  expect(its.position('v', 'stu')).toBeUndefined()
  await pass(60_000)
  expect(await stretches()).toHaveLength(2)
})

test('[COURSE-31] what a log does not take is recorded later; who waits for it is told so', async () => {
  await report(0)
  await pass(2_000)
  isAway = true
  await report(2)
  const seek = report(100)
  await pass(1_000)
  expect(await seek).toMatchObject({ kind: 'refusal', code: 'unavailable' })
  isAway = false
  await pass(15_000)
  expect(await stretches()).toEqual([[], [[0, 2]]])
})

test('[COURSE-31] a node that stops records everything, at once', async () => {
  await report(0)
  await pass(600)
  await report(1)
  await its.stop()
  expect(await stretches()).toEqual([[], [[0, 1]]])
})

test('[COURSE-30] another process goes on where this one was, as far as it was recorded', async () => {
  await report(0)
  await pass(1_000)
  await report(1)
  await its.left('v', stu)
  its = open()
  await pass(1_000)
  await report(2.5)
  await its.left('v', stu)
  expect(await stretches()).toEqual([[], [[0, 1]], [[1, 2.5]]])
})

test('[COURSE-30] two tabs at different places both watch; only what begins there is recorded by itself', async () => {
  for (let second = 0; second < 10; second++) {
    void reportOf('one', second)
    await settled()
    void reportOf('two', 300 + second)
    await pass(1_000)
  }
  expect(await recorded()).toHaveLength(2)
  await its.left('v', stu)
  expect(its.position('v', 'stu')).toMatchObject({ timestamp: 309, watchedSeconds: 18 })
  const [both] = (await stretches()).slice(2)
  expect(both).toEqual([
    [0, 9],
    [300, 309],
  ])
})

test('[COURSE-31] a seek in one of two tabs records both before its ack', async () => {
  await reportOf('one', 0)
  await pass(1_000)
  await reportOf('two', 300)
  await pass(1_000)
  await reportOf('one', 1)
  await reportOf('two', 301)
  expect(await stretches()).toEqual([[], []])
  await reportOf('one', 100)
  expect((await stretches()).at(-1)).toEqual([
    [0, 1],
    [300, 301],
  ])
})

test('[COURSE-30] a page that was reloaded goes on where the viewer was', async () => {
  await reportOf('one', 0)
  await pass(1_000)
  await reportOf('reloaded', 1)
  await pass(1_000)
  await reportOf('reloaded', 2)
  await its.left('v', stu)
  expect(await stretches()).toEqual([[], [[0, 2]]])
})

test('[COURSE-36] of another node’s events the node learns what was watched there', async () => {
  await report(0)
  await pass(1_000)
  await report(1)
  const [first] = await recorded()
  if (first?.event.type !== 'ProgressMade') throw new Error('nothing was recorded')
  const there = { stretches: [[100, 200]], watchedSeconds: 100, percent: 16.7, reportedAt: clock.now() - 500 } as const
  its.onEvent({ ...first, event: { ...first.event, ...there } }, tell)
  // Its pushes never tell less than this node has told.
  expect(known.at(-1)).toEqual({ watched: { watchedSeconds: 101, percent: 16.8 }, isTold: false })
  // What was reported earlier there is not where they are.
  expect(its.position('v', 'stu')).toMatchObject({ timestamp: 1, watchedSeconds: 101, percent: 16.8 })
})

test('[COURSE-36] where somebody is, is where they said last, on whichever node', async () => {
  await report(0)
  const [first] = await recorded()
  if (first?.event.type !== 'ProgressMade') throw new Error('nothing was recorded')
  const there = { ...first.event, timestamp: 400, stretches: [], reportedAt: clock.now() + 300 }
  its.onEvent({ ...first, event: there }, tell)
  expect(its.position('v', 'stu')?.timestamp).toBe(400)
  await pass(1_000)
  await report(1)
  expect(its.position('v', 'stu')?.timestamp).toBe(1)
  // A clock that was put back by more than a report may be late is believed.
  its.onEvent({ ...first, event: { ...there, reportedAt: clock.now() - 60_000 } }, tell)
  expect(its.position('v', 'stu')?.timestamp).toBe(400)
})

test('[COURSE-30] every report is told once, in order, when the node has heard of the first', async () => {
  const first = report(0)
  for (let n = 0; n < 20; n++) await new Promise(setImmediate)
  await first
  clock.advance(1_000)
  await report(1)
  const seek = report(300)
  for (let n = 0; n < 20; n++) await new Promise(setImmediate)
  await report(301)
  expect(told).toEqual([])
  await settled()
  expect(told).toEqual([0, 1, 300, 301])
  await seek
  await pass(2_000)
  await its.left('v', stu)
  await settled()
  expect(told).toEqual([0, 1, 300, 301])
  expect(known.every(({ isTold }) => isTold)).toBe(true)
})

test('[COURSE-37] a repeated report moves nobody back; another one under its name is refused', async () => {
  await report(0)
  await pass(1_000)
  const first = await report(1, 'one')
  await pass(1_000)
  await report(2)
  expect(await report(1, 'one')).toEqual(first)
  expect(its.position('v', 'stu')?.timestamp).toBe(2)
  expect(await report(1.5, 'one')).toMatchObject({ kind: 'refusal', code: 'client-id-reused' })
  await settled()
  expect(told).toEqual([0, 1, 2])
})

test('[COURSE-37] another process knows the names of what was recorded', async () => {
  await report(0, 'first')
  await pass(1_000)
  await report(1, 'second')
  await its.left('v', stu)
  its = open()
  await pass(1_000)
  expect(await report(1, 'second')).toMatchObject({ kind: 'done' })
  expect(await report(40, 'first')).toMatchObject({ code: 'client-id-reused' })
  await settled()
  expect(its.position('v', 'stu')?.timestamp).toBe(1)
  expect(await recorded()).toHaveLength(2)
})

test('[COURSE-37] a report that could not be recorded is counted when it is repeated', async () => {
  await report(0)
  await pass(1_000)
  isAway = true
  expect(await report(300, 'seek')).toMatchObject({ code: 'unavailable' })
  isAway = false
  await pass(1_000)
  expect((await report(300, 'seek')).kind).toBe('done')
  await its.left('v', stu)
  expect((await recorded()).at(-1)?.event).toMatchObject({ timestamp: 300 })
})

test('[COURSE-31] a viewer is not let go of while the log is slow to take what they have watched', async () => {
  await report(0)
  await pass(1_000)
  const slow = Promise.withResolvers<void>()
  waitFor = slow.promise
  await report(1)
  await pass(14_000) // it is being recorded
  isAway = true // and will not be
  await pass(30_000)
  slow.resolve()
  await settled()
  isAway = false
  waitFor = Promise.resolve()
  await pass(16_000)
  expect((await stretches()).flat()).toEqual([[0, 1]])
})
