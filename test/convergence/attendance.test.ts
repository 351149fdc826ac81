import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttendanceCommand } from '../../machines/attendance/commands.ts'
import { decide } from '../../machines/attendance/decide.ts'
import type { AttendanceEvent } from '../../machines/attendance/events.ts'
import { attendanceMachine } from '../../machines/attendance/machine.ts'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { attendanceSessions } from '../../projections/attendance-sessions.ts'
import type { Projection } from '../../projections/projection.ts'
import { PACE } from '../../src/contracts/attendance/contract.ts'
import { activeSessions, type SessionsNow, sessionNotices } from '../../src/contracts/attendance/notices.ts'
import { activeIn, sessionsModel } from '../../src/contracts/attendance/sessions-model.ts'
import { posOf } from '../../src/delivery/cursor.ts'
import { latestPace } from '../../src/delivery/latest-pace.ts'
import { placedNotices } from '../../src/delivery/placed-notice.ts'
import { codec } from '../../src/log/codec.ts'
import type { Recorded } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { rebuildView } from '../../src/views/rebuild.ts'
import { manualClock } from '../support/clock.ts'
import { replay } from '../support/given.ts'

const org = 'acme'
const COURSES = ['algebra', 'botany'] as const
const STUDENTS = ['a', 'b', 'c', '__proto__'] as const
const tea: Party = { id: 'tea', org, role: 'teacher' }
const system: Party = { id: 'system', org, role: 'system' }
const nowhere = { id: 'none', seq: 0, pos: '0' }
const { windowMs: WINDOW_MS, latestEveryMs: DATA_PACE_MS } = PACE

interface Step {
  readonly afterMs: number
  readonly session: number
  readonly command: (at: number, course: string) => AttendanceCommand
}

function startingIn(at: number, courseId: string): AttendanceCommand {
  const plan = { plannedMinutes: 1, overrunMinutes: 0, checkIn: 'code', lateAfterMinutes: null, secret: 'x' } as const
  return { type: 'StartAttendance', teaches: true, courseId, teacherName: 'Tea', ...plan, by: tea, at }
}
const starting = fc.constant(startingIn)
const checkingIn = fc.constantFrom(...STUDENTS).map((id) => (at: number): AttendanceCommand => {
  return { type: 'CheckIn', enrolled: true, codeOk: true, by: { id, org, role: 'student' }, at }
})
const marking = fc
  .record({
    studentId: fc.constantFrom(...STUDENTS),
    status: fc.constantFrom('present', 'absent', 'late', 'excused'),
    courseSeq: fc.constantFrom(null, 1),
  })
  .map(
    (mark) =>
      (at: number): AttendanceCommand => ({
        type: 'Mark',
        teaches: true,
        enrolled: true,
        reason: null,
        ...mark,
        by: tea,
        at,
      }),
  )
const ending = fc.subarray([...STUDENTS]).map(
  (students) =>
    (at: number): AttendanceCommand => ({
      type: 'EndOverdueAttendance',
      roster: { courseSeq: 1, students },
      by: system,
      at,
    }),
)
const endingByHand = fc.subarray([...STUDENTS]).map((students) => (at: number): AttendanceCommand => {
  return { type: 'EndAttendance', teaches: true, byName: 'Tea', roster: { courseSeq: 1, students }, by: tea, at }
})
const callingOff = fc.constant((at: number): AttendanceCommand => {
  return { type: 'CallOffAttendance', teaches: true, byName: 'Tea', by: tea, at }
})
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(400), fc.constant(61_000)),
    session: fc.nat(5),
    command: fc.oneof(
      { weight: 4, arbitrary: starting },
      { weight: 6, arbitrary: checkingIn },
      { weight: 5, arbitrary: marking },
      { weight: 1, arbitrary: ending },
      { weight: 1, arbitrary: endingByHand },
      { weight: 1, arbitrary: callingOff },
    ),
  }),
  { maxLength: 70, size: 'max' },
)

interface Push {
  readonly at: number
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes, and tests look into them
  readonly data: any
}
const wire = <T>(data: T): T => JSON.parse(JSON.stringify(data))

/** How the sessions of a course stand, as the contract says it. */
const sessionsNow =
  (sessions: ReturnType<typeof sessionsModel>): SessionsNow =>
  (course, otherwise) =>
    activeSessions(course, sessions.list(activeIn(course)), sessions.newest(activeIn(course)) ?? otherwise)

/** Plays the steps by the machines' own decisions and moves the feed by every event, as the follower does. */
function play(
  todo: readonly Step[],
  each: (course: string, now: object, pushes: number, at: number) => void = () => {},
) {
  const clock = manualClock()
  const pushes: Push[] = []
  const outlet = {
    push: (_: object, name: string, data: object) => void pushes.push({ at: clock.now(), name, data: wire(data) }),
    holdsBack() {},
  }
  const sessions = sessionsModel(memoryLog({ codec: codec(eventSchemas), now: clock.now }))
  const data = sessionsNow(sessions)
  const pace = latestPace({ outlet, clock, ...PACE })
  const histories = new Map<string, AttendanceEvent[]>()
  const log: Recorded<AttendanceEvent>[] = []
  for (const { afterMs, session, command } of todo) {
    clock.advance(afterMs)
    const stream = `attendance-s${session}`
    const history = histories.get(stream) ?? []
    histories.set(stream, history)
    const course = COURSES[session % COURSES.length] ?? ''
    const decision = decide(replay(attendanceMachine, history), command(clock.now(), course))
    for (const event of decision instanceof Refusal ? [] : decision) {
      const revision = history.push(event) - 1
      const id = derivedUuid(`${stream}/${revision}`)
      const place = { stream, revision, position: BigInt(log.length * 3), at: clock.now() }
      const told = { id, event, meta: { correlationId: id, by: 'system' }, ...place }
      log.push(told)
      const change = sessions.onEvent(told)
      if (change) pace.push(placedNotices(told, sessionNotices(change, data)), change)
    }
    for (const one of COURSES) each(one, wire(data(one, nowhere)), pushes.length, clock.now())
  }
  // Until all is told and forgotten; five a second are told at least.
  for (let rounds = 0; clock.pending() > 0 && rounds < todo.length + 5; rounds++) clock.advance(WINDOW_MS)
  expect(clock.pending()).toBe(0)
  return { pushes, log, now: (course: string) => wire(data(course, nowhere)) }
}

const isOver = ({ type }: AttendanceEvent) => type === 'AttendanceEnded' || type === 'AttendanceCalledOff'
// biome-ignore lint/suspicious/noExplicitAny: see Push
const of = (course: string) => (push: { data: any }) => push.data.course_id === course

describe('[WATCH-9] the data at any cut, and the pushes that follow', () => {
  test('are the data now, for a client that keeps the latest', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const cuts: { course: string; held: object; from: number }[] = []
        const { pushes, now } = play(todo, (course, held, from) => cuts.push({ course, held, from }))
        for (const { course, held, from } of cuts) {
          const later = pushes.slice(from).filter(of(course))
          const latest = later.filter(({ name }) => name === 'activeSessionsData').at(-1)?.data ?? held
          expect(latest.activeSessions).toEqual(now(course).activeSessions)
        }
      }),
      { numRuns: 150 },
    )
  })
  test('are the same for one that also adds what started and removes what ended', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const cuts: { course: string; held: string[]; from: number }[] = []
        // biome-ignore lint/suspicious/noExplicitAny: see Push
        const ids = (data: any): string[] => data.activeSessions.map((one: { sessionId: string }) => one.sessionId)
        const { pushes, now } = play(todo, (course, held, from) => cuts.push({ course, held: ids(held), from }))
        for (const { course, held, from } of cuts) {
          let mine = held
          for (const { name, data } of pushes.slice(from).filter(of(course))) {
            if (name === 'activeSessionsData') mine = ids(data)
            if (name === 'courseSessionStarted')
              mine = [...mine.filter((id) => id !== data.session_id), data.session_id]
            if (name === 'courseSessionEnded') mine = mine.filter((id) => id !== data.session_id)
          }
          expect(mine).toEqual(ids(now(course)))
        }
      }),
      { numRuns: 50 },
    )
  })
  test('name the newest event that they show, and never go back', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const { pushes, log, now } = play(todo)
        const courseOf = new Map(
          log.flatMap(({ stream, event }) => (event.type === 'AttendanceStarted' ? [[stream, event.courseId]] : [])),
        )
        for (const course of COURSES) {
          // Data may overtake notices that wait.
          for (const isData of [true, false]) {
            const alike = pushes.filter(({ name }) => (name === 'activeSessionsData') === isData)
            const positions = alike.filter(of(course)).map(({ data }) => Number(data.pos))
            expect(positions).toEqual([...positions].sort((a, b) => a - b))
          }
          const ended = new Set<string>()
          let last: Recorded | undefined
          for (const recorded of log) {
            // corrections after the end show nowhere here
            if (courseOf.get(recorded.stream) !== course || ended.has(recorded.stream)) continue
            last = recorded
            if (isOver(recorded.event)) ended.add(recorded.stream)
          }
          expect(now(course).pos).toBe(last ? posOf(last) : nowhere.pos)
        }
      }),
      { numRuns: 50 },
    )
  })
})

test(
  '[WATCH-10] every start and end is told at once, unless three went out within a second, and every change of the ' +
    'data within 350 ms, unless five pushes did',
  () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const changes: { at: number; data: { course_id: string; activeSessions: object[]; pos: string } }[] = []
        const latest = new Map<string, string>()
        const { pushes, log } = play(todo, (course, held, _, at) => {
          const data = held as (typeof changes)[number]['data']
          const shown = JSON.stringify(data.activeSessions)
          if (shown !== (latest.get(course) ?? '[]')) changes.push({ at, data })
          latest.set(course, shown)
        })
        for (const course of COURSES) {
          const times = pushes
            .filter(({ name, data }) => name === 'activeSessionsData' && data.course_id === course)
            .map(({ at }) => at)
          for (const [n, at] of times.entries())
            if (n > 0) expect(at - (times[n - 1] ?? 0)).toBeGreaterThanOrEqual(DATA_PACE_MS)
          const all = pushes.filter(of(course)).map(({ at }) => at)
          for (const [n, at] of all.entries())
            expect(at - (all[n - 5] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThan(1_000)
        }
        /** Five pushes of a course went out within the time before; or three starts and ends. */
        const thick = (course: string, at: number): boolean => {
          const recent = pushes.filter((push) => of(course)(push) && push.at > at - WINDOW_MS && push.at <= at)
          return recent.length >= 5 || recent.filter(({ name }) => name !== 'activeSessionsData').length >= 3
        }
        for (const { at, data } of changes) {
          const told = pushes
            .filter(of(data.course_id))
            .find(
              (push) =>
                push.name === 'activeSessionsData' && push.at >= at && Number(push.data.pos) >= Number(data.pos),
            )
          expect(told).toBeDefined()
          if (!thick(data.course_id, at + DATA_PACE_MS)) expect(told?.at).toBeLessThanOrEqual(at + DATA_PACE_MS)
          expect(told?.at, '[WATCH-20] however many starts and ends wait').toBeLessThanOrEqual(at + 700)
        }
        const started = log.filter(({ event }) => event.type === 'AttendanceStarted')
        const over = new Set<string>()
        const ended = log.filter(({ stream, event }) => isOver(event) && over.size < over.add(stream).size)
        for (const [name, events] of [
          ['courseSessionStarted', started] as const,
          ['courseSessionEnded', ended] as const,
        ]) {
          const told = new Map(pushes.filter((push) => push.name === name).map((push) => [push.data.id, push]))
          expect([...told.keys()].sort()).toEqual(events.map(({ id }) => id).sort())
          for (const { id, at } of events) {
            const push = told.get(id)
            if (!thick(push?.data.course_id, at)) expect(push?.at).toBe(at)
          }
        }
      }),
      { numRuns: 50 },
    )
  },
)

test('[WATCH-9] what is told of an end is the fold of the session', () => {
  fc.assert(
    fc.property(steps, (todo) => {
      const { pushes, log } = play(todo)
      for (const { data } of pushes.filter(({ name }) => name === 'courseSessionEnded')) {
        const present = new Set<string>()
        for (const { stream, event } of log
          .filter(({ stream }) => stream === `attendance-${data.session_id}`)
          .slice(0, data.seq + 1)) {
          if (event.type === 'StudentMarked' || event.type === 'MarkCorrected') {
            if (event.status === 'present' || event.status === 'late') present.add(event.studentId)
            else present.delete(event.studentId)
          } else if (event.type === 'AttendanceCalledOff') {
            const final_statistics = { total: 0, present: 0, absent: 0 }
            expect(data, stream).toMatchObject({ final_statistics, ended_by: 'Tea', called_off: true })
          } else if (event.type === 'AttendanceEnded') {
            for (const id of event.strangers) present.delete(id)
            const { total } = event
            const final_statistics = { total, present: present.size, absent: total - present.size }
            expect(data, stream).toMatchObject({
              final_statistics,
              ended_by: event.by === null ? 'system' : 'Tea',
              teacher_name: 'Tea',
            })
          }
        }
      }
    }),
    { numRuns: 50 },
  )
})

test('[WATCH-20] data go out between the notices of a burst, and once more after the last of them', () => {
  const burst = Array.from({ length: 40 }, (_, n): Step => {
    return { afterMs: n < 2 ? 2_000 : 5, session: 2 * n, command: (at, id) => startingIn(at, id) }
  })
  const { pushes, log, now } = play(burst)
  const data = pushes.filter(({ name }) => name === 'activeSessionsData')
  const complete = data.find(({ data }) => data.activeSessions.length === 40)
  expect(complete?.at).toBeLessThanOrEqual((log.at(-1)?.at ?? 0) + 700)
  expect(pushes.filter(({ name }) => name === 'courseSessionStarted')).toHaveLength(40)
  expect(pushes.at(-1)).toMatchObject({ name: 'activeSessionsData', data: now('algebra') })
})

describe('[WATCH-14] a desk that is made again', () => {
  test('from a row of the view and the events after it is the desk that followed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (todo, nth) => {
        const { log, now } = play(todo)
        const kept = memoryLog({ codec: codec(eventSchemas), now: () => 0 })
        const cut = log.length === 0 ? 0 : nth % log.length
        const append = async (events: typeof log): Promise<void> => {
          for (const recorded of events) await kept.append(recorded.stream, recorded.revision - 1, [recorded])
        }
        await append(log.slice(0, cut))
        const store = memoryViews() // stands as far as the cut
        await rebuildView({ log: kept, store, projection: attendanceSessions as Projection })
        await append(log.slice(cut))
        const late = sessionsModel(kept)
        const from = (await late.seed(store, kept))?.position
        for await (const batch of kept.readAll(from === undefined ? {} : { from }))
          for (const recorded of batch) {
            if (late.isMissing(recorded)) await late.load(recorded)
            late.onEvent(recorded)
          }
        for (const course of COURSES)
          expect(wire(sessionsNow(late)(course, nowhere)).activeSessions).toEqual(now(course).activeSessions)
        await kept.close()
      }),
      { numRuns: 50 },
    )
  })
})
