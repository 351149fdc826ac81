import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttendanceCommand } from '../../machines/attendance/commands.ts'
import { decide } from '../../machines/attendance/decide.ts'
import type { AttendanceEvent, MarkStatus } from '../../machines/attendance/events.ts'
import { attendanceMachine } from '../../machines/attendance/machine.ts'
import { allMarks, isPresent, markOf, noMarks, withMark } from '../../machines/attendance/marks.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { type AttendanceSessionRow, attendanceSessions, studentCountOf } from '../../projections/attendance-sessions.ts'
import { startActor } from '../../src/runtime/actor.ts'
import { replay, scenario } from '../support/given.ts'

type Of<Type extends AttendanceEvent['type']> = Extract<AttendanceEvent, { type: Type }>
type Asked<Type extends AttendanceCommand['type']> = Extract<AttendanceCommand, { type: Type }>

const given = scenario<typeof attendanceMachine, AttendanceCommand, AttendanceEvent>(attendanceMachine, decide)
const at = 1_700_000_000_000
const MINUTE_MS = 60_000
const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const other: Party = { id: 'other', org, role: 'teacher' }
const ada: Party = { id: 'ada', org, role: 'admin' }
const stu: Party = { id: 'stu', org, role: 'student' }
const foe: Party = { id: 'foe', org: 'evil', role: 'admin' }
const system: Party = { id: 'system', org, role: 'system' }

const plan = {
  courseId: 'c1',
  teacherName: 'Tea',
  plannedMinutes: 60,
  checkIn: 'code',
  lateAfterMinutes: null,
  secret: 'x',
} as const
const dueAt = at + 90 * MINUTE_MS
const started: Of<'AttendanceStarted'> = { type: 'AttendanceStarted', org, teacherId: 'tea', ...plan, at, dueAt }
const present: Of<'StudentMarked'> = {
  type: 'StudentMarked',
  studentId: 'stu',
  status: 'present',
  via: 'code',
  by: 'stu',
  at: at + 10,
  reason: null,
}
const absent: Of<'StudentMarked'> = { ...present, status: 'absent', via: 'teacher', by: 'tea', at: at + 20 }
const corrected: Of<'MarkCorrected'> = {
  type: 'MarkCorrected',
  studentId: 'stu',
  status: 'excused',
  was: { status: 'present', by: 'stu', at: at + 10 },
  by: 'tea',
  at: at + 20,
  reason: 'ill',
}
const ended: Of<'AttendanceEnded'> = {
  type: 'AttendanceEnded',
  reason: 'ended',
  by: 'tea',
  byName: 'Tea',
  at: at + 50,
  total: 2,
  present: 0,
  courseSeq: 3,
  strangers: [],
}
const roster = { courseSeq: 3, students: ['stu', 'ben'] }

const start = (by: Party, teaches = true): AttendanceCommand => ({
  type: 'StartAttendance',
  ...plan,
  overrunMinutes: 30,
  teaches,
  by,
  at,
})
const checkIn = (more: Partial<Asked<'CheckIn'>> = {}): AttendanceCommand => ({
  type: 'CheckIn',
  enrolled: true,
  codeOk: true,
  by: stu,
  at: at + 10,
  ...more,
})
const mark = (status: MarkStatus, more: Partial<Asked<'Mark'>> = {}): AttendanceCommand => ({
  type: 'Mark',
  studentId: 'stu',
  status,
  reason: null,
  enrolled: true,
  courseSeq: null,
  teaches: true,
  by: tea,
  at: at + 20,
  ...more,
})
const end = (by: Party, more: Partial<Asked<'EndAttendance'>> = {}): AttendanceCommand => ({
  type: 'EndAttendance',
  teaches: by.role === 'teacher',
  byName: 'Tea',
  roster,
  by,
  at: at + 50,
  ...more,
})
const overdue = (when: number, of = roster): AttendanceCommand => ({
  type: 'EndOverdueAttendance',
  roster: of,
  by: system,
  at: when,
})

describe('[ATT-1] a session is started', () => {
  test('by a teacher of the course', () => given().when(start(tea)).yields(started))
  test('by nobody else', () => {
    given().when(start(other, false)).refuses('own-course-only')
    for (const by of [ada, stu]) given().when(start(by)).refuses('teachers-only')
  })
  test('once', () => given(started).when(start(tea)).refuses('session-exists'))
})

test('[ATT-2] a session of another organisation is answered like one that does not exist', () => {
  for (const command of [checkIn(), mark('late'), end(ada)]) {
    given(started)
      .when({ ...command, by: foe })
      .refuses('no-such-session')
    given().when(command).refuses('no-such-session')
  }
})

describe('[ATT-3] a student checks in', () => {
  test('with the right code', () => given(started).when(checkIn()).yields(present))
  test('again changes nothing, whatever the code', () => {
    given(started, present)
      .when(checkIn({ codeOk: false, at: at + 30 }))
      .yields()
  })
  test('not with a wrong code', () =>
    given(started)
      .when(checkIn({ codeOk: false }))
      .refuses('wrong-check-in-code'))
  test('not where the teacher marks', () =>
    given({ ...started, checkIn: 'manual' })
      .when(checkIn())
      .refuses('check-in-by-teacher'))
  test('not without being enrolled', () =>
    given(started)
      .when(checkIn({ enrolled: false }))
      .refuses('not-in-course'))
  test('not as anything but a student', () => {
    for (const by of [tea, ada]) given(started).when(checkIn({ by })).refuses('students-only')
  })
  test('not when it has ended, or should have', () => {
    given(started, ended).when(checkIn()).refuses('session-ended')
    given(started)
      .when(checkIn({ at: dueAt }))
      .refuses('session-ended')
    given(started)
      .when(checkIn({ at: dueAt - 1 }))
      .yields({ ...present, at: dueAt - 1 })
  })
})

test('[ATT-4] whoever checks in later than late_after_minutes is late', () => {
  const strict = { ...started, lateAfterMinutes: 10 }
  const limit = at + 10 * MINUTE_MS
  given(strict)
    .when(checkIn({ at: limit }))
    .yields({ ...present, at: limit })
  given(strict)
    .when(checkIn({ at: limit + 1 }))
    .yields({ ...present, at: limit + 1, status: 'late' })
})

describe('[ATT-5] a mark is corrected by a new fact, which keeps the old one', () => {
  test('the first mark is no correction', () => {
    for (const by of [tea, ada])
      given(started)
        .when(mark('absent', { by }))
        .yields({ ...absent, by: by.id })
  })
  test('a later one says what it corrects, and why', () =>
    given(started, present)
      .when(mark('excused', { reason: 'ill' }))
      .yields(corrected))
  test('the same status again changes nothing', () => given(started, present).when(mark('present')).yields())
  test('by the teachers of the course and admins only', () => {
    given(started)
      .when(mark('late', { by: other, teaches: false }))
      .refuses('own-course-only')
    given(started)
      .when(mark('late', { by: stu }))
      .refuses('teachers-only')
  })
  test('of enrolled students, and of those who have a mark already', () => {
    given(started)
      .when(mark('late', { enrolled: false }))
      .refuses('not-enrolled')
    given(started, present)
      .when(mark('excused', { enrolled: false, reason: 'ill' }))
      .yields(corrected)
  })
})

test('[ATT-6] whom a teacher has marked absent or excused cannot check in; whom they have marked present is', () => {
  given(started, absent).when(checkIn()).refuses('marked-by-teacher')
  given(started, present, corrected).when(checkIn()).refuses('marked-by-teacher')
  given(started, { ...absent, status: 'late' })
    .when(checkIn())
    .yields()
})

describe('[ATT-7] after the end marks are still corrected', () => {
  const after = { at: at + 60, courseSeq: 3 }
  test('of somebody who had none: was null', () =>
    given(started, ended)
      .when(mark('late', after))
      .yields({ ...corrected, status: 'late', was: null, at: at + 60, reason: null }))
  test('not of somebody who was not enrolled at the end', () =>
    given(started, ended)
      .when(mark('late', { ...after, enrolled: false }))
      .refuses('not-enrolled'))
  test('an enrolment that was looked at before it ended says nothing', () =>
    given(started, ended)
      .when(mark('late', { ...after, courseSeq: null }))
      .refuses('busy'))
  test('between its due time and the record of its end, too', () =>
    given(started)
      .when(mark('late', { at: dueAt }))
      .yields({ ...corrected, status: 'late', was: null, at: dueAt, reason: null }))
})

describe('[ATT-8] the end counts', () => {
  test('those who are enrolled, and who of them is present', () => {
    given(started, present)
      .when(end(tea))
      .yields({ ...ended, present: 1 })
    given(started, { ...present, status: 'late' })
      .when(end(ada))
      .yields({ ...ended, present: 1, by: 'ada' })
    given(started, absent).when(end(tea)).yields(ended)
  })
  test('not those who were marked and are not enrolled any more', () => {
    given(started, present)
      .when(end(tea, { roster: { courseSeq: 4, students: ['ben'] } }))
      .yields({ ...ended, total: 1, courseSeq: 4, strangers: ['stu'] })
  })
  test('twice changes nothing', () => given(started, ended).when(end(tea)).yields())
  test('by the teachers of the course and admins only', () => {
    given(started)
      .when(end(other, { teaches: false }))
      .refuses('own-course-only')
    given(started).when(end(stu)).refuses('teachers-only')
  })
})

describe('[ATT-21] a session is called off', () => {
  const off = (by: Party, teaches = true): AttendanceCommand => {
    return { type: 'CallOffAttendance', teaches, byName: 'Tea', by, at: at + 70 }
  }
  const calledOff: Of<'AttendanceCalledOff'> = { type: 'AttendanceCalledOff', by: 'tea', byName: 'Tea', at: at + 70 }
  test('while it goes on and after its end, once', () => {
    given(started, present).when(off(tea)).yields(calledOff)
    given(started, ended)
      .when(off(ada))
      .yields({ ...calledOff, by: 'ada' })
    given(started, ended, calledOff).when(off(tea)).yields()
  })
  test('by the teachers of the course and admins only', () => {
    given(started).when(off(other, false)).refuses('own-course-only')
    given(started).when(off(stu)).refuses('teachers-only')
    given(started).when(off(foe)).refuses('no-such-session')
    given().when(off(tea)).refuses('no-such-session')
  })
  test('and then it stays as it is', () => {
    for (const command of [checkIn(), mark('late'), end(tea)])
      given(started, present, calledOff).when(command).refuses('session-called-off')
    given(started, calledOff).when(overdue(dueAt)).yields()
    expect(rowOf([started, present, calledOff])).toMatchObject({ state: 'called_off', present: 1, ended: null })
  })
})

describe('[ATT-9] what nobody ends is ended when it is due', () => {
  const overrun: Of<'AttendanceEnded'> = { ...ended, reason: 'overrun', by: null, byName: null, at: dueAt }
  test('with exactly that time, however late', () =>
    given(started)
      .when(overdue(dueAt + 5_000))
      .yields(overrun))
  test('not before', () =>
    given(started)
      .when(overdue(dueAt - 1))
      .yields())
  test('once', () => given(started, ended).when(overdue(dueAt)).yields())
  test('a teacher who comes later ends it no later', () =>
    given(started)
      .when(end(tea, { at: dueAt + 1 }))
      .yields(overrun))
})

describe('[ATT-10] one mark per student', () => {
  test('whatever they are called, and however many there are', () => {
    const ids = ['constructor', '__proto__', 'toString', ...Array.from({ length: 5_000 }, (_, n) => `s${n}`)]
    const of = (studentId: string, status: MarkStatus) =>
      ({ studentId, status, via: 'teacher', by: 'tea', at }) as const
    let marks = ids.reduce((all, id) => withMark(all, of(id, 'present')), noMarks)
    for (const id of ids.slice(0, 10)) marks = withMark(marks, of(id, 'absent'))
    expect(allMarks(marks)).toHaveLength(ids.length)
    expect(markOf(marks, '__proto__')?.status).toBe('absent')
    expect(markOf(marks, 's4999')?.status).toBe('present')
    expect(markOf(marks, 'valueOf')).toBeUndefined()
    expect(JSON.parse(JSON.stringify(marks))).toEqual(marks)
    expect(Math.max(...marks.map((bucket) => bucket.length))).toBeLessThan(60)
  })

  test('a snapshot holds them as they are', () => {
    const before = startActor<{ readonly context: object; readonly value: unknown }>(attendanceMachine)
    before.onEvent(started)
    for (const studentId of ['__proto__', 'constructor', 'stu'])
      before.onEvent({ ...present, studentId } as AttendanceEvent)
    const after = startActor<{ readonly context: object; readonly value: unknown }>(
      attendanceMachine,
      JSON.parse(JSON.stringify(before.persist())),
    )
    expect([after.state().value, after.state().context]).toEqual([before.state().value, before.state().context])
  })

  test('a session takes so many that its end fits into the log even if all of them are strangers by then', () => {
    const idOf = (n: number) => String(n).padStart(64, 'x')
    const marks = Array.from({ length: 15_000 }, (_, n) => n).reduce((all, n) => {
      const studentId = idOf(n)
      return withMark(all, { studentId, status: 'present', via: 'code', by: studentId, at })
    }, noMarks)
    const active = replay(attendanceMachine, [started])
    const state = {
      ...active,
      context: { ...active.context, marks },
      matches: (value: string) => value === 'active',
    } as typeof active
    const full = new Refusal('session-full', { most: '15000' })
    expect([decide(state, checkIn()), decide(state, mark('late'))]).toEqual([full, full])
    expect(decide(state, mark('late', { studentId: idOf(7) }))).toHaveLength(1) // whoever has one keeps it
    const decision = decide(state, end(tea))
    expect(JSON.stringify(decision).length).toBeLessThan(1_048_576 - 10_000)
  })

  test('whatever is decided can happen, in any order of commands, and every count is that of a plain model', () => {
    const minute = fc.nat(120)
    const people = fc.constantFrom(tea, other, ada, stu, foe, { ...stu, id: 'ben' })
    const student = fc.constantFrom('stu', 'ben', '__proto__')
    const statuses = fc.constantFrom<MarkStatus>('present', 'absent', 'late', 'excused')
    const teaches = (by: Party) => by === tea
    const command = fc.oneof(
      people.map((by) => start(by, teaches(by))),
      fc
        .tuple(people, minute, fc.boolean(), fc.boolean())
        .map(([by, after, codeOk, enrolled]) => checkIn({ by, at: at + after * MINUTE_MS, codeOk, enrolled })),
      fc
        .tuple(people, student, statuses, minute, fc.constantFrom(null, 3), fc.boolean())
        .map(([by, studentId, status, after, courseSeq, enrolled]) =>
          mark(status, { by, studentId, teaches: teaches(by), at: at + after * MINUTE_MS, courseSeq, enrolled }),
        ),
      fc.tuple(people, minute).map(([by, after]) => end(by, { teaches: teaches(by), at: at + after * MINUTE_MS })),
      minute.map((after) => overdue(at + after * MINUTE_MS)),
      people.map(
        (by): AttendanceCommand => ({ type: 'CallOffAttendance', teaches: teaches(by), byName: 'Tea', by, at }),
      ),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const history: AttendanceEvent[] = []
        const model = new Map<string, MarkStatus>()
        for (const each of commands) {
          const decision = decide(replay(attendanceMachine, history), each)
          if (decision instanceof Refusal) continue
          history.push(...decision)
          for (const event of decision) if ('studentId' in event) model.set(event.studentId, event.status)
        }
        const { marks } = replay(attendanceMachine, history).context
        expect(new Map(allMarks(marks).map(({ studentId, status }) => [studentId, status]))).toEqual(model)
        const firsts = history.flatMap((event) => (event.type === 'StudentMarked' ? [event.studentId] : []))
        expect(new Set(firsts).size).toBe(firsts.length)
        const row = rowOf(history)
        if (!row) return
        const strangers = row.ended?.strangers ?? []
        const counted = [...model].filter(([id, status]) => isPresent({ status }) && !strangers.includes(id))
        expect(row.present).toBe(counted.length)
        expect(studentCountOf(row)).toBe([...model].filter(([, status]) => isPresent({ status })).length)
      }),
    )
  })
})

const rowOf = (history: readonly AttendanceEvent[]): AttendanceSessionRow | undefined =>
  history.reduce<AttendanceSessionRow | undefined>(
    (row, event, revision) =>
      attendanceSessions.fold(row, {
        id: `e${revision}`,
        stream: 'attendance-a',
        revision,
        position: BigInt(revision),
        at,
        event,
      }),
    undefined,
  )
