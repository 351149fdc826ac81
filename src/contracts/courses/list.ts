import { type AttendanceSessionRow, attendanceSessions } from '../../../projections/attendance-sessions.ts'
import { type CourseRow, courses } from '../../../projections/courses.ts'
import { pageOf, type Views } from '../../gateway/http/pages.ts'
import type { SessionList } from '../attendance/http.ts'
import type { CourseList } from './http.ts'

/** Lists courses from the live view, by their creation. `upTo` tells the position that it has to show first. */
export function courseList(views: Views, upTo: () => bigint): CourseList {
  return {
    list({ org, role, id }, limit, after) {
      const prefix = role === 'admin' ? `all/${org}/` : `${role}/${org}/${id}/`
      return pageOf<CourseRow>(views, {
        view: courses.name,
        upTo: upTo(),
        prefix,
        from: undefined,
        to: undefined,
        after,
        limit,
      })
    },
  }
}

/** The same for the attendance sessions of a course, by their start. */
export function sessionList(views: Views, upTo: () => bigint): SessionList {
  return {
    list({ org, courseId, state, from, to }, limit, after) {
      const prefix = state === undefined ? `course/${org}/${courseId}/` : `state/${org}/${courseId}/${state}/`
      return pageOf<AttendanceSessionRow>(views, {
        view: attendanceSessions.name,
        upTo: upTo(),
        prefix,
        from,
        to,
        after,
        limit,
      })
    },
  }
}
