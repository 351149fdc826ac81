import { createRoute, z } from '@hono/zod-openapi'
import { withFailures } from '../../gateway/http/errors.ts'
import { bodyOrNone } from '../../gateway/http/middleware.ts'
import { asOf, idText, json, limit, next, security, time } from '../../gateway/http/schemas.ts'

const minutes = z.number().int().max(1_440)
const term = {
  from: time.optional().openapi({ description: 'started at or after' }),
  to: time.optional().openapi({ description: 'started before' }),
}
const STATUSES = ['present', 'absent', 'late', 'excused'] as const
const status = z.enum(STATUSES)
const via = z.enum(['code', 'teacher'])

const Mark = z
  .object({
    student_id: z.string(),
    status,
    via,
    by: z.string(),
    at: z.string(),
    seq: z.number(),
    history: z
      .array(z.object({ status, via, by: z.string(), at: z.string(), reason: z.string().nullable(), seq: z.number() }))
      .openapi({
        description: 'all that was ever said of this student here, the first fact first; the last one counts',
      }),
  })
  .openapi('AttendanceMark')
const ListedSession = z
  .object({
    id: z.string(),
    course_id: z.string(),
    teacher_id: z.string(),
    teacher_name: z.string(),
    state: z.enum(['active', 'ended']),
    planned_minutes: z.number(),
    check_in_mode: z.enum(['code', 'manual']),
    late_after_minutes: z.number().nullable(),
    started_at: z.string(),
    due_at: z.string().openapi({ description: 'when it is ended at the latest' }),
    ended_at: z.string().nullable(),
    ended_by: z.string().nullable().openapi({ description: 'a name; system when nobody ended it in time' }),
    ended_by_id: z.string().nullable(),
    end_reason: z.enum(['ended', 'overrun']).nullable(),
    student_count: z.number().openapi({ description: 'students present so far' }),
    final_statistics: z.object({ total: z.number(), present: z.number(), absent: z.number() }).nullable(),
    seq: z.number(),
  })
  .openapi('ListedAttendanceSession')
const code = { code: z.string(), code_expires_at: z.string().openapi({ description: 'when a new code replaces it' }) }
const Session = ListedSession.extend({
  marks: z.array(Mark).openapi({ description: 'by student_id; for students only their own' }),
  code: code.code
    .optional()
    .openapi({ description: 'for teachers of the course and admins, while students can check in by it' }),
  code_expires_at: code.code_expires_at.optional(),
}).openapi('AttendanceSession')
const session = withFailures({ 200: { description: 'The session', content: json(z.object({ data: Session })) } })
const MarkOfSession = Mark.extend({ id: z.string(), session_id: z.string(), course_id: z.string() }).openapi(
  'AttendanceMarkOfSession',
)
const mark = withFailures({ 200: { description: 'The mark', content: json(z.object({ data: MarkOfSession })) } })

export const startSession = createRoute({
  method: 'post',
  path: '/api/v1/courses/{course_id}/attendance-sessions',
  security,
  summary: 'Start an attendance session (teachers of the course)',
  middleware: bodyOrNone,
  request: {
    params: z.object({ course_id: idText }),
    body: {
      required: false,
      content: json(
        z.object({
          planned_minutes: minutes.min(1).optional().openapi({ default: 60 }),
          check_in_mode: z.enum(['code', 'manual']).optional().openapi({ default: 'code' }),
          late_after_minutes: minutes
            .min(0)
            .nullish()
            .openapi({ description: 'whoever checks in later than that is late' }),
        }),
      ),
    },
  },
  responses: withFailures({ 201: { description: 'Started', content: json(z.object({ data: Session })) } }),
})

export const listSessions = createRoute({
  method: 'get',
  path: '/api/v1/courses/{course_id}/attendance-sessions',
  security,
  summary:
    'The attendance sessions of a course, without their marks, the latest first (its students, its teachers, admins)',
  request: {
    params: z.object({ course_id: idText }),
    query: z.object({
      ...term,
      state: z.enum(['active', 'ended']).optional(),
      limit: limit(200, 50),
      after: next,
    }),
  },
  responses: withFailures({
    200: {
      description: 'Sessions',
      content: json(z.object({ data: z.array(ListedSession), next: z.string().optional() })),
    },
  }),
})

export const courseCsv = createRoute({
  method: 'get',
  path: '/api/v1/courses/{course_id}/attendance.csv',
  security,
  summary:
    'The attendance of a course as CSV: a line for each student, a column for each session (its teachers, admins)',
  request: { params: z.object({ course_id: idText }), query: z.object(term) },
  responses: withFailures({ 200: { description: 'RFC 4180, UTF-8', content: { 'text/csv': { schema: z.string() } } } }),
})

/** A session is reached below its course, where the course must be its own, and by itself. */
export const SESSION_PATHS = [
  '/api/v1/courses/{course_id}/attendance-sessions/{id}',
  '/api/v1/attendance-sessions/{id}',
] as const

const BelowCourse = z.object({ id: idText, course_id: idText.optional() })

/** Everything that is asked of one session, at one of its paths. */
export function sessionRoutes(path: (typeof SESSION_PATHS)[number]) {
  // Of both paths' parameters the handlers see the same type; only one of them has `course_id`, and there it is
  // required.
  const params = (path.includes('{course_id}')
    ? z.object({ course_id: idText, id: idText })
    : z.object({ id: idText })) as unknown as typeof BelowCourse
  return {
    read: createRoute({
      method: 'get',
      path,
      security,
      summary: 'The report of a session, now or as of any of its events (students of the course, its teachers, admins)',
      request: {
        params,
        query: asOf,
      },
      responses: session,
    }),
    checkIn: createRoute({
      method: 'post',
      path: `${path}/check-in`,
      security,
      summary: 'Check in (students of the course, each for themselves)',
      request: { params, body: { required: true, content: json(z.object({ code: z.string().max(64) })) } },
      responses: mark,
    }),
    mark: createRoute({
      method: 'post',
      path: `${path}/marks`,
      security,
      summary: 'Mark a student, or correct their mark (teachers of the course, admins)',
      request: {
        params,
        body: {
          required: true,
          content: json(z.object({ student_id: idText, status, reason: z.string().trim().max(500).nullish() })),
        },
      },
      responses: mark,
    }),
    end: createRoute({
      method: 'post',
      path: `${path}/end`,
      security,
      summary: 'End a session (teachers of the course, admins)',
      request: { params },
      responses: session,
    }),
    code: createRoute({
      method: 'get',
      path: `${path}/code`,
      security,
      summary: 'The code to check in with (teachers of the course, admins); a new one comes every 20 seconds',
      request: { params },
      responses: withFailures({
        200: { description: 'The code', content: json(z.object({ data: z.object({ id: z.string(), ...code }) })) },
      }),
    }),
  }
}
