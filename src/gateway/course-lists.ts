import { type AttendanceSessionRow, attendanceSessions } from '../../projections/attendance-sessions.ts'
import { type CourseRow, courses } from '../../projections/courses.ts'
import type { Keeper } from '../views/keeper.ts'
import type { Entry } from '../views/store.ts'
import type { SessionFilter, SessionList } from './http-attendance.ts'
import type { CourseList } from './http-courses.ts'

/** As for chats: who was acknowledged something waits so long to find it listed, then is shown what there is. */
const PATIENCE_MS = 1_000

type Views = Pick<Keeper, 'scan' | 'reached'>

/** Lists courses from the live view. `upTo` tells the position that it has to show first. */
export function courseList(views: Views, upTo: () => bigint): CourseList {
  return {
    async list({ org, role, id }, limit, after) {
      await views.reached(courses.name, upTo(), PATIENCE_MS)
      const prefix = role === 'admin' ? `all/${org}/` : `${role}/${org}/${id}/`
      const { rows, next } = await page<CourseRow>(views, courses.name, prefix, limit, { to: after })
      return { courses: rows, ...next }
    },
  }
}

/** The same for the attendance sessions of a course. */
export function sessionList(views: Views, upTo: () => bigint): SessionList {
  return {
    async list({ org, courseId, state, from, to }: SessionFilter, limit, after) {
      await views.reached(attendanceSessions.name, upTo(), PATIENCE_MS)
      const prefix = state === undefined ? `course/${org}/${courseId}/` : `state/${org}/${courseId}/${state}/`
      const bounds = { from: moment(from), to: after ?? moment(to) }
      const { rows, next } = await page<AttendanceSessionRow>(views, attendanceSessions.name, prefix, limit, bounds)
      return { sessions: rows, ...next }
    },
  }
}

interface Bounds {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** The last `limit` rows under a prefix that stand before `to`, the last first. */
async function page<R>(views: Views, view: string, prefix: string, limit: number, { from = '', to = '~' }: Bounds) {
  const range = { from: prefix + from, to: prefix + to, limit: limit + 1, backwards: true }
  const { entries } = await views.scan(view, range)
  const shown = entries.slice(0, limit)
  // The view's rows, but for parked ones, are what its projection folds; parked ones stand under no prefix of these.
  const rows = shown.map(({ key, row }: Entry) => [key, row as unknown as R] as const)
  const last = shown.at(-1)
  return { rows, next: entries.length > limit && last ? { next: last.index.slice(prefix.length) } : {} }
}

const moment = (milliseconds: number | undefined): string | undefined =>
  milliseconds === undefined ? undefined : String(Math.max(0, milliseconds)).padStart(14, '0')
