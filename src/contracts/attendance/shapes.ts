import { z } from 'zod'
import type { Shape } from '../../delivery/shape.ts'
import { eventRefShape as ref, isoShape as time } from '../shared/wire-shapes.ts'
import type { ActiveSessions, ActiveSessionsError, AttendanceWire } from './wire.ts'

const session = {
  ...ref,
  course_id: z.string(),
  session_id: z.string(),
  teacher_id: z.string(),
  teacher_name: z.string(),
}
const count = z.int().min(0)
const active = z
  .strictObject({ sessionId: z.string(), teacherId: z.string(), studentCount: count, startedAt: time })
  .meta({ id: 'ActiveSession' })
const activeSessions = { ...ref, course_id: z.string(), activeSessions: z.array(active).readonly() }

/** The shape of everything that this contract pushes. */
export const attendanceShapes: { readonly [Name in keyof AttendanceWire]: Shape<AttendanceWire[Name]> } = {
  courseSessionStarted: z
    .strictObject({ ...session, started_by: z.string(), started_at: time })
    .describe('To whoever watches the course: a session has begun.'),
  courseSessionEnded: z
    .strictObject({
      ...session,
      final_statistics: z.strictObject({ total: count, present: count, absent: count }),
      ended_by: z.string(),
      ended_at: time,
      called_off: z.literal(true).exactOptional(),
    })
    .describe(
      'To whoever watches the course: a session is over. `ended_by` is `system` when nobody ended it in time; with ' +
        '`called_off` it counts for nobody, and `final_statistics` are zeros.',
    ),
  activeSessionsData: z
    .strictObject(activeSessions)
    .describe('On subscribing, and after every change: all sessions of the course that are active.'),
}

/** What one connection is told besides. */
export const attendanceAnswers: {
  readonly activeSessionsResponse: Shape<ActiveSessions>
  readonly activeSessionsError: Shape<ActiveSessionsError>
} = {
  activeSessionsResponse: z
    .strictObject(activeSessions)
    .describe('To the connection that asked with `checkActiveSessions`: as `activeSessionsData`.'),
  activeSessionsError: z
    .strictObject({ message: z.string(), code: z.string(), course_id: z.string().exactOptional() })
    .describe('Why something was refused, besides the ack; or why there will be no more pushes of a course.'),
}
