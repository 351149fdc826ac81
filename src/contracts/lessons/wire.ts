import type { Role } from '../../../machines/kernel.ts'
import type { LeaveReason, LessonEndReason } from '../../../machines/lesson/events.ts'
import type { Participant } from '../../../projections/lesson-participants.ts'
import type { LessonRow, LessonStatus } from '../../../projections/lessons.ts'
import type { EventRef } from '../../delivery/notice.ts'
import { iso, isoOrNull } from '../shared/iso.ts'

/** One event of one participant. `seq` is the event's revision in the lesson; times are ISO-8601 UTC. */
export interface ParticipantEntry {
  readonly participant_id: string
  readonly role: Role
  readonly name: string | null
  readonly at: string
  readonly seq: number
}

/** `id`, `seq` and `pos` are those of the last entry. */
interface Gathered<Entry> extends EventRef {
  readonly lesson_id: string
  readonly participants: readonly Entry[]
}

/**
 * What everybody in a lesson is told. `participant_…` pushes are gathered, so that nobody gets more than ten a second.
 */
export interface LessonWire {
  readonly lesson_changed: EventRef & {
    readonly lesson_id: string
    readonly title: string
    readonly starts_at: string
    readonly planned_minutes: number
  }
  readonly lesson_started: EventRef & {
    readonly lesson_id: string
    readonly started_at: string
    readonly due_at: string
  }
  readonly lesson_ended: EventRef & {
    readonly lesson_id: string
    readonly ended_at: string
    readonly reason: LessonEndReason
  }
  readonly participant_joined: Gathered<ParticipantEntry>
  readonly participant_left: Gathered<ParticipantEntry & { readonly reason: LeaveReason }>
  readonly participant_reconnected: Gathered<ParticipantEntry & { readonly seconds_away: number }>
  readonly lesson_state: LessonState
}

/**
 * A lesson after its event `seq`: told to whoever comes in, and again to every connection of theirs. Pushes that follow
 * may tell events up to `seq` again, complete and in each participant's order, so that whoever just applies them comes
 * to the same.
 */
export interface LessonState extends EventRef {
  readonly lesson_id: string
  readonly title: string
  readonly teacher_id: string
  readonly state: LessonStatus
  readonly starts_at: string
  readonly planned_minutes: number
  readonly started_at: string | null
  readonly due_at: string | null
  readonly ended_at: string | null
  /** Who is in, in the order of their coming. */
  readonly participants: readonly PresentPerson[]
}

export interface PresentPerson {
  readonly participant_id: string
  readonly role: Role
  readonly name: string | null
  readonly since: string
}

export function lessonState(id: string, row: LessonRow, present: readonly Participant[], ref: EventRef): LessonState {
  return {
    ...ref,
    lesson_id: id,
    title: row.title,
    teacher_id: row.teacherId,
    state: row.status,
    starts_at: iso(row.startsAt),
    planned_minutes: row.plannedMinutes,
    started_at: isoOrNull(row.startedAt),
    due_at: isoOrNull(row.dueAt),
    ended_at: isoOrNull(row.endedAt),
    participants: present.map(presentPerson),
  }
}

/** A thousand people who come into a lesson are told of each other: what is told of one is made once. */
const made = new WeakMap<Participant, PresentPerson>()

function presentPerson(participant: Participant): PresentPerson {
  const known = made.get(participant)
  if (known) return known
  const { id: participant_id, role, name, intervals } = participant
  // whoever is present has an interval
  const person = { participant_id, role, name, since: iso(intervals.at(-1)?.from ?? 0) }
  made.set(participant, person)
  return person
}
