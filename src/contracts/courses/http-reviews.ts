import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import { fields } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, limit, next } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import type { CourseAccess } from './access.ts'
import type { AskCourseParts } from './ask.ts'
import type { ReviewList } from './parts-of-course.ts'
import { courseRefusals } from './refusals.ts'
import { Review, reviewResource } from './resources.ts'

export interface ReviewRoutesParts extends AskCourseParts {
  readonly log: Log
  readonly reviews: ReviewList
}

const REVIEWS = '/api/v1/courses/{id}/reviews'

/** Null for a student who is enrolled in the course. */
export async function notEnrolled(access: CourseAccess, courseId: string, by: Party): Promise<Refusal | null> {
  const course = await access.visible(courseId, by)
  if (course instanceof Refusal) return course
  return by.role === 'student' ? null : refuse('students-only')
}

/** What students think of a course: one review of each. */
export function reviewRoutes(
  app: OpenAPIHono<HttpEnv>,
  { access, admission, log, reviews, now }: ReviewRoutesParts,
): void {
  const { act, list } = resources(app, courseRefusals)

  act(
    {
      method: 'post',
      path: REVIEWS,
      summary: 'Say what you think of a course (its students); a second review takes the place of the first',
      description: 'Your review',
      params: id,
      body: fields({ rating: z.number().int().min(1).max(5), comment: z.string().trim().max(4_096) }),
      data: Review,
      status: 201,
    },
    async ({ identity, by, call, params: { id: courseId }, body: { rating, comment } }) => {
      const no = await notEnrolled(access, courseId, by)
      if (no) return no
      const email = identity.profile.email ?? null
      const command = { type: 'GiveReview', courseId, email, rating, comment, by, at: now() } as const
      const reviewId = `${courseId}.${by.id}`
      const answer = await admission.ask('review', reviewId, command, { ...call, payload: { rating, comment } })
      if (answer instanceof Refusal) return answer
      const recorded = await recordedAt(log, streamName('review', reviewId), answer.seq)
      if (!recorded || !isOf('review', recorded)) throw new Error(`review ${reviewId} has lost event ${answer.seq}`)
      return reviewResource(reviewId, recorded.event)
    },
  )

  list(
    {
      method: 'get',
      path: REVIEWS,
      summary: 'The reviews of a course, the latest first (its students, its teachers, admins)',
      description: 'Reviews',
      params: id,
      query: { limit: limit(200, 50), after: next },
      items: Review,
    },
    async ({ by, params: { id: courseId }, query: { limit, after } }) => {
      const course = await access.visible(courseId, by)
      if (course instanceof Refusal) return course
      return listed(await reviews.list({ org: by.org, courseId }, limit, after), reviewResource)
    },
  )
}
