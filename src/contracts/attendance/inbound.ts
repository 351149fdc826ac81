import { z } from 'zod'
import { type Refusal, refuse } from '../../../machines/kernel.ts'

/**
 * What an attendance event of a client asks for, decoded. `client_id` is taken and means nothing: asking twice changes
 * nothing anyway.
 */
export interface AttendanceAsked {
  readonly kind: 'watch-course' | 'unwatch-course' | 'check-course'
  readonly courseId: string
}

/** Decodes the arguments of one emitted event (without the ack). */
export type AttendanceRowOf = (args: readonly unknown[]) => AttendanceAsked | Refusal

const COURSE_ID = 'must be the id of a course (letters, digits, "_" and "-", at most 64), as text'
const data = z.object(
  {
    course_id: z.string({ error: COURSE_ID }).regex(/^[A-Za-z0-9_-]{1,64}$/, COURSE_ID),
    client_id: z.string({ error: 'must be a text of 1 to 128 characters' }).min(1).max(128).nullish(),
  },
  { error: 'course_id is missing: send an object like {course_id: "…"}' },
)

const asking =
  (kind: AttendanceAsked['kind']): AttendanceRowOf =>
  ([asked]) => {
    const read = data.safeParse(asked)
    if (read.success) return { kind, courseId: read.data.course_id }
    const why = read.error.issues.map(({ path, message }) => `${path.join('.') || 'data'}: ${message}`).join('; ')
    return refuse('bad-request', { why })
  }

/** The course that a request names, whatever else is wrong with it; null when it names none. */
export function courseNamedIn([asked]: readonly unknown[]): string | null {
  const read = data.pick({ course_id: true }).safeParse(asked)
  return read.success ? read.data.course_id : null
}

/** One row per name that a client may emit about attendance. */
export const attendanceInbound: Readonly<Record<string, AttendanceRowOf>> = Object.assign(Object.create(null), {
  subscribeToCourse: asking('watch-course'),
  unsubscribeFromCourse: asking('unwatch-course'),
  checkActiveSessions: asking('check-course'),
} satisfies Record<string, AttendanceRowOf>)

/** What a refusal about courses and attendance is called, on sockets and over HTTP. */
export const attendanceSentences: Readonly<Record<string, string>> = {
  'no-such-course': 'course not found: there is no course with this id',
  'not-in-course': 'forbidden: this course is for its students, its teachers and admins',
  'own-course-only': 'forbidden: only the teachers of this course, or an admin, may do this',
  'course-exists': 'there is a course with this id already',
  'course-full': 'this course has as many students as a course can have: open another one',
  'last-teacher': 'a course keeps at least one teacher: assign another one first',
  'teacher-ids-required': 'who teaches this course? An admin names its teachers in teacher_ids',
  'too-many-teachers': 'this course has as many teachers as a course can have',
  'no-such-session': 'session not found: there is no attendance session with this id',
  'session-exists': 'there is an attendance session with this id already',
  'session-ended': 'this attendance session has ended',
  'not-enrolled': 'this student is not enrolled in the course',
  'students-only': 'only students check in, each for themselves',
  'check-in-by-teacher': 'nobody checks in here: the teacher marks who is there',
  'wrong-check-in-code': 'this is not the current code: look at the screen again, a new one comes every 20 seconds',
  'marked-by-teacher': 'your teacher has marked you already: ask them to change it',
}
