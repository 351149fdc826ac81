import { type Recorded, unreachable } from '../../../machines/kernel.ts'
import type { LessonEvent } from '../../../machines/lesson/events.ts'
import type { Participant } from '../../../projections/lesson-participants.ts'
import { eventRef, type Notice } from '../../delivery/notice.ts'
import { iso } from '../shared/iso.ts'
import type { LessonWire, ParticipantEntry } from './wire.ts'

/**
 * An event that those in the lesson are told, together with the participant after it (null for the lesson's own
 * events).
 */
export interface LessonNews {
  readonly lesson: string
  readonly recorded: Recorded<LessonEvent>
  readonly who: Participant | null
}

/** Whose event it is; null for the lesson's own. */
export const participantIn = ({ event }: Recorded<LessonEvent>): string | null =>
  'participantId' in event ? event.participantId : null

/**
 * One push of consecutive news of one kind: several when they are of participants, else exactly one. Undefined when
 * nobody is told.
 */
export function lessonNotice(news: readonly LessonNews[]): Notice<LessonWire> | undefined {
  const last = news.at(-1)
  if (!last) return undefined
  const { lesson, recorded } = last
  const to = { kind: 'lesson', lesson } as const
  const place = { ...eventRef(recorded), lesson_id: lesson }
  const { event } = recorded
  switch (event.type) {
    case 'LessonScheduled':
    case 'HubJoined':
    case 'HubReconnected':
      return undefined
    case 'LessonStarted':
      return { to, name: 'lesson_started', data: { ...place, started_at: iso(event.at), due_at: iso(event.dueAt) } }
    case 'LessonEnded':
      return { to, name: 'lesson_ended', data: { ...place, ended_at: iso(event.at), reason: event.reason } }
    case 'ParticipantJoined':
      return { to, name: 'participant_joined', data: { ...place, participants: news.map(entryOf) } }
    case 'ParticipantLeft': {
      const participants = news.map((one) => ({ ...entryOf(one), reason: reasonOf(one) }))
      return { to, name: 'participant_left', data: { ...place, participants } }
    }
    case 'ParticipantReconnected': {
      const participants = news.map((one) => ({ ...entryOf(one), seconds_away: secondsOf(one) }))
      return { to, name: 'participant_reconnected', data: { ...place, participants } }
    }
    default:
      return unreachable(event)
  }
}

function entryOf({ recorded: { event, revision }, who }: LessonNews): ParticipantEntry {
  const at = 'at' in event ? event.at : 0 // every event of a participant has it
  return {
    participant_id: who?.id ?? '',
    role: who?.role ?? 'student',
    name: who?.name ?? null,
    at: iso(at),
    seq: revision,
  }
}

const reasonOf = ({ recorded: { event } }: LessonNews) => (event.type === 'ParticipantLeft' ? event.reason : 'left')
const secondsOf = ({ recorded: { event } }: LessonNews) =>
  event.type === 'ParticipantReconnected' ? event.awayMs / 1000 : 0
