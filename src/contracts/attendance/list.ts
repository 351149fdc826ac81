import { type AttendanceSessionRow, attendanceSessions } from '../../../projections/attendance-sessions.ts'
import { type Page, pageOf, type Views } from '../../gateway/http/pages.ts'

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

/**
 * Lists the sessions of a course from the live view, by their start. `upTo`: the position that it has to show first.
 */
export function sessionList(views: Views, upTo: () => bigint): SessionList {
  return {
    list({ org, courseId, state, from, to }, limit, after) {
      const prefix = state === undefined ? `course/${org}/${courseId}/` : `state/${org}/${courseId}/${state}/`
      const view = attendanceSessions.name
      return pageOf<AttendanceSessionRow>(views, { view, upTo: upTo(), prefix, from, to, after, limit })
    },
  }
}
