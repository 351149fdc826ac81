import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, id, idText, limit, next, timeIn } from '../../gateway/http/schemas.ts'
import type { Zone } from '../../gateway/http/zone.ts'
import type { StreamDamaged } from '../../log/damaged.ts'
import type { Log } from '../../log/log.ts'
import { orDamage } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { slice } from '../../slices.ts'
import { damageNote } from '../shared/damage-note.ts'
import { iso } from '../shared/iso.ts'
import type { LessonList } from './list.ts'
import { type LessonRecord, lessonAt, lessonHistory } from './record.ts'
import { lessonRefusals } from './refusals.ts'
import { Lesson, LessonParticipant, lessonResource, participantResource, STATES } from './resources.ts'

export interface LessonReadsParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'judged'>
  readonly lessons: LessonList
  readonly zone: Zone
  /** As this node has heard it; only while it is open. */
  readonly open: (id: string) => LessonRecord | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What is read of lessons: one of them and who was in it, now or as of any of its events, and lists. */
export function lessonReads(app: OpenAPIHono<HttpEnv>, parts: LessonReadsParts): void {
  const { lessons, zone, now } = parts
  const time = timeIn(zone)
  const recordFor = lessonRecords(parts)
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
      const filter = { org, state, teacher: teacher === 'me' ? me : teacher, from, to, now: now() }
      return listed(await lessons.list(filter, limit, after), lessonResource)
    },
  )

  list(
    {
      method: 'get',
      path: '/api/v1/lessons/{id}/participants',
      heavy: true,
      summary: 'Who was in a lesson and when, now or as of any of its events (teachers, admins)',
      description: 'Participants',
      params: id,
      query: asOf,
      items: LessonParticipant,
      besides: { seq: z.number(), as_of: z.string(), note: Lesson.shape.note },
    },
    async ({ by, params, query: { at } }) => {
      const found = await recordFor(params.id, by, at)
      if (found instanceof Refusal) return found
      const { record } = found
      // As of an event, time stands still when it was recorded.
      const until = at === undefined ? now() : (record.last?.at ?? now())
      const seq = record.last?.revision ?? -1
      const data: ReturnType<typeof participantResource>[] = []
      // The record of an open lesson moves on meanwhile.
      for (const person of [...record.people.values()]) {
        data.push(participantResource(person, record.row?.startedAt ?? null, until))
        const pause = slice()
        if (pause) await pause
      }
      return { data, seq, as_of: iso(until), ...noteOf(found) }
    },
  )
}

/** Reads one lesson as clients see it, as of one of its events (default: the last). */
export const lessonShown = (parts: LessonReadsParts) => {
  const recordFor = lessonRecords(parts)
  return async (id: string, by: Party, seq?: number) => {
    const found = await recordFor(id, by, seq)
    if (found instanceof Refusal) return found
    const { row } = found.record
    if (!row) throw new Error(`lesson ${id} has events and no row`)
    return { ...lessonResource(id, row), ...noteOf(found) }
  }
}

const noteOf = ({ damage }: { readonly damage: StreamDamaged | undefined }) => damage && { note: damageNote(damage) }

/**
 * A lesson of another organisation is answered exactly like one that does not exist. Of one that is damaged what was
 * before is shown. What is open is in memory, and late events of what is not are folded on from a mark near them: no
 * question reads a whole lesson again.
 */
function lessonRecords({ log, entities, open }: LessonReadsParts) {
  const history = lessonHistory(log)
  return async (id: string, { org, role }: Party, seq?: number) => {
    if (role !== 'teacher' && role !== 'admin') return refuse('teachers-only')
    const judged = entities.judged('lesson', id, ({ revision, state }) =>
      revision < 0 || state.context.org !== org ? refuse('no-such-lesson') : revision,
    )
    const last = await orDamage(judged)
    if (last instanceof Refusal) return last
    if (typeof last === 'number') {
      const heard = open(id)
      if ((seq ?? last) === heard?.row?.seq) return { record: heard, damage: undefined }
      const record = (await history.at(streamName('lesson', id), seq ?? last))?.state
      return record ? { record, damage: undefined } : refuse('no-such-event')
    }
    if (last.revision === 0) throw last // nobody can tell whose it was
    const before = await lessonAt(log, id, last.revision - 1)
    if (before?.row?.org !== org) return refuse('no-such-lesson')
    if (seq === undefined) return { record: before, damage: last }
    const record = seq < last.revision ? await lessonAt(log, id, seq) : undefined
    return record ? { record, damage: last } : refuse('no-such-event')
  }
}
