import { type Recorded, unreachable } from '../../machines/kernel.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { ANONYMOUS } from '../../machines/presence/anonymous.ts'
import type { PresenceEvent } from '../../machines/presence/events.ts'
import { idIn, isOf, personIn } from '../../machines/stream.ts'
import type { Pseudonyms } from './pseudonyms.ts'

/** One event as Mixpanel takes it. Two with the same name, distinct id, time and insert id are one event there. */
export interface MixpanelEvent {
  readonly event: 'connect' | 'reconnect' | 'lesson_started' | 'lesson_ended'
  readonly properties: {
    /** Milliseconds since 1970: when it happened, not when it was sent. */
    readonly time: number
    readonly distinct_id: string
    /** The id of the recorded event, a UUID: a repeat after a crash is the same event. */
    readonly $insert_id: string
    readonly org_id: string
    readonly [name: string]: string | number | boolean
  }
}

/** What an event of a lesson does not say itself: from its LessonScheduled. */
export interface LessonFacts {
  readonly org: string
  readonly teacherId: string
}

/**
 * What Mixpanel is told of a recorded event; null = nothing. Nothing here is a name, a title or an address:
 * organisations and lessons go by their ids, people by pseudonyms.
 *
 * @param lesson of the event's stream; null when it is no lesson's
 */
export function mixpanelEvent(
  recorded: Recorded,
  lesson: LessonFacts | null,
  pseudonym: Pseudonyms,
): MixpanelEvent | null {
  if (isOf('presence', recorded)) return ofPresence(recorded, pseudonym)
  return lesson !== null && isOf('lesson', recorded) ? ofLesson(recorded, lesson, pseudonym) : null
}

function ofPresence({ id, stream, event }: Recorded<PresenceEvent>, pseudonym: Pseudonyms): MixpanelEvent | null {
  switch (event.type) {
    case 'CameOnline': {
      const person = idIn('presence', stream) ?? ''
      const org_id = personIn(person).org
      return {
        event: 'connect',
        properties: { time: event.at, distinct_id: pseudonym(person), $insert_id: id, org_id, role: event.role },
      }
    }
    case 'ConnectionLost':
    case 'CameBack':
    case 'WentOffline':
      return null
    default:
      return unreachable(event)
  }
}

function ofLesson(
  { id, stream, event }: Recorded<LessonEvent>,
  { org, teacherId }: LessonFacts,
  pseudonym: Pseudonyms,
): MixpanelEvent | null {
  const lesson_id = idIn('lesson', stream) ?? ''
  const common = (who: string, time: number) => ({
    time,
    distinct_id: pseudonym(`${isGuest(who) ? ANONYMOUS : org}.${who}`), // as in the name of their presence's stream
    $insert_id: id,
    org_id: org,
    lesson_id,
  })
  switch (event.type) {
    case 'ParticipantReconnected':
      return {
        event: 'reconnect',
        properties: { ...common(event.participantId, event.at), role: event.role, seconds_away: event.awayMs / 1000 },
      }
    case 'HubReconnected': {
      const away = event.awayMs === null ? {} : { seconds_away: event.awayMs / 1000 }
      return {
        event: 'reconnect',
        properties: { ...common(event.hubId, event.at), role: event.role, product_type: 'manager', ...away },
      }
    }
    case 'LessonStarted':
      return { event: 'lesson_started', properties: common(teacherId, event.at) }
    case 'LessonEnded':
      return { event: 'lesson_ended', properties: { ...common(teacherId, event.at), reason: event.reason } }
    case 'LessonScheduled':
    case 'LessonPlanChanged':
    case 'ParticipantJoined':
    case 'ParticipantLeft':
    case 'HubJoined':
      return null
    default:
      return unreachable(event)
  }
}

/**
 * Ids that the server makes for those who come without a token begin so. Somebody of an organisation with such an id is
 * only told twice apart.
 */
const isGuest = (id: string): boolean => id.startsWith('anon-')
