import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { idText, time } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import type { CourseAccess } from '../courses/access.ts'
import { attendanceCsv } from './csv.ts'
import type { SessionList } from './list.ts'
import { attendanceRefusals } from './refusals.ts'

export interface CsvRouteParts {
  readonly log: Log
  readonly access: CourseAccess
  readonly sessions: SessionList
}

/** When a session was started, in a query. */
export const term = {
  from: time.optional().openapi({ description: 'started at or after' }),
  to: time.optional().openapi({ description: 'started before' }),
}

/** A term of a course that meets twice a day, and then some. */
const MAX_COLUMNS = 400

/** `GET /api/v1/courses/:course_id/attendance.csv`. */
export function csvRoute(app: OpenAPIHono<HttpEnv>, { log, access, sessions }: CsvRouteParts): void {
  const { raw } = resources(app, attendanceRefusals)
  raw(
    {
      method: 'get',
      path: '/api/v1/courses/{course_id}/attendance.csv',
      heavy: true,
      summary:
        'The attendance of a course as CSV: a line for each student, a column for each session (its teachers, admins)',
      description: 'RFC 4180, UTF-8',
      params: { course_id: idText },
      query: term,
      content: { 'text/csv': { schema: z.string() } },
    },
    async ({ by, params: { course_id: courseId }, query: { from, to } }) => {
      const course = await access.taught(courseId, by)
      if (course instanceof Refusal) return course
      const filter = { org: by.org, courseId, state: undefined, from, to }
      const page = await sessions.list(filter, MAX_COLUMNS, undefined)
      if (page.next !== undefined) return refuse('csv-too-large', { most: String(MAX_COLUMNS) })
      const ids = page.rows.map(([id]) => id)
      const headers = {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': `attachment; filename="attendance-${courseId}.csv"`,
      }
      return { body: await attendanceCsv(log, courseId, ids), headers }
    },
  )
}
