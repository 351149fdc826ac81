import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AttendanceEvent } from '../../machines/attendance/events.ts'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import { overdueAttendance } from '../../src/contracts/attendance/overdue.ts'
import { sessionsModel } from '../../src/contracts/attendance/sessions-model.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log, Recorded } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { eventually } from '../support/lessons.ts'

const org = 'acme'
const MINUTE_MS = 60_000
const tea: Party = { id: 'tea', org, role: 'teacher' }

let clock: ManualClock
let log: Log
let errors: unknown[]
let stops: (() => Promise<void>)[]

beforeEach(() => {
  clock = manualClock()
  log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  errors = []
  stops = []
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await log.close()
})

const roomsOf = (): Entities => {
  const entities = openEntities({ log, snapshots: memorySnapshots(), shared: true, now: clock.now, idleMs: MINUTE_MS })
  stops.push(() => entities.stop())
  return entities
}

/** One node's policy on its own rooms and desk, over the log that all nodes share. */
async function node(entities: Pick<Entities, 'ask' | 'state'> = roomsOf()): Promise<void> {
  const sessions = sessionsModel(log)
  const overdue = overdueAttendance({ sessions, entities, clock, onError: (error) => void errors.push(error) })
  const caughtUp = Promise.withResolvers<void>()
  let live = false
  const following = log.follow({
    after: 'start',
    each(batch) {
      for (const recorded of batch) {
        sessions.onEvent(recorded)
        if (live) overdue.onEvent(recorded)
      }
    },
    caughtUp: caughtUp.resolve,
  })
  await caughtUp.promise
  live = true
  overdue.start()
  stops.unshift(async () => {
    overdue.stop()
    await following.stop()
  })
}

async function started(entities: Entities, id: string, plannedMinutes = 45): Promise<void> {
  const plan = { plannedMinutes, overrunMinutes: 30, checkIn: 'code', lateAfterMinutes: null, secret: 'x' } as const
  const at = clock.now()
  await entities.ask('course', 'c', { type: 'CreateCourse', title: 'T', teacherIds: [], by: tea, at })
  for (const studentId of ['stu', 'sue']) await entities.ask('course', 'c', { type: 'Enrol', studentId, by: tea, at })
  await entities.ask('attendance', id, {
    type: 'StartAttendance',
    courseId: 'c',
    teaches: true,
    teacherName: 'Tea',
    ...plan,
    by: tea,
    at,
  })
  const mark = { type: 'Mark', teaches: true, enrolled: true, courseSeq: null, reason: null, by: tea, at } as const
  await entities.ask('attendance', id, { ...mark, studentId: 'stu', status: 'present' })
}

async function endings(id: string): Promise<AttendanceEvent[]> {
  const all: Recorded[] = []
  for await (const batch of log.read(`attendance-${id}`)) all.push(...batch)
  return all.map(({ event }) => event as AttendanceEvent).filter(({ type }) => type === 'AttendanceEnded')
}
const ended = (id: string) =>
  eventually(
    () => endings(id),
    (events) => events.length > 0,
  )

test('[WATCH-15] two nodes end a session that nobody ends, once, as of when it was due', async () => {
  const entities = roomsOf()
  await Promise.all([node(), node()])
  const dueAt = clock.now() + 75 * MINUTE_MS
  await started(entities, 's')
  await eventually(
    () => clock.pending(),
    (timers) => timers === 2,
  )
  clock.advance(75 * MINUTE_MS - 1)
  expect(await endings('s')).toEqual([])
  clock.advance(1)
  const facts = { reason: 'overrun', by: null, byName: null, at: dueAt, total: 2, courseSeq: 2, strangers: [] }
  expect(await ended('s')).toMatchObject([facts])
  await entities.ask('attendance', 's', {
    type: 'EndOverdueAttendance',
    roster: { courseSeq: 0, students: [] },
    by: tea,
    at: clock.now(),
  })
  expect(await endings('s')).toHaveLength(1)
  expect(errors).toEqual([])
})

test(
  '[WATCH-15] what was due while no server was there is ended at the start, as of then, and the next ' +
    'one when it is due',
  async () => {
    const entities = roomsOf()
    await started(entities, 'early', 10)
    await started(entities, 'late', 600)
    const start = clock.now()
    clock.advance(300 * MINUTE_MS)
    await node()
    expect(await ended('early')).toMatchObject([{ at: start + 40 * MINUTE_MS, reason: 'overrun' }])
    expect(await endings('late')).toEqual([])
    await eventually(
      () => clock.pending(),
      (timers) => timers > 0,
    )
    clock.advance(330 * MINUTE_MS)
    expect(await ended('late')).toMatchObject([{ at: start + 630 * MINUTE_MS }])
  },
)

test('[WATCH-15] a log that does not answer is asked again', async () => {
  const entities = roomsOf()
  await started(entities, 's', 10)
  let broken = true
  const state: Entities['state'] = (category, id) =>
    broken ? Promise.reject(new Error('away')) : entities.state(category, id)
  await node({ ask: entities.ask, state })
  clock.advance(40 * MINUTE_MS)
  await eventually(
    () => errors.length,
    (count) => count === 1,
  )
  broken = false
  await eventually(
    () => clock.pending(),
    (timers) => timers === 1,
  )
  clock.advance(1_000)
  expect(await ended('s')).toMatchObject([{ reason: 'overrun' }])
})
