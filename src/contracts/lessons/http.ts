import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { LessonCommand, LostParticipant } from '../../../machines/lesson/commands.ts'
import { fields } from '../../gateway/http/fields.ts'
import { idFor } from '../../gateway/http/id-for.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, plannedTime, title } from '../../gateway/http/schemas.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { LessonCodes } from './codes.ts'
import { type LessonReadsParts, lessonReads, lessonShown } from './http-reads.ts'
import { lessonRefusals } from './refusals.ts'
import { Lesson } from './resources.ts'

export interface LessonRoutesParts extends LessonReadsParts {
  readonly entities: Pick<Entities, 'ask' | 'judged' | 'latest'>
  readonly codes: LessonCodes
  /** Who is in this lesson, but lost at the moment. */
  readonly lost: (lesson: string) => readonly LostParticipant[]
  readonly overrunMinutes: number
  readonly callOffHours: number
}

const plannedMinutes = z.number().int().min(1).max(1_440)
const plan = { title, starts_at: plannedTime, planned_minutes: plannedMinutes }
const changes = fields({
  title: title.optional(),
  starts_at: plannedTime.optional(),
  planned_minutes: plannedMinutes.optional(),
}).refine((body) => Object.values(body).some((value) => value !== undefined), {
  error: `expected at least one of ${Object.keys(plan).join(', ')}`,
})

/** `/api/v1/lessons`: planned, started and ended by teachers; read by the teachers and admins of the organisation. */
export function lessonRoutes(app: OpenAPIHono<HttpEnv>, parts: LessonRoutesParts): void {
  const { entities, codes, lost, overrunMinutes, callOffHours, now } = parts
  const { act } = resources(app, lessonRefusals)
  const shown = lessonShown(parts)

  /** The answer of a command, as the lesson after it. */
  const after = async (id: string, by: Party, answer: Answer) => (answer instanceof Refusal ? answer : shown(id, by))

  act(
    {
      method: 'post',
      path: '/api/v1/lessons',
      summary: 'Schedule a lesson of your own (teachers); the answer has its join code',
      description: 'Scheduled',
      body: fields(plan),
      data: Lesson,
      status: 201,
    },
    async ({ by, call, body: { title, starts_at: startsAt, planned_minutes: minutes } }) => {
      if (by.role !== 'teacher') return refuse('teachers-only')
      const planned = { title, startsAt, plannedMinutes: minutes }
      const id = idFor('lesson', by, call)
      // A repeat finds its lesson by the key, and needs no second code.
      const known = (await entities.latest('lesson', id)).state.context.code
      const code = known === '' ? await codes.reserve(id, by, now()) : known
      if (code instanceof Refusal) return code
      const command = { type: 'ScheduleLesson', ...planned, code, callOffHours, by, at: now() } as const
      return after(id, by, await entities.ask('lesson', id, command, { ...call, payload: planned }))
    },
  )

  act(
    {
      method: 'patch',
      path: '/api/v1/lessons/{id}',
      summary: 'Change the title or the time of a lesson that has not begun (its teacher, admins)',
      description: 'The lesson',
      params: id,
      body: changes,
      data: Lesson,
    },
    async ({ by, call, params: { id }, body: { title, starts_at: startsAt, planned_minutes: minutes } }) => {
      const change = { title, startsAt, plannedMinutes: minutes }
      const command = { type: 'ChangeLessonPlan', ...change, callOffHours, by, at: now() } as const
      return after(id, by, await entities.ask('lesson', id, command, { ...call, payload: change }))
    },
  )

  /** Asks a lesson for something that has no more to say, and answers with the lesson after it. */
  const ask = async (id: string, command: LessonCommand, call: Call) =>
    after(id, command.by, await entities.ask('lesson', id, command, { ...call, payload: null }))

  act(
    {
      method: 'post',
      path: '/api/v1/lessons/{id}/start',
      summary: 'Start a lesson (its teacher, admins)',
      description: 'The lesson',
      params: id,
      data: Lesson,
    },
    ({ by, call, params }) => ask(params.id, { type: 'StartLesson', overrunMinutes, by, at: now() }, call),
  )

  act(
    {
      method: 'post',
      path: '/api/v1/lessons/{id}/end',
      summary: 'End a lesson, or call it off before it began (its teacher, admins)',
      description: 'The lesson',
      params: id,
      data: Lesson,
    },
    ({ by, call, params }) => ask(params.id, { type: 'EndLesson', lost: lost(params.id), by, at: now() }, call),
  )

  lessonReads(app, parts)
}
