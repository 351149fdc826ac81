import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { MarkStatus } from '../../../machines/attendance/events.ts'
import { Refusal } from '../../../machines/kernel.ts'
import { displayNameOf } from '../../../machines/person/profile.ts'
import { sentenceOf } from '../../delivery/refusals.ts'
import { tooOften } from '../../gateway/http/errors.ts'
import { fields } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, idText } from '../../gateway/http/schemas.ts'
import { httpRefusals } from '../../gateway/refusals.ts'
import { CodeOfSession, MarkOfSession, MarkOrRefusal, marksBody, Session } from './http-shapes.ts'
import type { Marking } from './marking.ts'
import { attendanceRefusals } from './refusals.ts'
import type { SessionCalls } from './sessions.ts'

interface OneMark {
  readonly student_id: string
  readonly status: MarkStatus
  readonly reason?: string | null | undefined
}

// A form's empty field is no reason.
const markingOf = ({ student_id: studentId, status, reason }: OneMark): Marking => ({
  studentId,
  status,
  reason: reason || null,
})

function notMarked(student: string, refusal: Refusal) {
  const message = sentenceOf(refusal, { ...httpRefusals, ...attendanceRefusals }, (id) => id)
  return { student_id: student, error: { code: refusal.code, message } }
}

/** A session is reached below its course, where the course must be its own, and by itself. */
const AT_PATHS = {
  '/api/v1/courses/{course_id}/attendance-sessions/{id}': { course_id: idText, id: idText },
  '/api/v1/attendance-sessions/{id}': { id: idText },
} as const

/** Everything that is asked of one session, at both of its paths. */
export function sessionRoutes(app: OpenAPIHono<HttpEnv>, session: SessionCalls): void {
  const { act, read } = resources(app, attendanceRefusals)

  for (const [path, params] of Object.entries(AT_PATHS)) {
    read(
      {
        method: 'get',
        path,
        heavy: true,
        summary:
          'The report of a session, now or as of any of its events (students of the course, its teachers, admins)',
        description: 'The session',
        params,
        query: asOf,
        data: Session,
      },
      ({ by, params, query }) => session.report(params, by, query.at),
    )

    act(
      {
        method: 'delete',
        path,
        summary:
          'Call a session off that was started by mistake: it counts for nobody (teachers of the course, admins)',
        description: 'The session',
        params,
        data: Session,
      },
      ({ identity, by, call, params }) => session.callOff(params, by, displayNameOf(by.id, identity.profile), call),
    )

    act(
      {
        method: 'post',
        path: `${path}/check-in`,
        summary: 'Check in (students of the course, each for themselves)',
        description: 'The mark',
        params,
        body: fields({ code: z.string().max(64) }),
        data: MarkOfSession,
      },
      async ({ by, call, params, body, address }) => {
        const mark = await session.checkIn(params, by, body.code, address, call)
        return typeof mark === 'number' ? tooOften(mark) : mark
      },
    )

    act(
      {
        method: 'post',
        path: `${path}/marks`,
        summary: 'Mark a student or up to 500, or correct their marks (teachers of the course, admins)',
        description: 'The mark; of `marks` a list, in their order: each a mark, or why there is none',
        params,
        body: marksBody,
        data: z.union([MarkOfSession, z.array(MarkOrRefusal)]),
      },
      async ({ by, call, params, body: { marks, ...one } }) => {
        if (marks === undefined) return session.mark(params, by, markingOf(one as OneMark), call) // `marksBody` says so
        const answers = await session.markAll(params, by, marks.map(markingOf), call)
        if (answers instanceof Refusal) return answers
        return answers.map((answer, nth) =>
          answer instanceof Refusal ? notMarked(marks[nth]?.student_id ?? '', answer) : answer,
        )
      },
    )

    act(
      {
        method: 'post',
        path: `${path}/end`,
        summary: 'End a session (teachers of the course, admins)',
        description: 'The session',
        params,
        data: Session,
      },
      ({ identity, by, call, params }) => session.end(params, by, displayNameOf(by.id, identity.profile), call),
    )

    read(
      {
        method: 'get',
        path: `${path}/code`,
        summary: 'The code to check in with (teachers of the course, admins); a new one comes every 20 seconds',
        description: 'The code',
        params,
        data: CodeOfSession,
      },
      ({ by, params }) => session.code(params, by),
    )
  }
}
