import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { Refusal } from '../../machines/kernel.ts'
import type { JoinLesson, LessonCommand } from '../../machines/lesson/commands.ts'
import { decide } from '../../machines/lesson/decide.ts'
import type { LessonEvent, ParticipantJoined, ParticipantLeft } from '../../machines/lesson/events.ts'
import { lessonMachine, seatOf } from '../../machines/lesson/machine.ts'
import { replay, scenario } from '../support/given.ts'

const given = scenario<typeof lessonMachine, LessonCommand, LessonEvent>(lessonMachine, decide)
const at = 1_700_000_000_000
const MINUTE_MS = 60_000
const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const other: Party = { id: 'other', org, role: 'teacher' }
const ada: Party = { id: 'ada', org, role: 'admin' }
const stu: Party = { id: 'stu', org, role: 'student' }
const foe: Party = { id: 'foe', org: 'evil', role: 'admin' }
const guest: Party = { id: 'g1', org: 'guests', role: 'student' }
const system: Party = { id: 'system', org, role: 'system' }

const code = 'ABCD2345'
const plan = { title: 'Algebra', startsAt: at, plannedMinutes: 45, code }
const HOUR_MS = 60 * MINUTE_MS
const callOffAt = at + 24 * HOUR_MS
const scheduled: LessonEvent = { type: 'LessonScheduled', org, teacherId: 'tea', ...plan, callOffAt }
const dueAt = at + 75 * MINUTE_MS
const started: LessonEvent = { type: 'LessonStarted', at, dueAt }
const ended: LessonEvent = { type: 'LessonEnded', reason: 'ended', by: 'tea', at: at + 50 }
const presence = at - 1_000
const joined: LessonEvent = {
  type: 'ParticipantJoined',
  participantId: 'stu',
  role: 'student',
  name: 'Stu',
  at: at + 10,
  home: org,
  presence,
  backUntil: presence - 1,
}
const left = (after: number, reason: 'left' | 'disconnected' = 'left'): LessonEvent => ({
  type: 'ParticipantLeft',
  participantId: 'stu',
  reason,
  at: at + after,
})

/** By `leave_lesson`. */
const asked = (after: number): LessonEvent => ({ ...(left(after) as ParticipantLeft), asked: true })

const schedule: LessonCommand = { type: 'ScheduleLesson', ...plan, callOffHours: 24, by: tea, at }
const change = (plan: { title?: string; startsAt?: number; plannedMinutes?: number }, by = tea): LessonCommand => ({
  type: 'ChangeLessonPlan',
  ...plan,
  callOffHours: 24,
  by,
  at: at + 5,
})
const start = (by: Party): LessonCommand => ({ type: 'StartLesson', overrunMinutes: 30, by, at })
const end = (by: Party, after = 50, lost: { participantId: string; lostAt: number }[] = []): LessonCommand => ({
  type: 'EndLesson',
  lost,
  by,
  at: at + after,
})
const overdue = (when: number, lost: { participantId: string; lostAt: number }[] = []): LessonCommand => ({
  type: 'EndOverdueLesson',
  lost,
  by: system,
  at: when,
})
const joining = (more: Partial<JoinLesson> = {}): LessonCommand => ({
  type: 'JoinLesson',
  name: 'Stu',
  invited: false,
  guest: false,
  resume: false,
  presence,
  backAt: null,
  past: null,
  by: stu,
  at: at + 10,
  ...more,
})
const leave = (more: object = {}): LessonCommand => ({
  type: 'LeaveLesson',
  participantId: 'stu',
  presence: null,
  reason: 'left',
  leftAt: at + 20,
  by: stu,
  at: at + 20,
  ...more,
})
const resume = (lostAfter: number, backAfter: number): LessonCommand => ({
  type: 'ResumeLesson',
  participantId: 'stu',
  role: 'student',
  presence,
  lostAt: at + lostAfter,
  backAt: at + backAfter,
  isDuring: false,
  by: system,
  at: at + backAfter,
})

describe('[LESSON-1] a lesson goes from scheduled to live to ended', () => {
  test('a teacher schedules one', () => given().when(schedule).yields(scheduled))
  test('nobody else does', () =>
    given()
      .when({ ...schedule, by: ada })
      .refuses('teachers-only'))
  test('its teacher starts it, and it is due after its plan and the overrun', () =>
    given(scheduled).when(start(tea)).yields(started))
  test('an admin may', () => given(scheduled).when(start(ada)).yields(started))
  test('another teacher may not', () => given(scheduled).when(start(other)).refuses('own-lesson-only'))
  test('a student may not', () => given(scheduled).when(start(stu)).refuses('teachers-only'))
  test('starting twice changes nothing', () => given(scheduled, started).when(start(tea)).yields())
  test('what has ended is not started again', () => given(scheduled, ended).when(start(tea)).refuses('lesson-ended'))
  test('its teacher ends it', () => given(scheduled, started).when(end(tea)).yields(ended))
  test('ending twice changes nothing', () => given(scheduled, started, ended).when(end(tea)).yields())
  test('one that has not begun can be called off', () => given(scheduled).when(end(tea)).yields(ended))
  test('who was lost at the end left when they were lost', () => {
    given(scheduled, started, joined)
      .when(end(tea, 50, [{ participantId: 'stu', lostAt: at + 30 }]))
      .yields(left(30, 'disconnected'), ended)
  })
})

describe('[LESSON-2] organisations are walls', () => {
  test.each([
    change({ title: 'T' }, foe),
    start(foe),
    end(foe),
    joining({ by: foe }),
    leave({ by: foe, participantId: 'foe' }),
  ])('for $type', (command) => {
    given(scheduled).when(command).refuses('no-such-lesson')
    given().when(command).refuses('no-such-lesson')
  })
})

describe('[LESSON-60] a lesson that nobody starts is called off', () => {
  const calledOff: LessonEvent = { type: 'LessonEnded', reason: 'not-started', by: null, at: callOffAt }
  const late = (command: LessonCommand, when = callOffAt): LessonCommand => ({ ...command, at: when })

  test('as of its time, however late', () => {
    given(scheduled)
      .when(overdue(callOffAt + HOUR_MS))
      .yields(calledOff)
    given(scheduled)
      .when(late(end(tea), callOffAt + HOUR_MS))
      .yields(calledOff)
  })
  test('not before its time', () =>
    given(scheduled)
      .when(overdue(callOffAt - 1))
      .yields())
  test('not once it was started', () =>
    given(scheduled, started)
      .when(overdue(dueAt - 1))
      .yields())
  test('which is over for everybody before that is recorded', () => {
    const all = [joining(), joining({ invited: true }), start(tea), change({ title: 'T' })]
    const looking: LessonCommand = { type: 'LookOn', elsewhere: false, awayMs: null, by: tea, at }
    for (const command of [...all, looking]) given(scheduled).when(late(command)).refuses('lesson-ended')
  })
  test('and was planned by an older release: a day after its plan', () => {
    const { callOffAt: _, ...old } = scheduled
    given(old as LessonEvent)
      .when(overdue(callOffAt))
      .yields(calledOff)
  })
  test('and was planned for the past: so long after it was planned', () => {
    given()
      .when({ ...schedule, startsAt: at - 500 * HOUR_MS } as LessonCommand)
      .yields({ ...scheduled, startsAt: at - 500 * HOUR_MS } as LessonEvent)
  })
})

describe('[LESSON-61] the plan of a lesson that has not begun can be changed', () => {
  const changed: LessonEvent = {
    type: 'LessonPlanChanged',
    title: 'Geometry',
    startsAt: at,
    plannedMinutes: 45,
    callOffAt,
  }
  test('what is left out stays', () =>
    given(scheduled)
      .when(change({ title: 'Geometry' }))
      .yields(changed))
  test('an admin may', () =>
    given(scheduled)
      .when(change({ title: 'Geometry' }, ada))
      .yields(changed))
  test('another teacher may not', () => given(scheduled).when(change({}, other)).refuses('own-lesson-only'))
  test('what is so already changes nothing', () => {
    given(scheduled)
      .when(change({ title: 'Algebra', startsAt: at, plannedMinutes: 45 }))
      .yields()
  })
  test('with another start it is called off at another time', () => {
    const later = {
      ...changed,
      title: 'Algebra',
      startsAt: at + HOUR_MS,
      callOffAt: callOffAt + HOUR_MS,
    } as LessonEvent
    given(scheduled)
      .when(change({ startsAt: at + HOUR_MS }))
      .yields(later)
    given(scheduled, later).when(overdue(callOffAt)).yields()
  })
  test('and its length is what the end is counted from', () => {
    given(scheduled, { ...changed, plannedMinutes: 60 } as LessonEvent)
      .when(start(tea))
      .yields({ type: 'LessonStarted', at, dueAt: at + 90 * MINUTE_MS })
  })
  test('not once it has begun, or is over', () => {
    given(scheduled, started)
      .when(change({ title: 'T' }))
      .refuses('lesson-started')
    given(scheduled, ended)
      .when(change({ title: 'T' }))
      .refuses('lesson-ended')
  })
})

describe('[LESSON-3] who may join', () => {
  test('students, teachers and admins of the organisation', () => {
    for (const by of [stu, tea, ada])
      expect(seatOf(given(scheduled, started).when(joining({ by })).leads().context.seats, by.id)?.kind).toBe('in')
  })
  test('not other roles', () => {
    given(scheduled)
      .when(joining({ by: { ...stu, role: 'visitor' } }))
      .refuses('participants-only')
  })
  test('a guest with the code, and without it only who was in before', () => {
    given(scheduled)
      .when(joining({ by: guest, guest: true }))
      .refuses('no-such-lesson')
    const inside: LessonEvent = { ...joined, participantId: 'g1', home: 'guests' }
    given(scheduled)
      .when(joining({ by: guest, guest: true, invited: true }))
      .yields(inside)
    given(scheduled, inside, { ...left(20), participantId: 'g1' } as LessonEvent)
      .when(joining({ by: guest, guest: true, at: at + 30 }))
      .yields({ ...inside, at: at + 30 } as LessonEvent)
  })
  test('nobody once it has ended, or should have', () => {
    given(scheduled, ended).when(joining()).refuses('lesson-ended')
    given(scheduled, started)
      .when(joining({ at: dueAt }))
      .refuses('lesson-ended')
  })
  test('not under the id of somebody from elsewhere', () => {
    given(scheduled, { ...joined, home: 'guests' } as LessonEvent)
      .when(joining())
      .refuses('participant-id-taken')
  })
  test('ids that mean something to JavaScript are ids', () => {
    for (const id of ['constructor', '__proto__', 'toString']) {
      const by = { ...stu, id }
      const inside: LessonEvent = { ...joined, participantId: id }
      given(scheduled).when(joining({ by })).yields(inside)
      given(scheduled, inside)
        .when(leave({ by, participantId: id }))
        .yields({ ...asked(20), participantId: id } as LessonEvent)
    }
  })
})

describe('[LESSON-4] times present are intervals', () => {
  test('a second device joins nothing', () => given(scheduled, started, joined).when(joining()).yields())
  test('leaving ends the interval', () => given(scheduled, started, joined).when(leave()).yields(asked(20)))
  test('leaving twice changes nothing', () => given(scheduled, started, joined, left(20)).when(leave()).yields())
  test('a presence that is over ends the interval at the time of the loss', () => {
    given(scheduled, started, joined)
      .when(leave({ by: system, presence, reason: 'disconnected' }))
      .yields(left(20, 'disconnected'))
  })
  test('the end of an older presence ends nothing', () => {
    given(scheduled, started, joined)
      .when(leave({ by: system, presence: presence - 5 }))
      .yields()
  })
  test('joining in a new presence ends what is left of the old one, when it was lost', () => {
    given(scheduled, started, joined)
      .when(
        joining({ presence: at + 90, past: { since: presence, until: at + 40, reason: 'grace-over' }, at: at + 100 }),
      )
      .yields(
        left(40, 'disconnected'),
        { ...joined, presence: at + 90, backUntil: at + 89, at: at + 100 } as LessonEvent,
        {
          type: 'ParticipantReconnected',
          participantId: 'stu',
          role: 'student',
          awayMs: 60,
          at: at + 100,
        },
      )
  })
})

describe('[LESSON-5] a reconnect is recorded once', () => {
  const back: LessonEvent = {
    type: 'ParticipantReconnected',
    participantId: 'stu',
    role: 'student',
    awayMs: 5,
    at: at + 25,
    lostAt: at + 20,
  }
  test('when somebody is back from a loss', () => given(scheduled, started, joined).when(resume(20, 25)).yields(back))
  test('not again for the same loss', () => given(scheduled, started, joined, back).when(resume(20, 27)).yields())
  test('again for another loss', () =>
    given(scheduled, started, joined, back)
      .when(resume(30, 35))
      .yields({ ...back, at: at + 35, lostAt: at + 30 } as LessonEvent))
  test('not for a loss that was over before they joined', () =>
    given(scheduled, started, { ...joined, backUntil: at + 9 } as LessonEvent)
      .when(resume(5, 9))
      .yields())
  test('[CLOCK-4] and is recorded also where the lesson and the presence have other clocks', () =>
    given(scheduled, started, { ...joined, at: at + 900 } as LessonEvent)
      .when(resume(20, 25))
      .yields({ ...back, at: at + 900 } as LessonEvent))
  test('in histories of before, too', () => {
    const { backUntil: _, ...before } = joined as ParticipantJoined
    given(scheduled, started, before).when(resume(5, 9)).yields()
    given(scheduled, started, before).when(resume(20, 25)).yields(back)
  })
  test('somebody who was last seen just before their joining was recorded was away from then on', () => {
    given(scheduled, started, joined)
      .when(resume(9, 25))
      .yields({ ...back, awayMs: 15, lostAt: at + 9 } as LessonEvent)
    given(scheduled, started, joined, { ...back, awayMs: 15, lostAt: at + 9 } as LessonEvent)
      .when(resume(9, 27))
      .yields()
  })
  test('not before the lesson is live', () => given(scheduled, joined).when(resume(20, 25)).yields())
  test('not of somebody who has left', () => given(scheduled, started, joined, left(22)).when(resume(20, 25)).yields())
  test('a connection that names the lesson resumes it for whoever was in', () => {
    given(scheduled, started, joined, left(20))
      .when(joining({ resume: true, at: at + 30 }))
      .yields(
        { ...joined, at: at + 30 } as LessonEvent,
        {
          ...{ type: 'ParticipantReconnected', participantId: 'stu', role: 'student', awayMs: 10, at: at + 30 },
        } as LessonEvent,
      )
    given(scheduled, started)
      .when(joining({ resume: true }))
      .yields(joined)
  })
  test('whoever left and joins again is no reconnect', () => {
    given(scheduled, started, joined, left(20))
      .when(joining({ at: at + 30 }))
      .yields({ ...joined, at: at + 30 } as LessonEvent)
  })
})

describe('[LESSON-8] whoever has left by leave_lesson', () => {
  test('is not pulled back in by a connection that still names the lesson', () => {
    given(scheduled, started, joined, asked(20))
      .when(joining({ resume: true, at: at + 30 }))
      .refuses('left-lesson')
    given(scheduled, started, joined, asked(20))
      .when(
        joining({
          resume: true,
          presence: at + 25,
          past: { since: presence, until: at + 22, reason: 'grace-over' },
          at: at + 30,
        }),
      )
      .refuses('left-lesson')
  })
  test('comes in by joining, or by naming it after having closed everything, and that is no reconnect', () => {
    given(scheduled, started, joined, asked(20))
      .when(joining({ at: at + 30 }))
      .yields({ ...joined, at: at + 30 } as LessonEvent)
    given(scheduled, started, joined, asked(20))
      .when(
        joining({
          resume: true,
          presence: at + 25,
          past: { since: presence, until: at + 22, reason: 'left' },
          at: at + 30,
        }),
      )
      .yields({ ...joined, presence: at + 25, backUntil: at + 24, at: at + 30 } as LessonEvent)
  })
})

describe('[LESSON-9] a TeacherHub looks on', () => {
  const look = (more: object = {}): LessonCommand => ({
    type: 'LookOn',
    elsewhere: false,
    awayMs: null,
    by: tea,
    at: at + 10,
    ...more,
  })
  const came: LessonEvent = { type: 'HubJoined', hubId: 'tea', role: 'teacher', at: at + 10 }

  test('and is recorded when it does for the first time', () => given(scheduled).when(look()).yields(came))
  test('and is a reconnect when it is there again in the live lesson', () => {
    given(scheduled, started, came)
      .when(look({ awayMs: 7_000, at: at + 30 }))
      .yields({ type: 'HubReconnected', hubId: 'tea', role: 'teacher', awayMs: 7_000, at: at + 30 })
    given(scheduled, came).when(look()).yields()
  })
  test('not by a second connection', () =>
    given(scheduled, started, came)
      .when(look({ elsewhere: true }))
      .yields())
  test('only at a lesson of its organisation that has not ended', () => {
    given(scheduled, started)
      .when(look({ by: foe }))
      .refuses('no-such-lesson')
    given(scheduled, ended).when(look()).refuses('lesson-ended')
    given(scheduled, started)
      .when(look({ at: dueAt }))
      .refuses('lesson-ended')
  })
})

describe('[LESSON-6] a lesson that nobody ends', () => {
  const overrun: LessonEvent = { type: 'LessonEnded', reason: 'overrun', by: null, at: dueAt }
  test('is ended at its due time, however late', () =>
    given(scheduled, started)
      .when(overdue(dueAt + 999_999))
      .yields(overrun))
  test('not earlier', () =>
    given(scheduled, started)
      .when(overdue(dueAt - 1))
      .yields())
  test('not when it never began', () => given(scheduled).when(overdue(dueAt)).yields())
  test('its teacher, who comes too late, ends it at the same time', () => {
    given(scheduled, started)
      .when({ ...end(tea), at: dueAt + 5 })
      .yields(overrun)
  })
  test('who left after it was due was in until then', () => {
    given(scheduled, started, joined)
      .when(leave({ by: system, presence, leftAt: dueAt }))
      .yields()
  })
  test('who was lost after it was due was in until then', () => {
    given(scheduled, started, joined)
      .when(overdue(dueAt + 50, [{ participantId: 'stu', lostAt: dueAt + 10 }]))
      .yields(overrun)
  })
})

test('[LESSON-7] what is decided can always happen, in any order of commands', () => {
  const when = fc.nat(120 * 60_000)
  const person = fc.constantFrom(tea, ada, stu, foe, guest)
  const command: fc.Arbitrary<LessonCommand> = fc.oneof(
    fc.constant(schedule),
    person.map(start),
    fc.tuple(person, when).map(([by, after]) => end(by, after, [{ participantId: 'stu', lostAt: at + after / 2 }])),
    when.map((after) => overdue(at + after, [{ participantId: 'g1', lostAt: at + after - 5 }])),
    fc.tuple(person, when, fc.boolean(), fc.boolean(), fc.nat(3)).map(([by, after, invited, resuming, n]) =>
      joining({
        by,
        guest: by === guest,
        invited,
        resume: resuming,
        at: at + after,
        presence: n,
        past: n ? { since: n - 1, until: at, reason: n > 1 ? 'left' : 'grace-over' } : null,
      }),
    ),
    fc
      .tuple(person, when, fc.boolean(), fc.nat(3))
      .map(([by, after, bySystem, n]) =>
        leave({ by: bySystem ? system : by, participantId: by.id, presence: bySystem ? n : null, leftAt: at + after }),
      ),
    fc.tuple(person, when, fc.boolean()).map(
      ([by, after, elsewhere]): LessonCommand => ({
        type: 'LookOn',
        elsewhere,
        awayMs: after,
        by,
        at: at + after,
      }),
    ),
    fc
      .tuple(when, when, fc.nat(3))
      .map(([a, b, n]): LessonCommand => ({ ...(resume(a, b) as object), presence: n }) as LessonCommand),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      const history: LessonEvent[] = []
      for (const each of commands) {
        const decision = decide(replay(lessonMachine, history), each)
        if (!(decision instanceof Refusal)) history.push(...decision)
      }
      replay(lessonMachine, history)
      // Joins and leaves of one person alternate, and no interval ends before it began.
      const since = new Map<string, number>()
      for (const event of history) {
        if (event.type === 'ParticipantJoined') {
          expect(since.has(event.participantId)).toBe(false)
          since.set(event.participantId, event.at)
        } else if (event.type === 'ParticipantLeft') {
          expect(event.at).toBeGreaterThanOrEqual(since.get(event.participantId) ?? Number.POSITIVE_INFINITY)
          since.delete(event.participantId)
        }
      }
    }),
  )
})
