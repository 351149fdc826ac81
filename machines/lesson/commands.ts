import type { Command, Role } from '../kernel.ts'
import type { OfflineReason } from '../presence/events.ts'
import type { LeaveReason } from './events.ts'

/** Somebody in the lesson whose connection is lost as it ends: they were there until `lostAt`. */
export interface LostParticipant {
  readonly participantId: string
  readonly lostAt: number
}

/** Times in milliseconds since 1970. `presence` tells presences of one person apart: it is when theirs began. */
export type LessonCommand = Command &
  (
    | {
        readonly type: 'ScheduleLesson'
        readonly title: string
        readonly startsAt: number
        readonly plannedMinutes: number
        readonly code: string
        /** So long after its planned start, or after this command, it is called off if nobody starts it. */
        readonly callOffHours: number
      }
    /** Another title or time; what is left out stays. */
    | {
        readonly type: 'ChangeLessonPlan'
        readonly title?: string | undefined
        readonly startsAt?: number | undefined
        readonly plannedMinutes?: number | undefined
        readonly callOffHours: number
      }
    | { readonly type: 'StartLesson'; readonly overrunMinutes: number }
    | { readonly type: 'EndLesson'; readonly lost: readonly LostParticipant[] }
    /** Lyceum ends what nobody has ended, and calls off what nobody has started; too early it changes nothing. */
    | { readonly type: 'EndOverdueLesson'; readonly lost: readonly LostParticipant[] }
    | JoinLesson
    /** By the participant, or by Lyceum for one whose presence `presence` is over. */
    | {
        readonly type: 'LeaveLesson'
        readonly participantId: string
        readonly presence: number | null
        readonly reason: LeaveReason
        readonly leftAt: number
      }
    /** By Lyceum: a participant is back from a loss, by the times of their presence. */
    | {
        readonly type: 'ResumeLesson'
        readonly participantId: string
        readonly role: Role
        readonly presence: number
        readonly lostAt: number
        readonly backAt: number
        /** It was heard while the lesson was live, so that no clocks have to be compared. */
        readonly isDuring: boolean
      }
    /**
     * By a TeacherHub whose connection names this lesson. `elsewhere`: it has another open connection that does.
     * `awayMs`: since the last one was open, null when nobody knows.
     */
    | { readonly type: 'LookOn'; readonly elsewhere: boolean; readonly awayMs: number | null }
  )

export type JoinLesson = Command & {
  readonly type: 'JoinLesson'
  readonly name: string | null
  /** They know the lesson's code. */
  readonly invited: boolean
  /** Belongs to no organisation: let in by the code only, or back in. */
  readonly guest: boolean
  /** The connection says that it goes on with this lesson (`lesson_id` in the handshake). */
  readonly resume: boolean
  readonly presence: number
  /** When they last came back from a loss within this presence; null: they never did. */
  readonly backAt: number | null
  /** The presence before, when there was one. */
  readonly past: { readonly since: number; readonly until: number; readonly reason: OfflineReason } | null
}
