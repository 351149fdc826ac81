import type { MarkStatus } from '../../../machines/attendance/events.ts'
import type { EventOf } from '../../../machines/catalogue.ts'
import { unreachable } from '../../../machines/kernel.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import { type AttendanceSessionRow, attendanceSessions } from '../../../projections/attendance-sessions.ts'
import { foldStream } from '../../log/fold-stream.ts'
import type { Log, Recorded } from '../../log/log.ts'

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

/** A report that goes on: its marks grow in place. */
export interface GrowingReport {
  readonly row: AttendanceSessionRow
  readonly marks: Map<string, Fact[]>
}

/** The session after its event `seq`, from the log alone; undefined when it has no such event. */
export async function attendanceAt(log: Log, id: string, seq: number): Promise<AttendanceReport | undefined> {
  return (await foldStream(log, streamName('attendance', id), grow, { upTo: seq }))?.state
}

/** The report after one more event of its session. */
export function grow(before: GrowingReport | undefined, recorded: Recorded): GrowingReport | undefined {
  if (!isOf('attendance', recorded)) return before
  const row = attendanceSessions.fold(before?.row, recorded)
  if (!row) return before
  const marks = before?.marks ?? new Map<string, Fact[]>()
  const said = factOf(recorded)
  if (said) {
    const theirs = marks.get(said.studentId)
    if (theirs) theirs.push(said.fact)
    else marks.set(said.studentId, [said.fact])
  }
  return { row, marks }
}

type Said = { readonly studentId: string; readonly fact: Fact } | undefined
type AttendanceEvent = EventOf<'attendance'>

/** What an event says of a student; undefined when it is about the session itself. */
export function factOf({ event, revision: seq }: { readonly event: AttendanceEvent; readonly revision: number }): Said {
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
    case 'AttendanceCalledOff':
      return undefined
    default:
      return unreachable(event)
  }
}
