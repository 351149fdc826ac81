import type { CourseEvent } from '../machines/course/events.ts'
import { type Recorded, unreachable } from '../machines/kernel.ts'
import { projectionOf } from './projection.ts'

/** One course. Times are milliseconds since 1970. */
export interface CourseRow {
  readonly seq: number
  readonly org: string
  readonly title: string
  readonly teachers: readonly string[]
  /** In the order of their enrolment. */
  readonly students: readonly string[]
  readonly createdAt: number
}

export const courses = projectionOf<CourseRow, 'course'>('course', {
  name: 'courses',
  version: 1,
  fold,
  index(id, { org, teachers, students, createdAt }) {
    const when = `${String(createdAt).padStart(14, '0')}/${id}`
    return [
      `all/${org}/${when}`,
      ...teachers.map((teacher) => `teacher/${org}/${teacher}/${when}`),
      ...students.map((student) => `student/${org}/${student}/${when}`),
    ]
  },
})

function fold(row: CourseRow | undefined, { event, revision: seq, stream }: Recorded<CourseEvent>): CourseRow {
  if (event.type === 'CourseCreated') {
    return { seq, org: event.org, title: event.title, teachers: event.teacherIds, students: [], createdAt: event.at }
  }
  if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before CourseCreated`)
  switch (event.type) {
    case 'CourseRetitled':
      return { ...row, seq, title: event.title }
    case 'TeacherAssigned':
      return { ...row, seq, teachers: [...row.teachers, event.teacherId] }
    case 'TeacherWithdrawn':
      return { ...row, seq, teachers: row.teachers.filter((id) => id !== event.teacherId) }
    case 'StudentEnrolled':
      return { ...row, seq, students: [...row.students, event.studentId] }
    case 'StudentUnenrolled':
      return { ...row, seq, students: row.students.filter((id) => id !== event.studentId) }
    default:
      return unreachable(event)
  }
}
