import { randomUUID } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { LessonCommand, LostParticipant } from '../../../machines/lesson/commands.ts'
import { isPresent, type Participant, presentMs } from '../../../projections/lesson-participants.ts'
import type { LessonRow, LessonStatus } from '../../../projections/lessons.ts'
import { partyOf } from '../../gateway/auth/authenticator.ts'
import { failed, refused } from '../../gateway/http/errors.ts'
import { callOf, type HttpEnv } from '../../gateway/http/middleware.ts'
import type { Page } from '../../gateway/http/pages.ts'
import type { Log } from '../../log/log.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { derivedId } from '../../runtime/ids.ts'
import { iso, isoOrNull } from '../shared/iso.ts'
import type { LessonCodes } from './codes.ts'
import { lessonSentences } from './inbound.ts'
import { lessonAt } from './record.ts'
import { createLesson, endLesson, listLessons, listParticipants, readLesson, startLesson } from './routes.ts'

/** Which lessons to list, those that start last first. Times in milliseconds since 1970; `to` exclusive. */
export interface LessonFilter {
  readonly org: string
  readonly state: LessonStatus | undefined
  readonly teacher: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

export interface LessonList {
  list(filter: LessonFilter, limit: number, after: string | undefined): Promise<Page<LessonRow>>
}

export interface LessonRoutesParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly lessons: LessonList
  readonly codes: LessonCodes
  /** Who is in this lesson, but lost at the moment. */
  readonly lost: (lesson: string) => readonly LostParticipant[]
  readonly overrunMinutes: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** `/api/v1/lessons`: planned, started and ended by teachers; read by the teachers and admins of the organisation. */
export function lessonRoutes(app: OpenAPIHono<HttpEnv>, parts: LessonRoutesParts): void {
  const { log, entities, lessons, codes, lost, overrunMinutes, now } = parts

  /** A lesson of another organisation is answered exactly like one that does not exist. */
  const theirs = async (id: string, { org, role }: Party, seq?: number) => {
    if (role !== 'teacher' && role !== 'admin') return refuse('teachers-only')
    const { revision, state } = await entities.state('lesson', id)
    if (revision < 0 || state.context.org !== org) return refuse('no-such-lesson')
    return (await lessonAt(log, id, seq)) ?? refuse('no-such-event')
  }

  const shown = async (id: string, by: Party, seq?: number) => {
    const record = await theirs(id, by, seq)
    if (record instanceof Refusal) return record
    if (!record.row) throw new Error(`lesson ${id} has events and no row`)
    return lessonResource(id, record.row)
  }

  /** The answer of a command, as the lesson after it. */
  const after = async (id: string, by: Party, answer: Answer) => (answer instanceof Refusal ? answer : shown(id, by))

  app.openapi(createLesson, async (c) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    if (by.role !== 'teacher') return refused(c, refuse('teachers-only'), SENTENCES)
    const asked = c.req.valid('json')
    const plan = { title: asked.title, startsAt: asked.starts_at, plannedMinutes: asked.planned_minutes }
    const id = lessonIdFor(by, call)
    // A repeat finds its lesson by the key, and needs no second code.
    const known = (await entities.state('lesson', id)).state.context.code
    const code = known === '' ? await codes.reserve(id, by, now()) : known
    if (code instanceof Refusal) return refused(c, code, SENTENCES)
    const answer = await entities.ask(
      'lesson',
      id,
      { type: 'ScheduleLesson', ...plan, code, by, at: now() },
      { ...call, payload: plan },
    )
    const lesson = await after(id, by, answer)
    return lesson instanceof Refusal ? refused(c, lesson, SENTENCES) : c.json({ data: lesson }, 201)
  })

  /** Asks the lesson in the path for something that has no more to say, and answers with the lesson after it. */
  const ask = async (c: Context<HttpEnv>, id: string, commandOf: (by: Party, at: number) => LessonCommand) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const answer = await entities.ask('lesson', id, commandOf(by, now()), { ...call, payload: null })
    const lesson = await after(id, by, answer)
    return lesson instanceof Refusal ? refused(c, lesson, SENTENCES) : c.json({ data: lesson }, 200)
  }

  app.openapi(startLesson, (c) =>
    ask(c, c.req.valid('param').id, (by, at) => ({ type: 'StartLesson', overrunMinutes, by, at })),
  )

  app.openapi(endLesson, (c) => {
    const { id } = c.req.valid('param')
    return ask(c, id, (by, at) => ({ type: 'EndLesson', lost: lost(id), by, at }))
  })

  app.openapi(readLesson, async (c) => {
    const lesson = await shown(c.req.valid('param').id, partyOf(c.get('identity')), c.req.valid('query').at)
    return lesson instanceof Refusal ? refused(c, lesson, SENTENCES) : c.json({ data: lesson }, 200)
  })

  app.openapi(listLessons, async (c) => {
    const { org, id: me, role } = c.get('identity')
    if (role !== 'teacher' && role !== 'admin') return refused(c, refuse('teachers-only'), SENTENCES)
    const { state, teacher, from, to, limit, after: next } = c.req.valid('query')
    const page = await lessons.list({ org, state, teacher: teacher === 'me' ? me : teacher, from, to }, limit, next)
    const data = page.rows.map(([id, row]) => lessonResource(id, row))
    return c.json(page.next === undefined ? { data } : { data, next: page.next }, 200)
  })

  app.openapi(listParticipants, async (c) => {
    const { at } = c.req.valid('query')
    const record = await theirs(c.req.valid('param').id, partyOf(c.get('identity')), at)
    if (record instanceof Refusal) return refused(c, record, SENTENCES)
    // As of an event, time stands still when it was recorded.
    const until = at === undefined ? now() : (record.last?.at ?? now())
    const data = [...record.people.values()].map((person) => participantResource(person, until))
    return c.json({ data, seq: record.last?.revision ?? -1, as_of: iso(until) }, 200)
  })
}

const KEY_SHAPE = 'Idempotency-Key must be 1 to 128 printable ASCII characters'
const SENTENCES = lessonSentences

/** With an `Idempotency-Key` it follows from the key, so that a repeat meets the same lesson. */
const lessonIdFor = ({ org, id }: Party, { clientId }: Call): string =>
  clientId === undefined ? randomUUID().replaceAll('-', '') : derivedId(`lesson ${org}.${id}\n${clientId}`)

const lessonResource = (id: string, row: LessonRow) => ({
  id,
  title: row.title,
  teacher_id: row.teacherId,
  state: row.status,
  starts_at: iso(row.startsAt),
  planned_minutes: row.plannedMinutes,
  code: row.status === 'ended' ? null : row.code,
  started_at: isoOrNull(row.startedAt),
  due_at: isoOrNull(row.dueAt),
  ended_at: isoOrNull(row.endedAt),
  end_reason: row.endReason,
  participants_present: row.present,
  seq: row.seq,
})

const participantResource = (person: Participant, until: number) => ({
  id: person.id,
  role: person.role,
  name: person.name,
  present: isPresent(person),
  joins: person.intervals.length,
  leaves: person.leaves,
  reconnects: person.reconnects,
  seconds_present: presentMs(person, until) / 1000,
  intervals: person.intervals.map(({ from, until: to, reason }) => ({ from: iso(from), to: isoOrNull(to), reason })),
})
