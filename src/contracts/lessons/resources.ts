import { z } from '@hono/zod-openapi'
import { isPresent, type Participant, presentMs } from '../../../projections/lesson-participants.ts'
import type { LessonRow } from '../../../projections/lessons.ts'
import { iso, isoOrNull } from '../shared/iso.ts'

export const STATES = ['scheduled', 'live', 'ended'] as const

export const Lesson = z
  .object({
    id: z.string(),
    title: z.string(),
    teacher_id: z.string(),
    state: z.enum(STATES),
    starts_at: z.string(),
    planned_minutes: z.number(),
    call_off_at: z.string().nullable().openapi({ description: 'when it is called off unless it is started before' }),
    code: z.string().nullable().openapi({ description: 'for join_lesson; null once the lesson has ended' }),
    started_at: z.string().nullable(),
    due_at: z.string().nullable().openapi({ description: 'when it is ended at the latest' }),
    ended_at: z.string().nullable(),
    end_reason: z
      .enum(['ended', 'overrun', 'not-started'])
      .nullable()
      .openapi({ description: 'overrun: nobody ended it in time; not-started: nobody started it in time' }),
    participants_present: z.number(),
    seq: z.number(),
    note: z.string().optional().openapi({ description: 'where it was damaged in the store: what is missing' }),
  })
  .openapi('Lesson')

export const LessonParticipant = z
  .object({
    id: z.string(),
    role: z.string(),
    name: z.string().nullable(),
    present: z.boolean(),
    joins: z.number(),
    leaves: z.number(),
    reconnects: z.number(),
    seconds_present: z
      .number()
      .openapi({ description: 'the intervals since the lesson started, to the millisecond; an open one until now' }),
    intervals: z.array(z.object({ from: z.string(), to: z.string().nullable(), reason: z.string().nullable() })),
  })
  .openapi('Participant')

export const lessonResource = (id: string, row: LessonRow) => ({
  id,
  title: row.title,
  teacher_id: row.teacherId,
  state: row.status,
  starts_at: iso(row.startsAt),
  planned_minutes: row.plannedMinutes,
  call_off_at: isoOrNull(row.callOffAt),
  code: row.status === 'ended' ? null : row.code,
  started_at: isoOrNull(row.startedAt),
  due_at: isoOrNull(row.dueAt),
  ended_at: isoOrNull(row.endedAt),
  end_reason: row.endReason,
  participants_present: row.present,
  seq: row.seq,
})

/** `until`: when an interval ends that is still open. Both in milliseconds since 1970. */
export const participantResource = (person: Participant, startedAt: number | null, until: number) => ({
  id: person.id,
  role: person.role,
  name: person.name,
  present: isPresent(person),
  joins: person.intervals.length,
  leaves: person.leaves,
  reconnects: person.reconnects,
  seconds_present: presentMs(person, startedAt, until) / 1000,
  intervals: person.intervals.map(({ from, until: to, reason }) => ({ from: iso(from), to: isoOrNull(to), reason })),
})
