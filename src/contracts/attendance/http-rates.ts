import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { afterId, idText, limit, next } from '../../gateway/http/schemas.ts'
import type { Zone } from '../../gateway/http/zone.ts'
import { termIn } from './http-csv.ts'
import { attendanceRates, type RatesParts } from './rates.ts'
import { attendanceRefusals } from './refusals.ts'

const count = z.number().int()
const tally = {
  present: count,
  late: count,
  excused: count,
  absent: count,
  elsewhere: count,
  attended: count.openapi({ description: 'present or late' }),
  rate: z.number().nullable().openapi({ description: 'percent: attended of present, late and absent' }),
}

const RateOfStudent = z
  .object({
    ...{ id: z.string(), student_id: z.string(), course_id: z.string() },
    ...{ name: z.string().nullable(), email: z.string().nullable(), ...tally },
  })
  .openapi('AttendanceRate')

const StudentInCourse = z
  .object({
    ...{ id: z.string(), course_id: z.string(), title: z.string(), student_id: z.string(), ...tally },
    sessions: z
      .array(z.object({ id: z.string(), started_at: z.string(), status: z.string() }))
      .openapi({ description: 'those that say something of the student, by their start, as in the CSV' }),
  })
  .openapi('AttendanceOfStudent')

const percent = z
  .string()
  .regex(/^(100|\d{1,2}(\.\d)?)$/, 'must be a percentage from 0 to 100, with at most one decimal')
  .transform(Number)
  .openapi({ type: 'number', minimum: 0, maximum: 100 })

/** `GET /api/v1/attendance` and `GET /api/v1/students/:id/attendance`. */
export function rateRoutes(app: OpenAPIHono<HttpEnv>, parts: RatesParts & { readonly zone: Zone }): void {
  const { list } = resources(app, attendanceRefusals)
  const rates = attendanceRates(parts)
  const term = termIn(parts.zone)

  list(
    {
      method: 'get',
      path: '/api/v1/attendance',
      heavy: true,
      summary: 'How often the students of a course attended (its teachers, admins; students: themselves)',
      description: 'Students, by id',
      query: {
        course: idText,
        ...term,
        min_rate: percent.optional().openapi({ description: 'whose rate is at least that' }),
        limit: limit(500, 100),
        after: afterId,
      },
      items: RateOfStudent,
    },
    ({ by, isGone, query: { course: courseId, from, to, min_rate: minRate, limit, after } }) =>
      rates.ofCourse({ courseId, minRate, limit, after }, { by, isGone, term: { from, to } }),
  )

  list(
    {
      method: 'get',
      path: '/api/v1/students/{id}/attendance',
      heavy: true,
      summary: 'The attendance of a student, by course (teachers: of their courses; admins; students: their own)',
      description: 'Courses, the latest first',
      params: { id: idText },
      query: { course: idText.optional(), ...term, limit: limit(20, 10), after: next },
      items: StudentInCourse,
    },
    ({ by, isGone, params: { id }, query: { course: courseId, from, to, limit, after } }) =>
      rates.ofStudent(id, { courseId, limit, after }, { by, isGone, term: { from, to } }),
  )
}
