import type { AttendanceSessionRow } from '../../../projections/attendance-sessions.ts'
import type { Change } from '../../delivery/feed.ts'
import { type Audience, type EventRef, eventRef, type Notice, type RoomName } from '../../delivery/notice.ts'
import { iso } from '../shared/iso.ts'
import type { ActiveSessions, AttendanceWire } from './wire.ts'

/** Those who have subscribed to a course. */
export const courseRoom = (course: string): RoomName => `course ${course}`
const toCourse = (course: string): Audience => ({ kind: 'course', room: courseRoom(course) })

/** The active sessions of a course, as they stand when this is called. */
export type SessionsNow = (course: string, otherwise: EventRef) => ActiveSessions

/** A start and an end are told, each followed by how the course's sessions stand; so is a change of a count. */
export function sessionNotices(
  { key: id, recorded, before, after }: Change<AttendanceSessionRow>,
  now: SessionsNow,
): readonly Notice<AttendanceWire>[] {
  // What is called off after its end is no news: whoever watches was told that it is over.
  if (before && before.state !== 'active') return []
  if (!after || (before && before.state === after.state && before.present === after.present)) return []
  const to = toCourse(after.courseId)
  const ref = eventRef(recorded)
  const standing: Notice<AttendanceWire> = {
    to,
    name: 'activeSessionsData',
    latest: true,
    // Read when it goes out: of many who check in within one pace only the last count is written.
    get data() {
      return now(after.courseId, ref)
    },
  }
  if (!before) {
    const data = { ...ref, ...named(id, after), started_by: nameOf(after), started_at: iso(after.startedAt) }
    return [{ to, name: 'courseSessionStarted', data }, standing]
  }
  const data = endedData(id, after, ref)
  return data ? [{ to, name: 'courseSessionEnded', data }, standing] : [standing]
}

/** Undefined for a session that is still active. */
function endedData(id: string, row: AttendanceSessionRow, ref: EventRef) {
  if (row.calledOff) {
    const { at, by, byName } = row.calledOff
    const nobody = { total: 0, present: 0, absent: 0 }
    const called = { final_statistics: nobody, ended_by: byName || by, ended_at: iso(at), called_off: true } as const
    return { ...ref, ...named(id, row), ...called }
  }
  if (!row.ended) return undefined
  const { at, by, byName, total } = row.ended
  return {
    ...ref,
    ...named(id, row),
    final_statistics: { total, present: row.present, absent: total - row.present },
    ended_by: byName || by || 'system',
    ended_at: iso(at),
  }
}

/** How a course's sessions stand; `ref` = the newest event that this shows. */
export function activeSessions(
  courseId: string,
  sessions: ReadonlyMap<string, AttendanceSessionRow>,
  ref: EventRef,
): ActiveSessions {
  const ordered = [...sessions].sort(([a, x], [b, y]) => x.startedAt - y.startedAt || (a < b ? -1 : 1))
  return {
    ...ref,
    course_id: courseId,
    activeSessions: ordered.map(([sessionId, { teacherId, present: studentCount, startedAt }]) => ({
      sessionId,
      teacherId,
      studentCount,
      startedAt: iso(startedAt),
    })),
  }
}

/** A name that was erased leaves the id. */
const nameOf = ({ teacherId, teacherName }: AttendanceSessionRow): string => teacherName || teacherId

function named(id: string, row: AttendanceSessionRow) {
  return { course_id: row.courseId, session_id: id, teacher_id: row.teacherId, teacher_name: nameOf(row) }
}
