import type { AttendanceEvent, CheckInMode } from '../machines/attendance/events.ts'
import { counts, isPresent } from '../machines/attendance/marks.ts'
import { type Recorded, unreachable } from '../machines/kernel.ts'
import { projectionOf } from './projection.ts'

/**
 * One attendance session with its counts, as lists and watchers see it; the marks are told by its own stream. Times are
 * milliseconds since 1970.
 */
export interface AttendanceSessionRow {
  readonly seq: number
  readonly org: string
  readonly courseId: string
  /** Who started it. */
  readonly teacherId: string
  readonly teacherName: string
  readonly plannedMinutes: number
  readonly checkIn: CheckInMode
  readonly lateAfterMinutes: number | null
  readonly state: 'active' | 'ended' | 'called_off'
  readonly startedAt: number
  /** When it is ended at the latest. */
  readonly dueAt: number
  /** Marks that are present or late, and count. */
  readonly present: number
  /** Those that do not count. Default: 0. */
  readonly strangersPresent?: number
  readonly ended: EndedAttendance | null
  readonly calledOff?: CalledOffAttendance
}

/** Everybody who is marked present or late, whether they count or not. */
export const studentCountOf = ({
  present,
  strangersPresent = 0,
}: Pick<AttendanceSessionRow, 'present' | 'strangersPresent'>): number => present + strangersPresent

interface CalledOffAttendance {
  readonly at: number
  readonly by: string
  readonly byName: string
}

export interface EndedAttendance {
  readonly at: number
  readonly reason: 'ended' | 'overrun'
  /** Who ended it; null for Lyceum itself. */
  readonly by: string | null
  readonly byName: string | null
  /** Students enrolled at the end, as revision `courseSeq` of the course's stream has them. */
  readonly total: number
  readonly courseSeq: number
  /** Marked, but not enrolled any more when it ended: they do not count. */
  readonly strangers: readonly string[]
}

export const attendanceSessions = projectionOf<AttendanceSessionRow, 'attendance'>('attendance', {
  name: 'attendance-sessions',
  version: 2,
  fold,
  index(id, { org, courseId, state, startedAt }) {
    const when = `${String(startedAt).padStart(14, '0')}/${id}`
    return [
      `course/${org}/${courseId}/${when}`,
      `state/${org}/${courseId}/${state}/${when}`,
      ...(state === 'active' ? [`active/${id}`] : []),
    ]
  },
})

function fold(
  row: AttendanceSessionRow | undefined,
  { event, revision: seq, stream }: Recorded<AttendanceEvent>,
): AttendanceSessionRow {
  if (event.type === 'AttendanceStarted') {
    const {
      org,
      courseId,
      teacherId,
      teacherName,
      plannedMinutes,
      checkIn,
      lateAfterMinutes,
      at: startedAt,
      dueAt,
    } = event
    const plan = { org, courseId, teacherId, teacherName, plannedMinutes, checkIn, lateAfterMinutes }
    return {
      seq,
      ...plan,
      state: 'active',
      startedAt,
      dueAt,
      present: 0,
      ended: null,
    }
  }
  if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before AttendanceStarted`)
  switch (event.type) {
    case 'StudentMarked':
      return counted(row, seq, event.studentId, isPresent(event) ? 1 : 0)
    case 'MarkCorrected': {
      const { was, studentId } = event
      return counted(row, seq, studentId, (isPresent(event) ? 1 : 0) - (was !== null && isPresent(was) ? 1 : 0))
    }
    case 'AttendanceEnded': {
      const { at, reason, by, byName, total, present, courseSeq, strangers } = event
      const ended = { at, reason, by, byName, total, courseSeq, strangers }
      return { ...row, seq, state: 'ended', present, ...ofStrangers(row.present - present), ended }
    }
    case 'AttendanceCalledOff': {
      const { at, by, byName } = event
      return { ...row, seq, state: 'called_off', calledOff: { at, by, byName } }
    }
    default:
      return unreachable(event)
  }
}

/** `change`: by how much there are more who are present, 0 or more or less than 0. */
function counted(row: AttendanceSessionRow, seq: number, studentId: string, change: number): AttendanceSessionRow {
  if (counts(row.ended, studentId)) return { ...row, seq, present: row.present + change }
  const { strangersPresent = 0, ...rest } = row
  return { ...rest, seq, ...ofStrangers(strangersPresent + change) }
}

const ofStrangers = (present: number) => (present === 0 ? {} : { strangersPresent: present })
