import { unreachable } from '../../../machines/kernel.ts'
import { eventRef, type Notice, toPerson } from '../../delivery/notice.ts'
import { iso } from '../shared/iso.ts'
import { toHub, toLesson } from './audiences.ts'
import type { LessonChange } from './lessons-model.ts'
import type { LessonWire, ParticipantEntry } from './wire.ts'

type LessonNotice = Notice<LessonWire>

/** One case per recorded event. Who leaves hears of it at once, on all their devices, and of nothing after it. */
export function lessonNotices({ record, recorded, who }: LessonChange): readonly LessonNotice[] {
  const { id: lesson, row, hubs } = record
  const to = toLesson(lesson)
  const ref = { ...eventRef(recorded), lesson_id: lesson }
  const { event, revision: seq } = recorded
  switch (event.type) {
    case 'LessonScheduled':
    case 'HubJoined':
    case 'HubReconnected':
      return []
    case 'LessonPlanChanged': {
      const { title, startsAt, plannedMinutes: planned_minutes } = event
      const data = { ...ref, title, starts_at: iso(startsAt), planned_minutes }
      const changed = { name: 'lesson_changed', data } as const
      return [{ ...changed, to }, ...[...hubs].map((hub) => ({ ...changed, to: toHub(row?.org ?? '', hub) }))]
    }
    case 'LessonStarted':
      return [{ to, name: 'lesson_started', data: { ...ref, started_at: iso(event.at), due_at: iso(event.dueAt) } }]
    case 'LessonEnded':
      return [{ to, name: 'lesson_ended', data: { ...ref, ended_at: iso(event.at), reason: event.reason } }]
    case 'ParticipantJoined':
    case 'ParticipantLeft':
    case 'ParticipantReconnected':
      break
    default:
      return unreachable(event)
  }
  if (!who) return [] // nobody was in: only histories that were written by other programs have such events
  const part = who.id
  const entry: ParticipantEntry = { participant_id: who.id, role: who.role, name: who.name, at: iso(event.at), seq }
  switch (event.type) {
    case 'ParticipantJoined':
      return [{ to, name: 'participant_joined', part, data: { ...ref, participants: [entry] } }]
    case 'ParticipantReconnected': {
      const data = { ...ref, participants: [{ ...entry, seconds_away: event.awayMs / 1000 }] }
      return [{ to, name: 'participant_reconnected', part, data }]
    }
    case 'ParticipantLeft': {
      const data = { ...ref, participants: [{ ...entry, reason: event.reason }] }
      const left = { name: 'participant_left', data } as const
      return [
        { ...left, to: toPerson(who.home, who.id) },
        { ...left, to, part },
      ]
    }
    default:
      return unreachable(event)
  }
}

/** One push that says what these say, all of one name: the participants of all, the event of the last. */
export function mergedNotice(run: readonly Notice[]): Notice {
  const last = run.at(-1)
  if (!last) throw new Error('nothing was to be merged')
  if (run.length === 1) return last
  // Notices with a part, and only those are merged, are about participants.
  const participants = run.flatMap(({ data }) => (data as { participants: readonly ParticipantEntry[] }).participants)
  return { ...last, data: { ...last.data, participants } }
}
