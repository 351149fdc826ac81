import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { stringify } from 'csv-stringify/sync'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { VideoRow } from '../../../projections/videos.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { afterId, id, idText, limit } from '../../gateway/http/schemas.ts'
import { nextTurn } from '../../slices.ts'
import { isoOrNull } from '../shared/iso.ts'
import type { CourseAccess } from './access.ts'
import { inOrder, pageOfIds } from './by-id.ts'
import type { VideoList, WatchedIn } from './parts-of-course.ts'
import { courseRefusals } from './refusals.ts'
import { StudentProgress } from './resources.ts'
import type { Viewings } from './viewings.ts'

export interface ProgressRoutesParts {
  readonly access: CourseAccess
  readonly videoList: VideoList
  readonly watched: WatchedIn
  readonly viewings: Pick<Viewings, 'position'>
}

type ListedVideo = readonly [id: string, row: VideoRow]

/** Lines of one answer: a student and a video each. */
const MAX_LINES = 50_000
const LINES_PER_PAGE = 5_000
/** Lines per turn of the event loop. */
const PER_TURN = 1_000
const VIDEOS_PER_PAGE = 200

/** What students have watched of a course. */
export function progressRoutes(
  app: OpenAPIHono<HttpEnv>,
  { access, videoList, watched, viewings }: ProgressRoutesParts,
): void {
  const { list, raw } = resources(app, courseRefusals)

  const videosOf = async (courseId: string, by: Party): Promise<readonly ListedVideo[]> => {
    const all: ListedVideo[] = []
    let after: string | undefined
    do {
      const page = await videoList.list({ org: by.org, courseId }, VIDEOS_PER_PAGE, after)
      all.push(...page.rows)
      after = page.next
    } while (after !== undefined)
    return all
  }

  /** What each of these students, who are in the order of their ids, has watched of these videos. */
  const progressOf = async (
    courseId: string,
    by: Party,
    videos: readonly ListedVideo[],
    sorted: readonly string[],
  ): Promise<readonly z.input<typeof StudentProgress>[]> => {
    // As the view's list has them: with what follows an id there, `a-b/` comes before `a/`.
    const listed = sorted.map((student) => `${student}/`).sort()
    const [first, last] = [listed[0], listed.at(-1)]
    const all = first && last ? await watched({ org: by.org, courseId }, first, last) : new Map<string, never[]>()
    const found: z.input<typeof StudentProgress>[] = []
    for (const [n, student] of sorted.entries()) {
      if (n % Math.ceil(PER_TURN / Math.max(1, videos.length)) === 0) await nextTurn()
      const theirs = new Map((all.get(student) ?? []).map((row) => [row.videoId, row]))
      const data = videos.map(([video_id, { title }]) => {
        const row = theirs.get(video_id)
        const live = viewings.position(video_id, student) // what is not recorded yet
        return {
          video_id,
          title,
          watched_seconds: live?.watchedSeconds ?? row?.watchedSeconds ?? 0,
          percent_complete: live?.percent ?? row?.percent ?? 0,
          timestamp: live?.timestamp ?? row?.last?.timestamp ?? 0,
          completed_at: isoOrNull(row?.completedAt ?? null),
        }
      })
      const percent = data.reduce((sum, { percent_complete }) => sum + percent_complete, 0) / Math.max(1, data.length)
      found.push({ id: student, user_id: student, percent_complete: Math.round(percent * 10) / 10, videos: data })
    }
    return found
  }

  /** Teachers and admins are shown every student, students themselves; in the order of their ids. */
  const shownTo = async (courseId: string, by: Party): Promise<readonly string[] | Refusal> => {
    const course = await access.visible(courseId, by)
    if (course instanceof Refusal) return course
    return by.role === 'student' ? [by.id] : inOrder(course.students)
  }

  list(
    {
      method: 'get',
      path: '/api/v1/courses/{id}/progress',
      heavy: true,
      summary: 'What was watched of a course, by student (teachers and admins: every student; students: themselves)',
      description: 'Progress',
      params: id,
      query: { limit: limit(200, 50), after: afterId },
      items: StudentProgress,
    },
    async ({ by, params: { id: courseId }, query }) => {
      const students = await shownTo(courseId, by)
      if (students instanceof Refusal) return students
      const videos = await videosOf(courseId, by)
      // Of very many videos a page has fewer students.
      const most = Math.max(1, Math.floor(LINES_PER_PAGE / Math.max(1, videos.length)))
      const { ids, next } = pageOfIds(students, { ...query, limit: Math.min(query.limit, most) })
      return { data: await progressOf(courseId, by, videos, ids), next }
    },
  )

  raw(
    {
      method: 'get',
      path: '/api/v1/courses/{id}/progress.csv',
      heavy: true,
      summary: 'The same as CSV: a line for each student and video',
      description: 'RFC 4180, UTF-8',
      params: { id: idText },
      content: { 'text/csv': { schema: z.string() } },
    },
    async ({ by, params: { id: courseId } }) => {
      const students = await shownTo(courseId, by)
      if (students instanceof Refusal) return students
      const videos = await videosOf(courseId, by)
      if (students.length * videos.length > MAX_LINES) return refuse('progress-too-large', { most: String(MAX_LINES) })
      const columns = ['user_id', 'video_id', 'title', 'watched_seconds', 'percent_complete', 'completed_at']
      const format = { columns, record_delimiter: 'windows', escape_formulas: true } as const
      let body = stringify([], { ...format, header: true })
      const atOnce = Math.max(1, Math.floor(PER_TURN / Math.max(1, videos.length)))
      for (let n = 0; n < students.length; n += atOnce) {
        const some = await progressOf(courseId, by, videos, students.slice(n, n + atOnce))
        const lines = some.flatMap(({ user_id, videos: its }) => its.map((video) => ({ user_id, ...video })))
        body += stringify(lines, format)
      }
      return {
        body,
        headers: {
          'Content-Type': 'text/csv; charset=utf-8',
          'Content-Disposition': `attachment; filename="progress-${courseId}.csv"`,
        },
      }
    },
  )
}
