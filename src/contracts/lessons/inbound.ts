import { z } from 'zod'
import { type Refusal, refuse } from '../../../machines/kernel.ts'

/** What a lesson event of a client asks for, decoded. */
export type LessonAsked =
  | {
      readonly kind: 'join-lesson'
      readonly lesson: LessonName
      /** What somebody calls themselves whose token does not say. */
      readonly name: string | null
      readonly clientId?: string
    }
  /** Without a lesson: the one that they are in. */
  | { readonly kind: 'leave-lesson'; readonly lessonId: string | undefined; readonly clientId?: string }

/** A lesson is named by its id or by its code. */
export type LessonName = { readonly kind: 'id'; readonly id: string } | { readonly kind: 'code'; readonly code: string }

/** Decodes the arguments of one emitted event (without the ack). */
export type LessonRowOf = (args: readonly unknown[]) => LessonAsked | Refusal

/** Clients send null for what they leave out. */
const orNone = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined)
const clientId = orNone(z.string().min(1).max(128))
const lessonId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the id of a lesson (letters, digits, "_" and "-", at most 64)')
const joining = z.object({
  lesson_id: orNone(lessonId),
  code: orNone(z.string().max(32)),
  name: orNone(z.string().trim().min(1).max(120)),
  client_id: clientId,
})
const leaving = z.object({ lesson_id: orNone(lessonId), client_id: clientId })

/** One row per name that a client may emit about lessons. */
export const lessonInbound: Readonly<Record<string, LessonRowOf>> = Object.assign(Object.create(null), {
  join_lesson: ([data]) => {
    const read = joining.safeParse(data)
    if (!read.success) return badRequest(read.error)
    const { lesson_id: id, code, name = null, client_id } = read.data
    if ((id === undefined) === (code === undefined))
      return refuse('bad-request', { why: 'data: expected either lesson_id or code' })
    const lesson: LessonName = id === undefined ? { kind: 'code', code: code ?? '' } : { kind: 'id', id }
    return { kind: 'join-lesson', lesson, name, ...named(client_id) }
  },
  leave_lesson: ([data]) => {
    const read = leaving.safeParse(data ?? {})
    if (!read.success) return badRequest(read.error)
    return { kind: 'leave-lesson', lessonId: read.data.lesson_id, ...named(read.data.client_id) }
  },
} satisfies Record<string, LessonRowOf>)

/** True for what may be the id of a lesson: a hint in a handshake may be anything. */
export const isLessonId = (text: unknown): text is string => lessonId.safeParse(text).success

/** What a refusal about lessons is called, on sockets and over HTTP. */
export const lessonSentences: Readonly<Record<string, string>> = {
  'no-such-lesson': 'there is no lesson with this id',
  'no-such-code': 'no lesson that is planned or going on has this code: check it, or ask your teacher',
  'no-such-event': 'this lesson has no event with that number: at goes from 0 to the seq of its last event',
  'lesson-ended': 'this lesson has ended',
  'left-lesson': 'you have left this lesson: join_lesson brings you back',
  'own-lesson-only': 'only the teacher of this lesson, or an admin, may do this',
  'teachers-only': 'this is for teachers, and partly for admins',
  'participants-only': 'only students, teachers and admins take part in lessons',
  'participant-id-taken': 'somebody else is in this lesson under the same id: connect again for a new one',
  'not-in-lesson': 'you are in no lesson',
  'lesson-id-required': 'you are in several lessons: send lesson_id',
  'not-present': 'this connection does not count as being there: connect without product_type to take part',
}

const named = (id: string | undefined) => (id === undefined ? {} : { clientId: id })

function badRequest({ issues }: z.ZodError): Refusal {
  return refuse('bad-request', {
    why: issues.map(({ path, message }) => `${path.join('.') || 'data'}: ${message}`).join('; '),
  })
}
