import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about courses, their videos and quizzes, on sockets and over HTTP. */
export const courseRefusals = {
  'answers-missing': [400, 'answers: this quiz has {expected} questions, {got} answers came: send one index for each'],
  'course-exists': [409, 'there is a course with this id already'],
  'course-full': [409, 'this course has as many students as a course can have: open another one'],
  'last-teacher': [409, 'a course keeps at least one teacher: assign another one first'],
  'members-only': [403, 'courses are for teachers, students and admins'],
  'no-such-choice': [400, 'answers: question {question} (from 0) has no choice with that index'],
  'no-such-course': [404, 'course not found: there is no course with this id'],
  'no-such-message': [404, 'message not found: nothing was said beside this video by an event with that seq'],
  'no-such-quiz': [404, 'quiz not found: this course has no quiz with this id'],
  'no-such-video': [404, 'video not found: there is no video with this id in this course'],
  'not-in-course': [403, 'forbidden: this course is for its students, its teachers and admins'],
  'not-present': [409, 'this connection does not count as being there: connect without product_type to take part'],
  'own-course-only': [403, 'forbidden: only the teachers of this course, or an admin, may do this'],
  'progress-too-large': [413, 'more than {most} lines: ask for /progress, page by page'],
  'quiz-exists': [409, 'there is a quiz with this id already'],
  'students-only': [403, 'forbidden: this is for the students who are enrolled in the course'],
  'teacher-ids-required': [400, 'who teaches this course? An admin names its teachers in teacher_ids'],
  'teachers-only': [403, 'forbidden: this is for teachers of the course; admins may do most of it'],
  'too-many-removed': [409, 'as many as {most} messages were removed beside this video, and no more can be'],
  'too-many-teachers': [409, 'this course has as many teachers as a course can have'],
  'video-exists': [409, 'there is a video with this id already'],
} as const satisfies Refusals
