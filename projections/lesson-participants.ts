import { type Role, unreachable } from '../machines/kernel.ts'
import type { LeaveReason, LessonEvent } from '../machines/lesson/events.ts'

/** A time present, milliseconds since 1970. `until` null = still there. */
export interface Interval {
  readonly from: number
  readonly until: number | null
  readonly reason: LeaveReason | 'lesson-ended' | null
}

/** One participant of one lesson, with everything that was recorded of them in it. */
export interface Participant {
  readonly id: string
  readonly role: Role
  readonly name: string | null
  /**
   * Their presence is recorded in `presence-<home>.<id>`; `presence` is when the one began in which they last joined.
   */
  readonly home: string
  readonly presence: number
  /** In order; only the last one can be open. */
  readonly intervals: readonly Interval[]
  readonly leaves: number
  readonly reconnects: number
  /** The last loss that they are recorded to be back from. */
  readonly lostAt: number | null
}

/**
 * The participant after one event of the lesson that is theirs, or that is everybody's (LessonEnded). The same object
 * when it changes nothing.
 */
export function attend(before: Participant | undefined, event: LessonEvent): Participant | undefined {
  switch (event.type) {
    case 'ParticipantJoined': {
      const { participantId: id, role, name, home, presence, at } = event
      const { leaves = 0, reconnects = 0, intervals = [] } = before ?? {}
      const who = { id, role, name: name ?? before?.name ?? null, home, presence }
      return {
        ...who,
        leaves,
        reconnects,
        lostAt: null,
        intervals: [...intervals, { from: at, until: null, reason: null }],
      }
    }
    case 'ParticipantLeft':
      return before && { ...closed(before, event.at, event.reason), leaves: before.leaves + 1 }
    case 'ParticipantReconnected':
      return (
        before && { ...before, role: event.role, reconnects: before.reconnects + 1, lostAt: event.at - event.awayMs }
      )
    case 'LessonEnded':
      return before && isPresent(before) ? closed(before, event.at, 'lesson-ended') : before
    case 'LessonScheduled':
    case 'LessonPlanChanged':
    case 'LessonStarted':
    case 'HubJoined':
    case 'HubReconnected':
      return before
    default:
      return unreachable(event)
  }
}

export const isPresent = ({ intervals }: Participant): boolean => intervals.at(-1)?.until === null

/**
 * Milliseconds present in all, open intervals up to `now`. Who comes before the lesson starts waits: that counts from
 * `startedAt` only, and in a lesson that never started (null) not at all.
 */
export function presentMs({ intervals }: Participant, startedAt: number | null, now: number): number {
  if (startedAt === null) return 0
  return intervals.reduce((sum, { from, until }) => sum + Math.max(0, (until ?? now) - Math.max(from, startedAt)), 0)
}

function closed(before: Participant, at: number, reason: Interval['reason']): Participant {
  const last = before.intervals.at(-1)
  if (last?.until !== null) return before
  return {
    ...before,
    intervals: [...before.intervals.slice(0, -1), { from: last.from, until: Math.max(at, last.from), reason }],
  }
}
