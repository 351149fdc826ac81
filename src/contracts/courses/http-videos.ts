import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { fields } from '../../gateway/http/fields.ts'
import { idFor } from '../../gateway/http/id-for.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, idText, limit, next, title } from '../../gateway/http/schemas.ts'
import type { Entities } from '../../runtime/entities.ts'
import { isoOrNull } from '../shared/iso.ts'
import type { AskCourseParts } from './ask.ts'
import type { VideoList } from './parts-of-course.ts'
import { courseRefusals } from './refusals.ts'
import { Video, videoResource, WatchPosition } from './resources.ts'
import type { VideoAccess, VideoAt } from './video-access.ts'
import { type Viewings, watchId } from './viewings.ts'

export interface VideoRoutesParts extends AskCourseParts {
  readonly entities: Pick<Entities, 'state' | 'judged'>
  readonly videos: VideoAccess
  readonly videoList: VideoList
  readonly viewings: Pick<Viewings, 'position'>
}

export const VIDEOS = '/api/v1/courses/{id}/videos'
export const ofVideo = { id: idText, video_id: idText }

/** The video, below its course, for who may join that. */
export async function videoBelow(
  { videos }: Pick<VideoRoutesParts, 'videos'>,
  { id, video_id }: { readonly id: string; readonly video_id: string },
  by: Party,
): Promise<VideoAt | Refusal> {
  const video = await videos.open(video_id, by)
  return video instanceof Refusal || video.courseId === id ? video : refuse('no-such-video')
}

/** The videos of a course, and where one is in them. */
export function videoRoutes(app: OpenAPIHono<HttpEnv>, parts: VideoRoutesParts): void {
  const { access, admission, entities, videos, videoList, viewings, now } = parts
  const { act, read, list } = resources(app, courseRefusals)

  act(
    {
      method: 'post',
      path: VIDEOS,
      summary: 'Add a video (teachers of the course, admins)',
      description: 'Added',
      params: id,
      body: fields({
        title,
        duration_seconds: z.number().positive().max(1e6).nullish(),
      }),
      data: Video,
      status: 201,
    },
    async ({ by, call, params: { id: courseId }, body: { title, duration_seconds: durationSeconds = null } }) => {
      const course = await access.taught(courseId, by)
      if (course instanceof Refusal) return course
      const videoId = idFor(`video ${courseId}`, by, call)
      const command = { type: 'AddVideo', courseId, title, durationSeconds, by, at: now() } as const
      const payload = { courseId, title, durationSeconds }
      const answer = await admission.ask('video', videoId, command, { ...call, payload })
      const video = answer instanceof Refusal ? answer : await videos.find(videoId, by)
      return video instanceof Refusal ? video : videoResource(videoId, video)
    },
  )

  list(
    {
      method: 'get',
      path: VIDEOS,
      summary: 'The videos of a course, the latest first (its students, its teachers, admins)',
      description: 'Videos',
      params: id,
      query: { limit: limit(200, 50), after: next },
      items: Video,
    },
    async ({ by, params: { id: courseId }, query: { limit, after } }) => {
      const course = await access.visible(courseId, by)
      if (course instanceof Refusal) return course
      return listed(await videoList.list({ org: by.org, courseId }, limit, after), videoResource)
    },
  )

  read(
    {
      method: 'get',
      path: `${VIDEOS}/{video_id}/position`,
      summary: 'Where you are in a video, and what you have watched of it: to go on there',
      description: 'The position',
      params: ofVideo,
      data: WatchPosition,
    },
    async ({ by, params }) => {
      const video = await videoBelow(parts, params, by)
      if (video instanceof Refusal) return video
      const { state } = await entities.state('watch', watchId(params.video_id, by.id))
      const { last, watchedSeconds, percent, completedAt } = state.context
      const recorded = { timestamp: last?.timestamp ?? 0, progress: last?.progress ?? 0, watchedSeconds, percent }
      const known = viewings.position(params.video_id, by.id) ?? recorded
      return {
        id: params.video_id,
        timestamp: known.timestamp,
        progress: known.progress,
        watched_seconds: known.watchedSeconds,
        percent_complete: known.percent,
        completed_at: isoOrNull(completedAt),
      }
    },
  )
}
