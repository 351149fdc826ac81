import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about lessons, on sockets and over HTTP. */
export const lessonRefusals = {
  'code-taken': [409, 'this code leads to another lesson'],
  'left-lesson': [409, 'you have left this lesson: join_lesson brings you back'],
  'lesson-ended': [409, 'this lesson has ended'],
  'lesson-exists': [409, 'there is a lesson with this id already'],
  'lesson-id-required': [400, 'you are in several lessons: send lesson_id'],
  'lesson-started': [409, 'this lesson has begun: only the plan of one that is scheduled can be changed'],
  'no-such-code': [404, 'no lesson that is planned or going on has this code: check it, or ask your teacher'],
  'no-such-event': [404, 'this lesson has no event with that number: at goes from 0 to the seq of its last event'],
  'no-such-lesson': [404, 'there is no lesson with this id'],
  'not-in-lesson': [409, 'you are in no lesson'],
  'not-present': [409, 'this connection does not count as being there: connect without product_type to take part'],
  'own-lesson-only': [403, 'only the teacher of this lesson, or an admin, may do this'],
  'participant-id-taken': [409, 'somebody else is in this lesson under the same id: connect again for a new one'],
  'participants-only': [403, 'only students, teachers and admins take part in lessons'],
  'teachers-only': [403, 'this is for teachers, and partly for admins'],
} as const satisfies Refusals
