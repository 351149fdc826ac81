import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { stringify } from 'csv-stringify/sync'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { pageById } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { afterId, id, idText, limit } from '../../gateway/http/schemas.ts'
import { isoOrNull } from '../shared/iso.ts'
import type { CourseAccess } from './access.ts'
import type { VideoList, WatchedIn } from './parts-of-course.ts'
import { courseRefusals } from './refusals.ts'
import { StudentProgress } from './resources.ts'

export interface ProgressRoutesParts {
  readonly access: CourseAccess
  readonly videoList: VideoList
  readonly watched: WatchedIn
}

/** A table with more columns is no table. */
const MAX_VIDEOS = 1_000
const MAX_LINES = 10_000

/** What students have watched of a course. */
export function progressRoutes(app: OpenAPIHono<HttpEnv>, { access, videoList, watched }: ProgressRoutesParts): void {
  const { list, raw } = resources(app, courseRefusals)

  const progressOf = async (courseId: string, by: Party, students: readonly string[]) => {
    const sorted = [...students].sort()
    // As the view's list has them: with what follows an id there, `a-b/` comes before `a/`.
    const listed = sorted.map((student) => `${student}/`).sort()
    const [first, last] = [listed[0], listed.at(-1)]
    const course = { org: by.org, courseId }
    const { rows: videos } = await videoList.list(course, MAX_VIDEOS, undefined)
    const all = first && last ? await watched(course, first, last) : new Map<string, never[]>()
    return sorted.map((student) => {
      const theirs = new Map((all.get(student) ?? []).map((row) => [row.videoId, row]))
      const data = videos.map(([video_id, { title }]) => {
        const row = theirs.get(video_id)
        return {
          video_id,
          title,
          watched_seconds: row?.watchedSeconds ?? 0,
          percent_complete: row?.percent ?? 0,
          timestamp: row?.last?.timestamp ?? 0,
          completed_at: isoOrNull(row?.completedAt ?? null),
        }
      })
      const percent = data.reduce((sum, { percent_complete }) => sum + percent_complete, 0) / Math.max(1, data.length)
      return { id: student, user_id: student, percent_complete: Math.round(percent * 10) / 10, videos: data }
    })
  }

  /** Teachers and admins are shown every student, students themselves. */
  const shownTo = async (courseId: string, by: Party): Promise<readonly string[] | Refusal> => {
    const course = await access.visible(courseId, by)
    if (course instanceof Refusal) return course
    return by.role === 'student' ? [by.id] : course.students
  }

  list(
    {
      method: 'get',
      path: '/api/v1/courses/{id}/progress',
      summary: 'What was watched of a course, by student (teachers and admins: every student; students: themselves)',
      description: 'Progress',
      params: id,
      query: { limit: limit(200, 50), after: afterId },
      items: StudentProgress,
    },
    async ({ by, params: { id: courseId }, query }) => {
      const students = await shownTo(courseId, by)
      if (students instanceof Refusal) return students
      const { data, next } = pageById(
        [...students].sort().map((id) => ({ id })),
        query,
      )
      return {
        data: await progressOf(
          courseId,
          by,
          data.map(({ id }) => id),
        ),
        next,
      }
    },
  )

  raw(
    {
      method: 'get',
      path: '/api/v1/courses/{id}/progress.csv',
      summary: 'The same as CSV: a line for each student and video',
      description: 'RFC 4180, UTF-8',
      params: { id: idText },
      content: { 'text/csv': { schema: z.string() } },
    },
    async ({ by, params: { id: courseId } }) => {
      const students = await shownTo(courseId, by)
      if (students instanceof Refusal) return students
      if (students.length > MAX_LINES) return refuse('progress-too-large', { most: String(MAX_LINES) })
      const lines = (await progressOf(courseId, by, students)).flatMap(({ user_id, videos }) =>
        videos.map((video) => ({ user_id, ...video })),
      )
      const columns = ['user_id', 'video_id', 'title', 'watched_seconds', 'percent_complete', 'completed_at']
      return {
        body: stringify(lines, { header: true, columns, record_delimiter: 'windows', escape_formulas: true }),
        headers: {
          'Content-Type': 'text/csv; charset=utf-8',
          'Content-Disposition': `attachment; filename="progress-${courseId}.csv"`,
        },
      }
    },
  )
}
