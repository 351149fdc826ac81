import { type AttendanceSessionRow, attendanceSessions } from '../../../projections/attendance-sessions.ts'
import { type Period, type TimeList, timeList } from '../../gateway/http/pages.ts'

/** Which sessions of a course to list, the latest first. */
export interface SessionFilter extends Period {
  readonly org: string
  readonly courseId: string
  readonly state: AttendanceSessionRow['state'] | undefined
  /** Without those that were called off. */
  readonly held?: true
}

export type SessionList = TimeList<AttendanceSessionRow, SessionFilter>

/** Lists the sessions of a course by their start. */
export const sessionList = timeList<AttendanceSessionRow, SessionFilter>({
  view: attendanceSessions.name,
  prefixFor: ({ org, courseId, state }) =>
    state === undefined ? `course/${org}/${courseId}/` : `state/${org}/${courseId}/${state}/`,
  passes: ({ state }, { held }) => !held || state !== 'called_off',
})
