import { randomUUID } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { AttendanceSessionRow } from '../../../projections/attendance-sessions.ts'
import { partyOf } from '../../gateway/auth/authenticator.ts'
import { failed, refused, tooOften } from '../../gateway/http/errors.ts'
import { addressOf, callOf, type HttpEnv } from '../../gateway/http/middleware.ts'
import type { Page } from '../../gateway/http/pages.ts'
import type { Call } from '../../runtime/answer.ts'
import { derivedId } from '../../runtime/ids.ts'
import { teaches } from '../courses/access.ts'
import { displayNameOf } from '../shared/people.ts'
import { newSecret } from './check-in-codes.ts'
import { attendanceCsv } from './csv.ts'
import { attendanceSentences } from './inbound.ts'
import { listedSession } from './resources.ts'
import { courseCsv, listSessions, SESSION_PATHS, sessionRoutes, startSession } from './routes.ts'
import { type SessionCallsParts, sessionCalls } from './sessions.ts'

/** Which sessions of a course to list, the latest first. Times in milliseconds since 1970; `to` exclusive. */
export interface SessionFilter {
  readonly org: string
  readonly courseId: string
  readonly state: AttendanceSessionRow['state'] | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

export interface SessionList {
  list(filter: SessionFilter, limit: number, after: string | undefined): Promise<Page<AttendanceSessionRow>>
}

export interface AttendanceRoutesParts extends SessionCallsParts {
  readonly sessions: SessionList
  readonly overrunMinutes: number
}

/** Attendance sessions: started, marked and ended by teachers, checked in to by students, read by both. */
export function attendanceRoutes(app: OpenAPIHono<HttpEnv>, parts: AttendanceRoutesParts): void {
  const { access, sessions, admission, overrunMinutes, now } = parts
  const session = sessionCalls(parts)

  app.openapi(startSession, async (c) => {
    const identity = c.get('identity')
    const by = partyOf(identity)
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { course_id: courseId } = c.req.valid('param')
    const course = await access.course(courseId, by)
    if (course instanceof Refusal) return refused(c, course, SENTENCES)
    const asked = c.req.valid('json')
    const plan = {
      courseId,
      plannedMinutes: asked.planned_minutes ?? DEFAULT_MINUTES,
      checkIn: asked.check_in_mode ?? 'code',
      lateAfterMinutes: asked.late_after_minutes ?? null,
    }
    const teacherName = displayNameOf(by.id, identity.profile)
    const who = { teaches: teaches(course, by), teacherName, secret: newSecret(), overrunMinutes, by, at: now() }
    const id = sessionIdFor(by, call)
    const answer = await admission.ask(
      'attendance',
      id,
      { type: 'StartAttendance', ...plan, ...who },
      { ...call, payload: plan },
    )
    const report = answer instanceof Refusal ? answer : await session.report({ id }, by)
    return report instanceof Refusal ? refused(c, report, SENTENCES) : c.json({ data: report }, 201)
  })

  app.openapi(listSessions, async (c) => {
    const by = partyOf(c.get('identity'))
    const { course_id: courseId } = c.req.valid('param')
    const { state, from, to, limit, after } = c.req.valid('query')
    const course = await access.visible(courseId, by)
    if (course instanceof Refusal) return refused(c, course, SENTENCES)
    const page = await sessions.list({ org: by.org, courseId, state, from, to }, limit, after)
    const data = page.rows.map(([id, row]) => listedSession(id, row))
    return c.json(page.next === undefined ? { data } : { data, next: page.next }, 200)
  })

  app.openapi(courseCsv, async (c) => {
    const by = partyOf(c.get('identity'))
    const { course_id: courseId } = c.req.valid('param')
    const course = await access.taught(courseId, by)
    if (course instanceof Refusal) return refused(c, course, SENTENCES)
    const { from, to } = c.req.valid('query')
    const filter = { org: by.org, courseId, state: undefined, from, to }
    const page = await sessions.list(filter, MAX_COLUMNS, undefined)
    if (page.next !== undefined) return refused(c, refuse('csv-too-large', { most: String(MAX_COLUMNS) }), SENTENCES)
    const ids = page.rows.map(([id]) => id)
    const name = `attendance-${courseId}.csv`
    const headers = {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${name}"`,
    }
    return c.text(await attendanceCsv(parts.log, courseId, ids), 200, headers)
  })

  for (const path of SESSION_PATHS) {
    const routes = sessionRoutes(path)

    app.openapi(routes.read, async (c) => {
      const report = await session.report(c.req.valid('param'), partyOf(c.get('identity')), c.req.valid('query').at)
      return report instanceof Refusal ? refused(c, report, SENTENCES) : c.json({ data: report }, 200)
    })

    app.openapi(routes.checkIn, async (c) => {
      const call = callOf(c)
      if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
      const { code } = c.req.valid('json')
      const mark = await session.checkIn(c.req.valid('param'), partyOf(c.get('identity')), code, addressOf(c), call)
      if (typeof mark === 'number') return tooOften(c, mark)
      return mark instanceof Refusal ? refused(c, mark, SENTENCES) : c.json({ data: mark }, 200)
    })

    app.openapi(routes.mark, async (c) => {
      const call = callOf(c)
      if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
      const { student_id: studentId, status, reason: why } = c.req.valid('json')
      const reason = why || null // a form's empty field is no reason
      const mark = await session.mark(
        c.req.valid('param'),
        partyOf(c.get('identity')),
        { studentId, status, reason },
        call,
      )
      return mark instanceof Refusal ? refused(c, mark, SENTENCES) : c.json({ data: mark }, 200)
    })

    app.openapi(routes.end, async (c) => {
      const call = callOf(c)
      if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
      const identity = c.get('identity')
      const byName = displayNameOf(identity.id, identity.profile)
      const report = await session.end(c.req.valid('param'), partyOf(identity), byName, call)
      return report instanceof Refusal ? refused(c, report, SENTENCES) : c.json({ data: report }, 200)
    })

    app.openapi(routes.code, async (c) => {
      const named = c.req.valid('param')
      const shown = await session.code(named, partyOf(c.get('identity')))
      return shown instanceof Refusal ? refused(c, shown, SENTENCES) : c.json({ data: { id: named.id, ...shown } }, 200)
    })
  }
}

const KEY_SHAPE = 'Idempotency-Key must be 1 to 128 printable ASCII characters'
const DEFAULT_MINUTES = 60
/** A term of a course that meets twice a day, and then some. */
const MAX_COLUMNS = 400
const SENTENCES = {
  ...attendanceSentences,
  'teachers-only': 'forbidden: this is for teachers of the course, and mostly for admins',
  'session-full': 'more than {most} students have a mark in this session: end it, and start another one',
  'csv-too-large': 'more than {most} sessions: ask for a shorter time, from and to',
  'no-such-event': 'this session has no event with that number: at goes from 0 to the seq of its last event',
}

/** With an `Idempotency-Key` it follows from the key, so that a repeat meets the same session. */
const sessionIdFor = ({ org, id }: Party, { clientId }: Call): string =>
  clientId === undefined ? randomUUID().replaceAll('-', '') : derivedId(`attendance ${org}.${id}\n${clientId}`)
