import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, id, idText, limit, next, time } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { iso } from '../shared/iso.ts'
import type { LessonList } from './list.ts'
import { lessonAt } from './record.ts'
import { lessonRefusals } from './refusals.ts'
import { Lesson, LessonParticipant, lessonResource, participantResource, STATES } from './resources.ts'

export interface LessonReadsParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'judged'>
  readonly lessons: LessonList
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What is read of lessons: one of them and who was in it, now or as of any of its events, and lists. */
export function lessonReads(app: OpenAPIHono<HttpEnv>, parts: LessonReadsParts): void {
  const { lessons, now } = parts
  const { read, list } = resources(app, lessonRefusals)
  const shown = lessonShown(parts)

  read(
    {
      method: 'get',
      path: '/api/v1/lessons/{id}',
      summary: 'A lesson, now or as of any of its events (teachers, admins)',
      description: 'The lesson',
      params: id,
      query: asOf,
      data: Lesson,
    },
    ({ by, params, query }) => shown(params.id, by, query.at),
  )

  list(
    {
      method: 'get',
      path: '/api/v1/lessons',
      summary: 'Lessons of your organisation, those that start last first (teachers, admins)',
      description: 'Lessons',
      query: {
        state: z.enum(STATES).optional(),
        teacher: idText.optional().openapi({ description: 'the id of a teacher, or me' }),
        from: time.optional().openapi({ description: 'planned to start at or after' }),
        to: time.optional().openapi({ description: 'planned to start before' }),
        limit: limit(200, 50),
        after: next,
      },
      items: Lesson,
    },
    async ({ by: { org, id: me, role }, query: { state, teacher, from, to, limit, after } }) => {
      if (role !== 'teacher' && role !== 'admin') return refuse('teachers-only')
      const filter = { org, state, teacher: teacher === 'me' ? me : teacher, from, to }
      return listed(await lessons.list(filter, limit, after), lessonResource)
    },
  )

  list(
    {
      method: 'get',
      path: '/api/v1/lessons/{id}/participants',
      summary: 'Who was in a lesson and when, now or as of any of its events (teachers, admins)',
      description: 'Participants',
      params: id,
      query: asOf,
      items: LessonParticipant,
      besides: { seq: z.number(), as_of: z.string() },
    },
    async ({ by, params, query: { at } }) => {
      const record = await recordFor(parts, params.id, by, at)
      if (record instanceof Refusal) return record
      // As of an event, time stands still when it was recorded.
      const until = at === undefined ? now() : (record.last?.at ?? now())
      const data = [...record.people.values()].map((person) => participantResource(person, until))
      return { data, seq: record.last?.revision ?? -1, as_of: iso(until) }
    },
  )
}

/** Reads one lesson as clients see it, as of one of its events (default: the last). */
export const lessonShown = (parts: LessonReadsParts) => async (id: string, by: Party, seq?: number) => {
  const record = await recordFor(parts, id, by, seq)
  if (record instanceof Refusal) return record
  if (!record.row) throw new Error(`lesson ${id} has events and no row`)
  return lessonResource(id, record.row)
}

/** A lesson of another organisation is answered exactly like one that does not exist. */
async function recordFor({ log, entities }: LessonReadsParts, id: string, { org, role }: Party, seq?: number) {
  if (role !== 'teacher' && role !== 'admin') return refuse('teachers-only')
  const no = await entities.judged('lesson', id, ({ revision, state }) =>
    revision < 0 || state.context.org !== org ? refuse('no-such-lesson') : null,
  )
  return no ?? (await lessonAt(log, id, seq)) ?? refuse('no-such-event')
}
