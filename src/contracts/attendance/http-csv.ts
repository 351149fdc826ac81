import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { idText, timeIn } from '../../gateway/http/schemas.ts'
import { streamed } from '../../gateway/http/streamed.ts'
import type { Zone } from '../../gateway/http/zone.ts'
import type { ViewRunner } from '../../views/runner.ts'
import type { CourseAccess } from '../courses/access.ts'
import type { CourseTables } from './course-table.ts'
import { attendanceCsv } from './csv.ts'
import type { SessionList } from './list.ts'
import { peopleNamed } from './people-named.ts'
import { attendanceRefusals } from './refusals.ts'
import { termTable } from './term-table.ts'

export interface CsvRouteParts {
  readonly access: CourseAccess
  readonly sessions: SessionList
  readonly tables: CourseTables
  readonly views: Pick<ViewRunner, 'get'>
  readonly zone: Zone
}

/** When a session was started, in a query. */
export const termIn = (zone: Zone) => ({
  from: timeIn(zone).optional().openapi({ description: 'started at or after' }),
  to: timeIn(zone).optional().openapi({ description: 'started before' }),
})

/** `GET /api/v1/courses/:course_id/attendance.csv`. */
export function csvRoute(app: OpenAPIHono<HttpEnv>, parts: CsvRouteParts): void {
  const { access, views, zone } = parts
  const { raw } = resources(app, attendanceRefusals)
  raw(
    {
      method: 'get',
      path: '/api/v1/courses/{course_id}/attendance.csv',
      heavy: true,
      summary:
        'The attendance of a course as CSV: a line for each student, a column for each session (its teachers, admins)',
      description: 'RFC 4180, UTF-8; times in the zone of the server',
      params: { course_id: idText },
      query: termIn(zone),
      content: { 'text/csv': { schema: z.string() } },
    },
    async ({ by, params: { course_id: courseId }, query, isGone }) => {
      const course = await access.taught(courseId, by)
      if (course instanceof Refusal) return course
      const table = await termTable(parts, by.org, courseId, query, isGone)
      if (table instanceof Refusal) return table
      const headers = {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': `attachment; filename="attendance-${courseId}.csv"`,
      }
      const named = (students: readonly string[]) => peopleNamed(views, by.org, students)
      return { body: streamed(attendanceCsv(table, zone.iso, named)), headers }
    },
  )
}
