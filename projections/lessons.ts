import { type Recorded, unreachable } from '../machines/kernel.ts'
import { callOffAtOf, type LessonEndReason, type LessonEvent } from '../machines/lesson/events.ts'
import { projectionOf } from './projection.ts'

export type LessonStatus = 'scheduled' | 'live' | 'ended'

/** One lesson as lists show it; who is in it is told by its own stream. Times are milliseconds since 1970. */
export interface LessonRow {
  readonly seq: number
  readonly org: string
  readonly teacherId: string
  readonly title: string
  readonly startsAt: number
  readonly plannedMinutes: number
  readonly code: string
  readonly status: LessonStatus
  /** When it is called off if nobody starts it; null unless scheduled. */
  readonly callOffAt: number | null
  readonly startedAt: number | null
  /** When a live lesson is ended at the latest. */
  readonly dueAt: number | null
  readonly endedAt: number | null
  readonly endReason: LessonEndReason | null
  /** How many are in it. */
  readonly present: number
}

export const lessons = projectionOf<LessonRow, 'lesson'>('lesson', {
  name: 'lessons',
  version: 2,
  fold,
  index(id, { org, teacherId, status, startsAt }) {
    const when = `${String(startsAt).padStart(14, '0')}/${id}`
    return [
      `all/${org}/${when}`,
      `status/${org}/${status}/${when}`,
      `teacher/${org}/${teacherId}/${when}`,
      ...(status === 'ended' ? [] : [`open/${id}`]),
    ]
  },
})

function fold(row: LessonRow | undefined, { event, revision: seq, stream }: Recorded<LessonEvent>): LessonRow {
  if (event.type === 'LessonScheduled') {
    const { org, teacherId, title, startsAt, plannedMinutes, code } = event
    const begun = { startedAt: null, dueAt: null, endedAt: null, endReason: null, present: 0 }
    const plan = { title, startsAt, plannedMinutes, code, callOffAt: callOffAtOf(event) }
    return { seq, org, teacherId, ...plan, status: 'scheduled', ...begun }
  }
  if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before LessonScheduled`)
  switch (event.type) {
    case 'LessonPlanChanged': {
      const { title, startsAt, plannedMinutes, callOffAt } = event
      return { ...row, seq, title, startsAt, plannedMinutes, callOffAt }
    }
    case 'LessonStarted':
      return { ...row, seq, status: 'live', callOffAt: null, startedAt: event.at, dueAt: event.dueAt }
    case 'LessonEnded':
      return { ...row, seq, status: 'ended', callOffAt: null, endedAt: event.at, endReason: event.reason, present: 0 }
    case 'ParticipantJoined':
      return { ...row, seq, present: row.present + 1 }
    case 'ParticipantLeft':
      return { ...row, seq, present: row.present - 1 }
    case 'ParticipantReconnected':
    case 'HubJoined':
    case 'HubReconnected':
      return { ...row, seq }
    default:
      return unreachable(event)
  }
}
