import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CourseCommand } from '../../machines/course/commands.ts'
import { decide } from '../../machines/course/decide.ts'
import type { CourseEvent } from '../../machines/course/events.ts'
import { courseMachine } from '../../machines/course/machine.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { replay, scenario } from '../support/given.ts'

const given = scenario<typeof courseMachine, CourseCommand, CourseEvent>(courseMachine, decide)
const at = 1_700_000_000_000
const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const other: Party = { id: 'other', org, role: 'teacher' }
const ada: Party = { id: 'ada', org, role: 'admin' }
const stu: Party = { id: 'stu', org, role: 'student' }
const foe: Party = { id: 'tea', org: 'evil', role: 'teacher' }

const created: CourseEvent = { type: 'CourseCreated', org, title: 'Algebra', teacherIds: ['tea'], at }
const assigned: CourseEvent = { type: 'TeacherAssigned', teacherId: 'other', at }
const withdrawn: CourseEvent = { type: 'TeacherWithdrawn', teacherId: 'other', at }
const enrolled: CourseEvent = { type: 'StudentEnrolled', studentId: 'stu', at }
const unenrolled: CourseEvent = { type: 'StudentUnenrolled', studentId: 'stu', at }

const create = (by: Party, ...teacherIds: string[]): CourseCommand => ({
  type: 'CreateCourse',
  title: 'Algebra',
  teacherIds,
  by,
  at,
})
const assign = (by: Party, teacherId = 'other'): CourseCommand => ({ type: 'AssignTeacher', teacherId, by, at })
const withdraw = (by: Party, teacherId = 'other'): CourseCommand => ({ type: 'WithdrawTeacher', teacherId, by, at })
const enrol = (by: Party, studentId = 'stu'): CourseCommand => ({ type: 'Enrol', studentId, by, at })
const unenrol = (by: Party, studentId = 'stu'): CourseCommand => ({ type: 'Unenrol', studentId, by, at })
const EACH = [assign, withdraw, enrol, unenrol]

describe('[COURSE-1] who creates a course', () => {
  test('a teacher, who thereby teaches it', () => given().when(create(tea)).yields(created))
  test('perhaps with others', () =>
    given()
      .when(create(tea, 'other', 'tea'))
      .yields({ ...created, teacherIds: ['tea', 'other'] }))
  test('an admin, who names its teachers', () => {
    given().when(create(ada, 'tea')).yields(created)
    given().when(create(ada)).refuses('teacher-ids-required')
  })
  test('nobody else', () => {
    for (const role of ['student', 'visitor', 'agent', 'supervisor'] as const) {
      given()
        .when(create({ ...stu, role }, 'tea'))
        .refuses('teachers-only')
    }
  })
  test('not twice', () => given(created).when(create(tea)).refuses('course-exists'))
})

describe('[COURSE-2] its teachers and admins keep the roster', () => {
  test.each([tea, ada])('as $role', (by) => {
    given(created).when(enrol(by)).yields(enrolled)
    given(created, enrolled).when(unenrol(by)).yields(unenrolled)
    given(created).when(assign(by)).yields(assigned)
    given(created, assigned).when(withdraw(by)).yields(withdrawn)
  })
  test('what is so already changes nothing', () => {
    given(created, enrolled).when(enrol(tea)).yields()
    given(created, enrolled, unenrolled).when(unenrol(tea)).yields()
    given(created, assigned).when(assign(tea)).yields()
    given(created, assigned, withdrawn).when(withdraw(tea)).yields()
  })
  test('not another teacher, not a student', () => {
    for (const command of EACH) {
      given(created, enrolled).when(command(other)).refuses('own-course-only')
      given(created, enrolled).when(command(stu)).refuses('teachers-only')
    }
  })
  test('a teacher who was withdrawn is another teacher', () =>
    given(created, assigned, withdrawn).when(enrol(other)).refuses('own-course-only'))
  test('whoever comes back stands at the end', () => {
    expect(
      given(created, enrolled, { ...enrolled, studentId: 'b' }, unenrolled)
        .when(enrol(tea))
        .leads().context.students,
    ).toEqual(['b', 'stu'])
  })
  test('ids that mean something to JavaScript are ids', () => {
    for (const id of ['constructor', '__proto__', 'toString']) {
      given(created)
        .when(enrol(tea, id))
        .yields({ ...enrolled, studentId: id })
      given(created).when(unenrol(tea, id)).yields()
    }
  })
  test('up to 100 teachers and 10,000 students', () => {
    given()
      .when(create(ada, ...Array.from({ length: 101 }, (_, n) => `t${n}`)))
      .refuses('too-many-teachers', { most: '100' })
    const full = replay(courseMachine, [created])
    const students = Array.from({ length: 10_000 }, (_, n) => `s${n}`)
    const state = {
      ...full,
      context: { ...full.context, students },
      matches: (value: string) => value === 'open',
    } as typeof full
    expect(decide(state, enrol(tea))).toEqual(new Refusal('course-full', { most: '10000' }))
    expect(decide(state, enrol(tea, 's7'))).toEqual([])
  })
})

test('[COURSE-3] a course keeps at least one teacher', () => {
  given(created).when(withdraw(ada, 'tea')).refuses('last-teacher')
  given(created, assigned)
    .when(withdraw(tea, 'tea'))
    .yields({ ...withdrawn, teacherId: 'tea' })
})

test('[COURSE-4] a course of another organisation is answered like one that does not exist', () => {
  for (const command of EACH) {
    given(created, enrolled).when(command(foe)).refuses('no-such-course')
    given().when(command(tea)).refuses('no-such-course')
  }
})

test('[COURSE-5] what is decided can always happen, in any order of commands', () => {
  const person = fc.constantFrom(tea, other, ada, stu, foe)
  const id = fc.constantFrom('tea', 'other', 'stu', '__proto__')
  const command = fc.oneof(
    person.map((by) => create(by, 'tea')),
    ...EACH.map((make) => fc.tuple(person, id).map(([by, of]) => make(by, of))),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      const history: CourseEvent[] = []
      for (const each of commands) {
        const decision = decide(replay(courseMachine, history), each)
        if (!(decision instanceof Refusal)) history.push(...decision)
      }
      const { teachers, students } = replay(courseMachine, history).context
      for (const list of [teachers, students]) expect(new Set(list).size).toBe(list.length)
      if (history.length > 0) expect(teachers.length).toBeGreaterThan(0)
    }),
  )
})
