import { z } from 'zod'
import type { Shape } from '../../delivery/shape.ts'
import { ROLES } from '../../gateway/auth/tokens.ts'
import { eventRefShape as ref, isoShape as time } from '../shared/wire-shapes.ts'
import type { LessonWire } from './wire.ts'

const role = z.enum(ROLES)
const inLesson = { ...ref, lesson_id: z.string() }
const entry = { participant_id: z.string(), role, name: z.string().nullable(), at: time, seq: z.int().min(0) }
const about = <Entry extends z.ZodType>(participant: Entry) =>
  z.strictObject({ ...inLesson, participants: z.array(participant).readonly() })
const present = z
  .strictObject({ participant_id: z.string(), role, name: z.string().nullable(), since: time })
  .meta({ id: 'PresentPerson' })

/** The shape of everything that this contract pushes. */
export const lessonShapes: { readonly [Name in keyof LessonWire]: Shape<LessonWire[Name]> } = {
  lesson_started: z
    .strictObject({ ...inLesson, started_at: time, due_at: time })
    .describe('To everybody in the lesson: it has begun.'),
  lesson_changed: z
    .strictObject({ ...inLesson, title: z.string(), starts_at: time, planned_minutes: z.int().min(1) })
    .describe('To everybody who waits in the lesson or looks on: it has another title or time.'),
  lesson_ended: z
    .strictObject({ ...inLesson, ended_at: time, reason: z.enum(['ended', 'overrun', 'not-started']) })
    .describe('To everybody in the lesson: it is over, and nobody is in any more.'),
  participant_joined: about(z.strictObject(entry)).describe('To everybody in the lesson: these have come in.'),
  participant_left: about(z.strictObject({ ...entry, reason: z.enum(['left', 'disconnected']) })).describe(
    'To everybody in the lesson: these are out.',
  ),
  participant_reconnected: about(z.strictObject({ ...entry, seconds_away: z.number().min(0) })).describe(
    'To everybody in the lesson: these were lost and are back.',
  ),
  lesson_state: z
    .strictObject({
      ...inLesson,
      title: z.string(),
      teacher_id: z.string(),
      state: z.enum(['scheduled', 'live', 'ended']),
      starts_at: time,
      planned_minutes: z.int().min(1),
      started_at: time.nullable(),
      due_at: time.nullable(),
      ended_at: time.nullable(),
      participants: z.array(present).readonly().describe('Who is in, in the order of their coming.'),
    })
    .describe('To whoever comes in, and again to every connection of theirs: how the lesson stands.'),
}
