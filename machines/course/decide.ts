import { type Decision, type Party, type Refusal, refuse, unreachable } from '../kernel.ts'
import type { CourseCommand } from './commands.ts'
import type { CourseEvent } from './events.ts'
import type { CourseState } from './machine.ts'

/** The roster is one room's state and one row of a view: a course beyond this is several courses. */
const MAX_STUDENTS = 10_000
const MAX_TEACHERS = 100

/**
 * Refusals: `course-exists`, `course-full`, `last-teacher`, `no-such-course` (also for every course of another
 * organisation), `own-course-only`, `teacher-ids-required`, `teachers-only`, `too-many-teachers`. What is so already is
 * answered yes.
 */
export function decide(state: CourseState, command: CourseCommand): Decision<CourseEvent> {
  const { by, at } = command
  const { title, teachers, students } = state.context

  if (command.type === 'CreateCourse') {
    if (by.role !== 'teacher' && by.role !== 'admin') return refuse('teachers-only')
    if (!state.matches('new')) return refuse('course-exists')
    const teacherIds = [...new Set(by.role === 'teacher' ? [by.id, ...command.teacherIds] : command.teacherIds)]
    if (teacherIds.length === 0) return refuse('teacher-ids-required')
    if (teacherIds.length > MAX_TEACHERS) return refuse('too-many-teachers', { most: String(MAX_TEACHERS) })
    return [{ type: 'CourseCreated', org: by.org, title: command.title, teacherIds, at }]
  }
  const no = notInCharge(state, by)
  if (no) return no

  switch (command.type) {
    case 'Retitle':
      return command.title === title ? [] : [{ type: 'CourseRetitled', title: command.title, at }]
    case 'AssignTeacher': {
      const { teacherId } = command
      if (teachers.includes(teacherId)) return []
      if (teachers.length >= MAX_TEACHERS) return refuse('too-many-teachers', { most: String(MAX_TEACHERS) })
      return [{ type: 'TeacherAssigned', teacherId, at }]
    }
    case 'WithdrawTeacher': {
      const { teacherId } = command
      if (!teachers.includes(teacherId)) return []
      return teachers.length === 1 ? refuse('last-teacher') : [{ type: 'TeacherWithdrawn', teacherId, at }]
    }
    case 'Enrol': {
      const { studentId } = command
      if (students.includes(studentId)) return []
      if (students.length >= MAX_STUDENTS) return refuse('course-full', { most: String(MAX_STUDENTS) })
      return [{ type: 'StudentEnrolled', studentId, at }]
    }
    case 'Unenrol': {
      const { studentId } = command
      return students.includes(studentId) ? [{ type: 'StudentUnenrolled', studentId, at }] : []
    }
    default:
      return unreachable(command)
  }
}

/** Organisations are walls: somebody else's course is answered exactly like one that does not exist. */
function notInCharge(state: CourseState, by: Party): Refusal | null {
  const { org, teachers } = state.context
  if (state.matches('new') || by.org !== org) return refuse('no-such-course')
  if (by.role === 'admin' || (by.role === 'teacher' && teachers.includes(by.id))) return null
  return by.role === 'teacher' ? refuse('own-course-only') : refuse('teachers-only')
}
