import type { Command } from '../kernel.ts'
import type { CheckInMode, MarkStatus } from './events.ts'

/** What the course's own room says of whoever asks: a session does not know the roster, and asks nobody. */
export interface InCourse {
  /** `by` is one of the course's teachers at the moment. */
  readonly teaches: boolean
}

/** Who is enrolled in the course, and at which revision of its stream that was read. */
export interface Roster {
  readonly courseSeq: number
  readonly students: readonly string[]
}

export type AttendanceCommand = Command &
  (
    | (InCourse & {
        readonly type: 'StartAttendance'
        readonly courseId: string
        readonly teacherName: string
        readonly plannedMinutes: number
        readonly overrunMinutes: number
        readonly checkIn: CheckInMode
        readonly lateAfterMinutes: number | null
        readonly secret: string
      })
    /** A student, for themself. */
    | {
        readonly type: 'CheckIn'
        readonly enrolled: boolean
        /** The code was this session's, and in its time. */
        readonly codeOk: boolean
      }
    | (InCourse & {
        readonly type: 'Mark'
        readonly studentId: string
        readonly status: MarkStatus
        readonly reason: string | null
        /**
         * The student is enrolled: at the moment, or at revision `courseSeq` of the course's stream, when the session
         * is known to have ended there.
         */
        readonly enrolled: boolean
        readonly courseSeq: number | null
      })
    | (InCourse & { readonly type: 'EndAttendance'; readonly byName: string; readonly roster: Roster })
    | (InCourse & { readonly type: 'CallOffAttendance'; readonly byName: string })
    /** Lyceum ends what nobody has ended; too early it changes nothing. */
    | { readonly type: 'EndOverdueAttendance'; readonly roster: Roster }
  )
