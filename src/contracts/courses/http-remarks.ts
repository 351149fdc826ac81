import type { OpenAPIHono } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { limit, wholeNumber } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import { iso } from '../shared/iso.ts'
import { ofVideo, VIDEOS, type VideoRoutesParts, videoBelow } from './http-videos.ts'
import { courseRefusals } from './refusals.ts'
import { Remark } from './resources.ts'

export interface RemarkRoutesParts extends VideoRoutesParts {
  readonly log: Log
}

/** What is said beside a video, kept in the video's own stream. */
export function remarkRoutes(app: OpenAPIHono<HttpEnv>, parts: RemarkRoutesParts): void {
  const { log, access, admission, now } = parts
  const { act, list } = resources(app, courseRefusals)

  list(
    {
      method: 'get',
      path: `${VIDEOS}/{video_id}/messages`,
      summary: 'What was said beside a video, newest last (students of the course, its teachers, admins)',
      description: 'Messages',
      params: ofVideo,
      query: { limit: limit(500, 100), after: wholeNumber.optional() },
      items: Remark,
    },
    async ({ by, params, query: { limit, after = 0 } }) => {
      const video = await videoBelow(parts, params, by)
      if (video instanceof Refusal) return video
      const removed = new Set(video.removed)
      const data: ReturnType<typeof remarkResource>[] = []
      for await (const batch of log.read(streamName('video', params.video_id), { from: after + 1 }))
        for (const recorded of batch) {
          if (!isOf('video', recorded) || recorded.event.type !== 'RemarkMade') continue
          if (data.length === limit) return { data, next: String(data.at(-1)?.seq) }
          data.push(remarkResource(recorded.id, recorded.revision, recorded.event, removed.has(recorded.revision)))
        }
      return { data }
    },
  )

  act(
    {
      method: 'delete',
      path: `${VIDEOS}/{video_id}/messages/{seq}`,
      summary: 'Remove what was said: that it was said stays, what it was is shown to nobody (teachers, admins)',
      description: 'The message, as it is shown from now on',
      params: { ...ofVideo, seq: wholeNumber },
      data: Remark,
    },
    async ({ by, call, params }) => {
      const course = await access.taught(params.id, by)
      if (course instanceof Refusal) return course
      const video = await videoBelow(parts, params, by)
      if (video instanceof Refusal) return video
      const { seq } = params
      const recorded = await recordedAt(log, streamName('video', params.video_id), seq)
      if (!recorded || !isOf('video', recorded) || recorded.event.type !== 'RemarkMade')
        return refuse('no-such-message')
      const command = { type: 'RemoveRemark', seq, by, at: now() } as const
      const answer = await admission.ask('video', params.video_id, command, { ...call, payload: { remove: seq } })
      return answer instanceof Refusal ? answer : remarkResource(recorded.id, seq, recorded.event, true)
    },
  )
}

interface Said {
  readonly authorId: string
  readonly message: string
  readonly timestamp: string | number
  readonly at: number
}

const remarkResource = (id: string, seq: number, { authorId, message, timestamp, at }: Said, removed: boolean) => ({
  id,
  seq,
  user_id: authorId,
  message: removed ? null : message,
  removed,
  timestamp,
  at: iso(at),
})
