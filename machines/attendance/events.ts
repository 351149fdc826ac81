import type { EventSchema } from '../kernel.ts'

/** What a student can be marked as. Who is `late` is present. */
export type MarkStatus = 'present' | 'absent' | 'late' | 'excused'

/**
 * How students can be marked present: by a code that they type, besides the teacher's marks, or by the teacher alone.
 */
export type CheckInMode = 'code' | 'manual'

/** One attendance session of a course, in the stream `attendance-<id>`. Times in milliseconds since 1970. */
export type AttendanceEvent =
  /**
   * `secret` makes the codes for checking in and never leaves the server. `dueAt`: when the session is ended for
   * whoever forgets to; recorded, so that another setting never moves the end of a session that runs.
   */
  | {
      readonly type: 'AttendanceStarted'
      readonly org: string
      readonly courseId: string
      readonly teacherId: string
      readonly teacherName: string
      readonly plannedMinutes: number
      readonly checkIn: CheckInMode
      readonly lateAfterMinutes: number | null
      readonly secret: string
      readonly at: number
      readonly dueAt: number
    }
  /** A student's first mark, while the session was active. */
  | {
      readonly type: 'StudentMarked'
      readonly studentId: string
      readonly status: MarkStatus
      readonly via: 'code' | 'teacher'
      readonly by: string
      readonly at: number
      readonly reason: string | null
    }
  /**
   * Every later mark, and every mark after the end (`was` null: they had none). It carries what it corrects, so that
   * counts follow from the event alone. After the end only those can be marked who were enrolled when it ended, or who
   * had a mark by then.
   */
  | {
      readonly type: 'MarkCorrected'
      readonly studentId: string
      readonly status: MarkStatus
      readonly was: { readonly status: MarkStatus; readonly by: string; readonly at: number } | null
      readonly by: string
      readonly at: number
      readonly reason: string | null
    }
  /**
   * `by` and `byName`: who ended it, null for Lyceum itself, which does so at exactly `dueAt`, however late it comes to
   * it. `total`: the students enrolled then, as revision `courseSeq` of the course's stream has them; `present`: how
   * many of those. `strangers`: marked, but not enrolled any more; they do not count.
   */
  | {
      readonly type: 'AttendanceEnded'
      readonly reason: 'ended' | 'overrun'
      readonly by: string | null
      readonly byName: string | null
      readonly at: number
      readonly total: number
      readonly present: number
      readonly courseSeq: number
      readonly strangers: readonly string[]
    }
  /**
   * It was started by mistake, or not held: from now on it counts for nobody. What was said in it stays. It may have
   * ended before.
   */
  | { readonly type: 'AttendanceCalledOff'; readonly by: string; readonly byName: string; readonly at: number }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const attendanceEvents: Readonly<Record<AttendanceEvent['type'], EventSchema>> = {
  AttendanceStarted: { ...plain, personal: ['teacherName'] },
  StudentMarked: { ...plain, personal: ['reason'] },
  MarkCorrected: { ...plain, personal: ['reason'] },
  AttendanceEnded: { ...plain, personal: ['byName'] },
  AttendanceCalledOff: { ...plain, personal: ['byName'] },
}
