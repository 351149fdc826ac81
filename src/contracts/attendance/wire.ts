import type { EventRef } from '../../delivery/notice.ts'

/** Every name that contract 004 pushes to those who have subscribed to a course. Times are ISO-8601 UTC. */
export interface AttendanceWire {
  readonly courseSessionStarted: EventRef & SessionOnWire & { readonly started_by: string; readonly started_at: string }
  readonly courseSessionEnded: EventRef &
    SessionOnWire & {
      readonly final_statistics: FinalStatistics
      /** `system` when nobody ended it in time. */
      readonly ended_by: string
      readonly ended_at: string
      /** It was called off: nobody counts in it. */
      readonly called_off?: true
    }
  readonly activeSessionsData: ActiveSessions
}

interface SessionOnWire {
  readonly course_id: string
  readonly session_id: string
  readonly teacher_id: string
  readonly teacher_name: string
}

export interface FinalStatistics {
  /** Enrolled when it ended. */
  readonly total: number
  readonly present: number
  readonly absent: number
}

/**
 * A course's sessions that are active, all of them: `activeSessionsData`, and `activeSessionsResponse` to whoever asks.
 * `id`, `seq` and `pos` are those of the newest event that it shows; of the course's own last event where no session
 * has been heard of.
 */
export interface ActiveSessions extends EventRef {
  readonly course_id: string
  /** By their start, then by their id. */
  readonly activeSessions: readonly ActiveSession[]
}

export interface ActiveSession {
  readonly sessionId: string
  readonly teacherId: string
  /** How many are present so far. */
  readonly studentCount: number
  readonly startedAt: string
}

/** `activeSessionsError`: why something was refused, or why there will be no more pushes of a course. */
export interface ActiveSessionsError {
  readonly message: string
  readonly code: string
  /** Absent where the request did not name one. */
  readonly course_id?: string
}
