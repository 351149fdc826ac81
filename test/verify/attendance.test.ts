import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { attendance } from '../../src/contracts/attendance/contract.ts'
import { courses } from '../../src/contracts/courses/contract.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const system: Party = { id: 'overdue-attendance', org, role: 'system' }
const STUDENTS = ['ann', 'bob', 'cyd'] as const
const student = (id: string): Party => ({ id, org, role: 'student' })
const plan = { plannedMinutes: 60, overrunMinutes: 0, checkIn: 'code', lateAfterMinutes: null, secret: 'x' } as const
const roster = { courseSeq: 3, students: STUDENTS }

const session = fc.nat(2).map((n) => `s${n}`)
const who = fc.constantFrom(...STUDENTS)
const starting = session.map<Step>((id) => ({ ask, node: { clock } }) => {
  const command = { teaches: true, courseId: 'c', teacherName: 'Tea', ...plan, by: tea, at: clock.now() } as const
  return ask('attendance', id, { type: 'StartAttendance', ...command })
})
const checkingIn = fc.tuple(session, who).map<Step>(([id, name]) => ({ ask, node: { clock } }) => {
  const by = student(name)
  return ask('attendance', id, { type: 'CheckIn', enrolled: true, codeOk: true, by, at: clock.now() })
})
const marking = fc
  .tuple(session, who, fc.constantFrom('present', 'absent', 'late', 'excused'))
  .map<Step>(([id, studentId, status]) => ({ ask, node: { clock } }) => {
    const mark = { studentId, status, reason: null, enrolled: true, courseSeq: null } as const
    return ask('attendance', id, { type: 'Mark', teaches: true, ...mark, by: tea, at: clock.now() })
  })
const ending = session.map<Step>((id) => ({ ask, node: { clock } }) => {
  const at = clock.now()
  return ask('attendance', id, { type: 'EndAttendance', teaches: true, byName: 'Tea', roster, by: tea, at })
})
const callingOff = session.map<Step>((id) => ({ ask, node: { clock } }) => {
  const at = clock.now()
  return ask('attendance', id, { type: 'CallOffAttendance', teaches: true, byName: 'Tea', by: tea, at })
})
/** Nobody has ended what was started. The policy ends it and this asks, too, as another node's policy does. */
const passing = session.map<Step>((id) => (world) => {
  world.advance((plan.plannedMinutes + 1) * 60_000)
  return world.ask('attendance', id, { type: 'EndOverdueAttendance', roster, by: system, at: world.node.clock.now() })
})

test(
  '[VERIFY-1] [VERIFY-2] attendance: what a subscriber was told and the notices since are what it would be told ' +
    'now',
  async () => {
    const seen = await verify(
      {
        contract: attendance,
        with: [courses],
        async arrange({ ask, node: { clock } }) {
          const by = { by: tea, at: clock.now() }
          await ask('course', 'c', { type: 'CreateCourse', title: 'Algebra', teacherIds: [], ...by })
          for (const studentId of STUDENTS) await ask('course', 'c', { type: 'Enrol', studentId, ...by })
        },
        steps: fc.array(
          fc.oneof(
            { weight: 2, arbitrary: starting },
            { weight: 5, arbitrary: checkingIn },
            { weight: 5, arbitrary: marking },
            { weight: 1, arbitrary: ending },
            { weight: 1, arbitrary: callingOff },
            { weight: 1, arbitrary: passing },
          ),
          { minLength: 5, maxLength: 30, size: 'max' },
        ),
        async watch(world, nth) {
          const client = await world.connect(nth % 2 === 0 ? tea : student(STUDENTS[nth % STUDENTS.length] ?? ''))
          await client.emit('subscribeToCourse', { course_id: 'c' })
          return client
        },
        // A mark that changes no count is told to nobody: it moves `seq` and nothing that is held.
        held: (heard) => heard.filter(({ name }) => name === 'activeSessionsData').at(-1)?.data.activeSessions,
      },
      40,
    )
    expect(unseen(seen, 'attendance')).toEqual([])
    expect([...seen.names].sort()).toEqual(Object.keys(attendance.wire).sort())
  },
)
