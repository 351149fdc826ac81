import { z } from 'zod'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { Calls, Connection, Inbound, InboundRow, Outcome } from '../../delivery/connection.ts'
import { badRequest } from '../shared/bad-request.ts'
import { clientIdText, idText, mustBeIdOf } from '../shared/ids.ts'

/**
 * `join_lesson`, decoded. Its JSON tells repeats of a named call from its reuse, so its fields and their order stay.
 */
export interface JoinAsked {
  readonly kind: 'join-lesson'
  readonly lesson: LessonName
  /** What somebody calls themselves whose token does not say. */
  readonly name: string | null
  readonly clientId?: string
}

/** `leave_lesson`, decoded. Without a lesson: the one that they are in. */
export interface LeaveAsked {
  readonly lessonId: string | undefined
  readonly clientId?: string
}

/** A lesson is named by its id or by its code. */
export type LessonName = { readonly kind: 'id'; readonly id: string } | { readonly kind: 'code'; readonly code: string }

/** What clients may ask about lessons. `entered` as in `InboundCall`. */
export interface LessonAsks {
  join(asked: JoinAsked, from: Connection, entered: () => void): Promise<Outcome>
  leave(asked: LeaveAsked, from: Connection, entered: () => void): Promise<Outcome>
}

/** Clients send null for what they leave out. */
const orNone = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined)
const lessonId = idText(mustBeIdOf('a lesson'))
const joining = z
  .object({
    lesson_id: orNone(lessonId),
    code: orNone(z.string().max(32)),
    name: orNone(z.string().trim().min(1).max(120)),
    client_id: clientIdText(),
  })
  .describe('Come into a lesson, named by either its id or its code. `name`: who somebody is whose token does not say.')
const leaving = z
  .object({ lesson_id: orNone(lessonId), client_id: clientIdText() })
  .describe('Leave a lesson; without `lesson_id` the one that they are in.')

/** What clients may emit about lessons; participants without a token may emit all of it. */
export const lessonAsked = {
  about: 'lesson_id',
  anonymous: ['join_lesson', 'leave_lesson'],
  data: { join_lesson: joining, leave_lesson: leaving },
} as const satisfies Calls

/** One row per name that a client may emit about lessons. */
export function lessonInbound({ join, leave }: LessonAsks): Inbound {
  const rows = {
    join_lesson([data], from) {
      const asked = joinAsked(data)
      return asked instanceof Refusal ? asked : (entered) => join(asked, from, entered)
    },
    leave_lesson([data], from) {
      const read = leaving.safeParse(data ?? {})
      if (!read.success) return badRequest(read.error)
      const asked = { lessonId: read.data.lesson_id, ...named(read.data.client_id) }
      return (entered) => leave(asked, from, entered)
    },
  } satisfies Record<keyof typeof lessonAsked.data, InboundRow>
  return { rows, anonymous: lessonAsked.anonymous, about: lessonAsked.about }
}

function joinAsked(data: unknown): JoinAsked | Refusal {
  const read = joining.safeParse(data)
  if (!read.success) return badRequest(read.error)
  const { lesson_id: id, code, name = null, client_id } = read.data
  if ((id === undefined) === (code === undefined))
    return refuse('bad-request', { why: 'data: expected either lesson_id or code' })
  const lesson: LessonName = id === undefined ? { kind: 'code', code: code ?? '' } : { kind: 'id', id }
  return { kind: 'join-lesson', lesson, name, ...named(client_id) }
}

/** True for what may be the id of a lesson: a hint in a handshake may be anything. */
export const isLessonId = (text: unknown): text is string => lessonId.safeParse(text).success

const named = (id: string | null | undefined) => (typeof id === 'string' ? { clientId: id } : {})
