import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about courses, on sockets and over HTTP. */
export const courseRefusals = {
  'course-exists': [409, 'there is a course with this id already'],
  'course-full': [409, 'this course has as many students as a course can have: open another one'],
  'last-teacher': [409, 'a course keeps at least one teacher: assign another one first'],
  'members-only': [403, 'courses are for teachers, students and admins'],
  'no-such-course': [404, 'course not found: there is no course with this id'],
  'not-in-course': [403, 'forbidden: this course is for its students, its teachers and admins'],
  'own-course-only': [403, 'forbidden: only the teachers of this course, or an admin, may do this'],
  'teacher-ids-required': [400, 'who teaches this course? An admin names its teachers in teacher_ids'],
  'teachers-only': [403, 'forbidden: this is for teachers of the course, and mostly for admins'],
  'too-many-teachers': [409, 'this course has as many teachers as a course can have'],
} as const satisfies Refusals
