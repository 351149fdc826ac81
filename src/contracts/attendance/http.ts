import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal } from '../../../machines/kernel.ts'
import { displayNameOf } from '../../../machines/person/profile.ts'
import { fields } from '../../gateway/http/fields.ts'
import { idFor } from '../../gateway/http/id-for.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { idText, next, limit as pageLimit } from '../../gateway/http/schemas.ts'
import { teaches } from '../courses/access.ts'
import type { ActiveLimit } from './active-limit.ts'
import { newSecret } from './check-in-codes.ts'
import { type CsvRouteParts, csvRoute, termIn } from './http-csv.ts'
import { rateRoutes } from './http-rates.ts'
import { sessionRoutes } from './http-session.ts'
import { CHECK_IN_MODES, ListedSession, Session, STATES } from './http-shapes.ts'
import type { SessionList } from './list.ts'
import type { RatesParts } from './rates.ts'
import { attendanceRefusals } from './refusals.ts'
import { listedSession } from './resources.ts'
import { type SessionCallsParts, sessionCalls } from './sessions.ts'

export interface AttendanceRoutesParts extends SessionCallsParts, CsvRouteParts, RatesParts {
  readonly sessions: SessionList
  readonly overrunMinutes: number
  readonly limit: Pick<ActiveLimit, 'within'>
}

const SESSIONS = '/api/v1/courses/{course_id}/attendance-sessions'
const DEFAULT_MINUTES = 60
const minutes = z.number().int().max(1_440)

/** Attendance sessions: started, marked and ended by teachers, checked in to by students, read by both. */
export function attendanceRoutes(app: OpenAPIHono<HttpEnv>, parts: AttendanceRoutesParts): void {
  const { access, sessions, admission, overrunMinutes, limit, zone, now } = parts
  const { act, list } = resources(app, attendanceRefusals)
  const calls = sessionCalls(parts)

  act(
    {
      method: 'post',
      path: SESSIONS,
      summary: 'Start an attendance session (teachers of the course)',
      description: 'Started',
      params: { course_id: idText },
      body: fields({
        planned_minutes: minutes.min(1).optional().openapi({ default: DEFAULT_MINUTES }),
        check_in_mode: z.enum(CHECK_IN_MODES).optional().openapi({ default: 'code' }),
        late_after_minutes: minutes
          .min(0)
          .nullish()
          .openapi({ description: 'whoever checks in later than that is late' }),
      }),
      bodyRequired: false,
      data: Session,
      status: 201,
    },
    async ({ identity, by, call, params: { course_id: courseId }, body }) => {
      const course = await access.course(courseId, by)
      if (course instanceof Refusal) return course
      const plan = {
        courseId,
        plannedMinutes: body.planned_minutes ?? DEFAULT_MINUTES,
        checkIn: body.check_in_mode ?? 'code',
        lateAfterMinutes: body.late_after_minutes ?? null,
      }
      const teacherName = displayNameOf(by.id, identity.profile)
      const who = { teaches: teaches(course, by), teacherName, secret: newSecret(), overrunMinutes, by, at: now() }
      const id = idFor('attendance', by, call)
      const command = { type: 'StartAttendance', ...plan, ...who } as const
      const answer = await limit.within(courseId, id, call.repeated === true, () =>
        admission.ask('attendance', id, command, { ...call, payload: plan }),
      )
      return answer instanceof Refusal ? answer : calls.report({ id }, by)
    },
  )

  list(
    {
      method: 'get',
      path: SESSIONS,
      summary:
        'The attendance sessions of a course, without their marks, the latest first (its students, ' +
        'its teachers, admins)',
      description: 'Sessions',
      params: { course_id: idText },
      query: { ...termIn(zone), state: z.enum(STATES).optional(), limit: pageLimit(200, 50), after: next },
      items: ListedSession,
    },
    async ({ by, params: { course_id: courseId }, query: { limit, after, ...filter } }) => {
      const course = await access.visible(courseId, by)
      if (course instanceof Refusal) return course
      const { state, from, to } = filter
      return listed(await sessions.list({ org: by.org, courseId, state, from, to }, limit, after), listedSession)
    },
  )

  csvRoute(app, parts)
  rateRoutes(app, parts)
  sessionRoutes(app, calls)
}
