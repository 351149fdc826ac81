import { z } from 'zod'
import type { Shape } from '../../delivery/contract.ts'
import { eventRefShape as ref, isoShape as time } from '../shared/wire-shapes.ts'
import type { AttendanceWire } from './wire.ts'

const session = {
  ...ref,
  course_id: z.string(),
  session_id: z.string(),
  teacher_id: z.string(),
  teacher_name: z.string(),
}
const count = z.int().min(0)
const active = z.strictObject({ sessionId: z.string(), teacherId: z.string(), studentCount: count, startedAt: time })

/** The shape of everything that this contract pushes. */
export const attendanceShapes: { readonly [Name in keyof AttendanceWire]: Shape<AttendanceWire[Name]> } = {
  courseSessionStarted: z.strictObject({ ...session, started_by: z.string(), started_at: time }),
  courseSessionEnded: z.strictObject({
    ...session,
    final_statistics: z.strictObject({ total: count, present: count, absent: count }),
    ended_by: z.string(),
    ended_at: time,
  }),
  activeSessionsData: z.strictObject({ ...ref, course_id: z.string(), activeSessions: z.array(active).readonly() }),
}
