import type { EventSchema, Role } from '../kernel.ts'

/**
 * What happens in a lesson, in the stream `lesson-<id>`. All times are milliseconds since 1970. A presence in a lesson
 * begins with ParticipantJoined and ends with ParticipantLeft, or with LessonEnded for everybody who is in.
 */
export type LessonEvent =
  | {
      readonly type: 'LessonScheduled'
      readonly org: string
      readonly teacherId: string
      readonly title: string
      readonly startsAt: number
      readonly plannedMinutes: number
      readonly code: string
      /** When it is called off if nobody starts it; lessons of older releases: a day after `startsAt`. */
      readonly callOffAt?: number
    }
  /** The whole plan after the change. */
  | {
      readonly type: 'LessonPlanChanged'
      readonly title: string
      readonly startsAt: number
      readonly plannedMinutes: number
      readonly callOffAt: number
    }
  /**
   * `dueAt`: when it will be ended for whoever forgets to; recorded, so that another setting never moves the end of a
   * lesson that runs.
   */
  | { readonly type: 'LessonStarted'; readonly at: number; readonly dueAt: number }
  /**
   * `by`: who ended it, null for Lyceum itself, which does so at exactly `dueAt` (`not-started`: at `callOffAt`),
   * however late it comes to it.
   */
  | {
      readonly type: 'LessonEnded'
      readonly reason: LessonEndReason
      readonly by: string | null
      readonly at: number
    }
  | ParticipantJoined
  /**
   * Somebody who was in came back after `awayMs`. It changes no interval: who had left joins (again) by the event
   * before.
   */
  | {
      readonly type: 'ParticipantReconnected'
      readonly participantId: string
      readonly role: Role
      readonly awayMs: number
      readonly at: number
      /** The time of the loss, as their presence has it, which tells it from others. Histories of before have none. */
      readonly lostAt?: number
    }
  | ParticipantLeft
  /** A TeacherHub that names the lesson looks on for the first time: it takes no part, and nobody is told. */
  | { readonly type: 'HubJoined'; readonly hubId: string; readonly role: Role; readonly at: number }
  /** It is there again and had no other connection here. `awayMs`: since it was last there, null when nobody knows. */
  | {
      readonly type: 'HubReconnected'
      readonly hubId: string
      readonly role: Role
      readonly awayMs: number | null
      readonly at: number
    }

export type LessonEndReason = 'ended' | 'overrun' | 'not-started'

/** When a lesson is called off that nobody starts. */
export const callOffAtOf = ({ startsAt, callOffAt = startsAt + DAY_MS }: LessonScheduled): number => callOffAt

const DAY_MS = 86_400_000

type LessonScheduled = Extract<LessonEvent, { readonly type: 'LessonScheduled' }>

export type ParticipantJoined = {
  readonly type: 'ParticipantJoined'
  readonly participantId: string
  readonly role: Role
  readonly name: string | null
  readonly at: number
  /** Where their presence is recorded: `presence-<home>.<participantId>`; the lesson's organisation but for guests. */
  readonly home: string
  /** When the presence began in which they joined (its CameOnline): its end is the end of their being in the lesson. */
  readonly presence: number
  /**
   * Losses of this presence up to then were over when they joined. It is a time of the presence, and not of the lesson:
   * two nodes' clocks may have written those. Histories of before have none.
   */
  readonly backUntil?: number
}

/**
 * `at`: when they really left; for a lost connection, when it was lost. `asked`: by `leave_lesson`, so that only
 * joining anew brings them back; not by closing their last connection.
 */
export type ParticipantLeft = {
  readonly type: 'ParticipantLeft'
  readonly participantId: string
  readonly reason: LeaveReason
  readonly at: number
  readonly asked?: true
}

/** `disconnected`: lost and not back in time. Closing one's last connection is leaving. */
export type LeaveReason = 'left' | 'disconnected'

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const lessonEvents: Record<LessonEvent['type'], EventSchema> = {
  LessonScheduled: plain,
  LessonPlanChanged: plain,
  LessonStarted: plain,
  LessonEnded: plain,
  ParticipantJoined: { ...plain, personal: ['name'] },
  ParticipantReconnected: plain,
  ParticipantLeft: plain,
  HubJoined: plain,
  HubReconnected: plain,
}
