import type { AttendanceEvent, MarkStatus } from '../../machines/attendance/events.ts'
import { unreachable } from '../../machines/kernel.ts'
import { ATTENDANCE_STREAM, type AttendanceSessionRow, attendanceSessions } from '../../projections/attendance-sessions.ts'
import type { Told } from '../../projections/projection.ts'
import type { Log } from '../log/log.ts'

/** What was once said of a student: `seq` is the revision of the event that says so. */
export interface Fact {
  readonly status: MarkStatus
  readonly via: 'code' | 'teacher'
  readonly by: string
  readonly at: number
  readonly reason: string | null
  readonly seq: number
}

/** A session and all that was ever said of its students, as of one of its events. */
export interface AttendanceReport {
  readonly row: AttendanceSessionRow
  /** By student, in the order in which it was said: the last one counts. Never empty. */
  readonly marks: ReadonlyMap<string, readonly Fact[]>
}

/** The session after its event `seq` (default: the last), from the log alone; undefined when it has no such event. */
export async function attendanceAt(log: Log, id: string, seq?: number): Promise<AttendanceReport | undefined> {
  let row: AttendanceSessionRow | undefined
  const marks = new Map<string, Fact[]>()
  for await (const batch of log.read(ATTENDANCE_STREAM + id, seq === undefined ? {} : { limit: seq + 1 })) {
    for (const told of batch as unknown as readonly Told<AttendanceEvent>[]) {
      // of a session's stream
      row = attendanceSessions.fold(row, told)
      const said = factOf(told)
      if (!said) continue
      const before = marks.get(said.studentId)
      if (before) before.push(said.fact)
      else marks.set(said.studentId, [said.fact])
    }
  }
  return row === undefined || (seq !== undefined && row.seq !== seq) ? undefined : { row, marks }
}

/** What an event says of a student; undefined when it is about the session itself. */
export function factOf({
  event,
  revision: seq,
}: Pick<Told<AttendanceEvent>, 'event' | 'revision'>): { readonly studentId: string; readonly fact: Fact } | undefined {
  switch (event.type) {
    case 'StudentMarked': {
      const { studentId, status, via, by, at, reason } = event
      return { studentId, fact: { status, via, by, at, reason, seq } }
    }
    case 'MarkCorrected': {
      const { studentId, status, by, at, reason } = event
      return { studentId, fact: { status, via: 'teacher', by, at, reason, seq } }
    }
    case 'AttendanceStarted':
    case 'AttendanceEnded':
      return undefined
    default:
      return unreachable(event)
  }
}
