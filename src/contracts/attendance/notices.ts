import type { AttendanceSessionRow } from '../../../projections/attendance-sessions.ts'
import type { EventRef, Notice } from '../../delivery/notice.ts'
import { iso } from '../shared/iso.ts'
import type { ActiveSessions, AttendanceWire } from './wire.ts'

/** A session after one of its events, which stands at `place`. */
export interface SessionThen {
  readonly id: string
  readonly row: AttendanceSessionRow
  readonly ref: EventRef
}

export function sessionStarted({ id, row, ref }: SessionThen): Notice<AttendanceWire> {
  const data = { ...ref, ...named(id, row), started_by: nameOf(row), started_at: iso(row.startedAt) }
  return { to: { kind: 'course', course: row.courseId }, name: 'courseSessionStarted', data }
}

/** Undefined for a session that is still active. */
export function sessionEnded({ id, row, ref }: SessionThen): Notice<AttendanceWire> | undefined {
  if (!row.ended) return undefined
  const { at, by, byName, total } = row.ended
  const data = {
    ...ref,
    ...named(id, row),
    final_statistics: { total, present: row.present, absent: total - row.present },
    ended_by: byName || by || 'system',
    ended_at: iso(at),
  }
  return { to: { kind: 'course', course: row.courseId }, name: 'courseSessionEnded', data }
}

export function activeSessions(courseId: string, sessions: Iterable<SessionThen>, ref: EventRef): ActiveSessions {
  const ordered = [...sessions].sort((a, b) => a.row.startedAt - b.row.startedAt || (a.id < b.id ? -1 : 1))
  return {
    ...ref,
    course_id: courseId,
    activeSessions: ordered.map(({ id, row: { teacherId, present, startedAt } }) => ({
      sessionId: id,
      teacherId,
      studentCount: present,
      startedAt: iso(startedAt),
    })),
  }
}

/** A name that was erased leaves the id. */
const nameOf = ({ teacherId, teacherName }: AttendanceSessionRow): string => teacherName || teacherId

function named(id: string, row: AttendanceSessionRow) {
  return { course_id: row.courseId, session_id: id, teacher_id: row.teacherId, teacher_name: nameOf(row) }
}
