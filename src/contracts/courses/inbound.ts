import { z } from 'zod'
import type { Calls, Connection, Inbound, InboundRow, Outcome } from '../../delivery/connection.ts'
import type { Call } from '../../runtime/answer.ts'
import { badRequest } from '../shared/bad-request.ts'
import { callOf, clientIdText, idText, mustBeIdOf } from '../shared/ids.ts'
import type { CourseAnswers } from './wire.ts'

/** `video_progress`, decoded: percent, and seconds of the video. */
export interface ProgressAsked {
  readonly courseId: string
  readonly videoId: string
  readonly progress: number
  readonly timestamp: number
  readonly clientId: string | undefined
}

/** What clients may ask about courses and videos. `at` in milliseconds since 1970. */
export interface CourseAsks {
  joinCourse(courseId: string, from: Connection): Promise<Outcome>
  leaveCourse(courseId: string, from: Connection): Promise<Outcome>
  joinVideo(videoId: string, from: Connection): Promise<Outcome>
  leaveVideo(videoId: string, from: Connection): Promise<Outcome>
  /** `entered` is called when the report is taken, before it is recorded. */
  progress(asked: ProgressAsked, from: Connection, at: number, entered: () => void): Promise<Outcome>
  remark(
    videoId: string,
    said: { message: string; timestamp: string | number },
    from: Connection,
    call: Call,
  ): Promise<Outcome>
}

const missing = (name: string) => (issue: { readonly input?: unknown }) =>
  issue.input === undefined || issue.input === null ? `${name} is missing` : undefined
const idOf = (name: string, what: string) => {
  const must = `${mustBeIdOf(what)}, as text`
  return idText(must, { error: (issue) => missing(name)(issue) ?? must })
}
const course_id = idOf('course_id', 'a course')
const video_id = idOf('video_id', 'a video')
const client_id = clientIdText('must be a text of 1 to 128 characters')
const number = (name: string) => z.number({ error: (issue) => missing(name)(issue) ?? 'must be a number' })

/** Somebody who sends nothing at all is told what is missing, too. */
const asked = <S extends z.core.$ZodShape>(shape: S) => {
  const names = Object.keys(shape).filter((name) => name !== 'client_id')
  return z.object(shape, { error: `${names.join(', ')} missing: send an object like {${names.join(', ')}}` })
}

const course = asked({ course_id, client_id })
const video = asked({ video_id, client_id })
const progress = asked({
  video_id,
  course_id,
  progress: number('progress').min(0, 'must be 0 to 100').max(100, 'must be 0 to 100'),
  timestamp: number('timestamp')
    .min(0, 'must be seconds of the video, from 0')
    .max(1e7, 'must be seconds of the video'),
  client_id,
})
const remark = asked({
  video_id,
  message: z
    .string({ error: (issue) => missing('message')(issue) ?? 'must be text' })
    .min(1, 'must have 1 to 4096 characters')
    .max(4_096, 'must have 1 to 4096 characters'),
  timestamp: z.union([z.string().max(64), z.number()], {
    error: (issue) => missing('timestamp')(issue) ?? 'must be a time, as text of at most 64 characters or a number',
  }),
  client_id,
})

/** What clients may emit about courses and videos. */
export const courseAsked = {
  about: 'course_id',
  data: {
    join_course: course.describe('Hear of a course: `joined_course` comes, then its pushes.'),
    leave_course: course.describe('Hear of it no more, on this connection.'),
    join_video: video.describe('Be beside a video: `joined_video` comes, then its pushes.'),
    leave_video: video.describe('Be beside it no more, on this connection.'),
    video_progress: progress.describe('Where you are in a video: percent, and seconds.'),
    send_chat_message: remark.describe('Say something to everybody beside a video.'),
  },
} as const satisfies Calls

/** One row per name that a client may emit about courses and videos. */
export function courseInbound(asks: CourseAsks): Inbound {
  /** `ask` calls `entered` when later calls of the connection may overtake it. */
  const row =
    <S extends z.ZodType>(
      schema: S,
      ask: (data: z.output<S>, from: Connection, at: number, entered: () => void) => Promise<Outcome>,
    ): InboundRow =>
    ([sent], from, at) => {
      const read = schema.safeParse(sent)
      return read.success ? (entered) => ask(read.data, from, at, entered) : badRequest(read.error)
    }
  const rows = {
    join_course: row(course, ({ course_id: id }, from) => asks.joinCourse(id, from)),
    leave_course: row(course, ({ course_id: id }, from) => asks.leaveCourse(id, from)),
    join_video: row(video, ({ video_id: id }, from) => asks.joinVideo(id, from)),
    leave_video: row(video, ({ video_id: id }, from) => asks.leaveVideo(id, from)),
    video_progress: row(progress, (data, from, at, entered) => {
      const { course_id: courseId, video_id: videoId, client_id, progress, timestamp } = data
      const clientId = client_id ?? undefined
      return asks.progress({ courseId, videoId, progress, timestamp, clientId }, from, at, entered)
    }),
    send_chat_message: row(remark, ({ video_id: id, message, timestamp, client_id }, from, _at, entered) =>
      asks.remark(id, { message, timestamp }, from, callOf(client_id, { id, message, timestamp }, entered)),
    ),
  } satisfies Record<keyof typeof courseAsked.data, InboundRow>
  return {
    rows,
    afterAnswers: ['leave_course', 'leave_video'],
    about: courseAsked.about,
    // Contract 003 tells refusals by an event, too.
    onRefused(from, { message, code, event }) {
      from.emit('error', { message, code, event } satisfies CourseAnswers['error'])
    },
  }
}
