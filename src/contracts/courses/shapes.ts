import { z } from 'zod'
import type { Shape } from '../../delivery/shape.ts'
import { isoShape as iso, eventRefShape as ref } from '../shared/wire-shapes.ts'
import type { CourseAnswers, CourseWire } from './wire.ts'

const id = z.string().meta({ examples: ['a3f1'] })
const user = { user_id: id, user_email: z.string().meta({ examples: ['ada@example.org'] }) }
const percent = z.number().min(0).max(100)
const report = { user_id: id, video_id: id, progress: percent, timestamp: z.number().min(0) }
const watched = { user_id: id, video_id: id, watched_seconds: z.int().min(0), percent_complete: percent }

/** The shape of everything that this contract pushes. */
export const courseShapes: { readonly [Name in keyof CourseWire]: Shape<CourseWire[Name]> } = {
  course_updated: z
    .strictObject({ ...ref, course_id: id, title: z.string() })
    .describe('To the course: it is called something else now.'),
  new_enrollment: z
    .strictObject({ ...ref, ...user, course_id: id, message: z.string() })
    .describe('To the course: somebody was enrolled.'),
  new_review: z
    .strictObject({ ...ref, ...user, course_id: id, rating: z.int().min(1).max(5), comment: z.string() })
    .describe('To the course: a student says what they think of it, or says something else now.'),
  user_joined_video: z
    .strictObject({ ...ref, ...user, video_id: id })
    .describe('To the others beside a video: somebody has come.'),
  new_chat_message: z
    .strictObject({
      ...ref,
      ...user,
      video_id: id,
      message: z.string(),
      timestamp: z.union([z.string(), z.number()]).meta({ examples: ['2026-01-05T09:30:00Z'] }),
      at: iso,
    })
    .describe('To everybody beside a video, the sender included. `timestamp` is the sender’s, `at` the server’s.'),
  chat_message_removed: z
    .strictObject({ ...ref, video_id: id, removed_seq: z.int().min(0) })
    .describe('To everybody beside a video: a teacher has removed the message whose `seq` this is.'),
  student_progress: z
    .strictObject({ ...ref, ...report, students: z.array(z.strictObject(report)).readonly().exactOptional() })
    .describe('To instructors: a report as it was sent. `students` where there are many: all of them.'),
  progress_update: z
    .strictObject({ ...ref, ...watched, students: z.array(z.strictObject(watched)).readonly().exactOptional() })
    .describe('To instructors: what somebody has watched. `students` where there are many: all of them.'),
  quiz_submission: z
    .strictObject({ ...ref, user_id: id, course_id: id, quiz_id: id, score: percent, passed: z.boolean() })
    .describe('To instructors: a quiz was handed in.'),
}

/** What one connection is told besides. */
export const courseAnswers: { readonly [Name in keyof CourseAnswers]: Shape<CourseAnswers[Name]> } = {
  connected: z.strictObject({ status: z.string() }).describe('On connecting, to everybody with a token.'),
  joined_course: z
    .strictObject({ ...ref, course_id: id, status: z.string() })
    .describe('To the connection that asked: it hears of the course now.'),
  joined_video: z
    .strictObject({ ...ref, video_id: id, course_id: id, status: z.string() })
    .describe('To the connection that asked: it hears of the video now.'),
  error: z
    .strictObject({
      ...{ message: z.string(), code: z.string(), event: z.string() },
      ...{ course_id: id.exactOptional(), video_id: id.exactOptional() },
    })
    .describe(
      'Why something was refused, besides the ack; or why there will be no more pushes of this course or video.',
    ),
}
