import { type AttendanceSessionRow, attendanceSessions } from '../../../projections/attendance-sessions.ts'
import { LiveModel } from '../../delivery/live-model.ts'
import type { Log } from '../../log/log.ts'

/** The active sessions of one course. */
export const activeIn = (course: string): string => `course ${course}`

/** The sessions that are active, by id. A session that has ended is let go of. */
export const sessionsModel = (log: Log): LiveModel<AttendanceSessionRow> =>
  new LiveModel(log, {
    category: 'attendance',
    projection: attendanceSessions,
    keeps: ({ state }) => state === 'active',
    lists: (_, { courseId }) => [activeIn(courseId)],
    seeds: ['active/'],
    unknown: 'final',
    refs: true,
  })
