import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { ProjectCommand } from '../../../machines/project/commands.ts'
import { streamName } from '../../../machines/stream.ts'
import type { ProjectRow } from '../../../projections/projects.ts'
import { fields } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { limit, next, title, wholeNumber } from '../../gateway/http/schemas.ts'
import type { FoldHistory } from '../../log/fold-history.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { Numbers } from '../../runtime/numbers.ts'
import type { ProjectAccess, ProjectAt } from './access.ts'
import { type DateOf, projectItem } from './items.ts'
import type { ProjectList } from './list.ts'
import { projectRefusals } from './refusals.ts'
import { ProjectResource } from './resources.ts'
import type { UsersNow } from './users-now.ts'

export interface ProjectRoutesParts {
  readonly admission: AdmissionQueue
  readonly entities: Pick<Entities, 'ask'>
  readonly access: ProjectAccess
  readonly numbers: Numbers
  readonly projects: ProjectList
  readonly history: FoldHistory<ProjectRow>
  readonly users: UsersNow
  readonly dateOf: DateOf
  readonly now: () => number
}

export const PROJECTS = '/api/v1/projects'
export const projectId = { id: wholeNumber }
const description = 'The project'
const userNumber = z.int().min(1)

/** `/api/v1/projects`: who takes part in a project, and what it is called. */
export function projectRoutes(app: OpenAPIHono<HttpEnv>, parts: ProjectRoutesParts): void {
  const { admission, entities, access, numbers, projects, history, users, dateOf, now } = parts
  const { act, read, list } = resources(app, projectRefusals)
  // Others see them by name in what they take part in, and what they change.
  app.use(`${PROJECTS}/*`, async (c, following) => {
    const identity = c.get('identity')
    if (identity.role !== 'visitor') await users.introduce(identity)
    await following()
  })

  const shown = async (project: ProjectAt, { org }: Party) =>
    projectItem(project.number, project, { userOf: await users.of(org, project.participants), dateOf })

  /**
   * Asks the project; gives it as it was after the call, or before it where the call itself was what took them out:
   * also when they repeat one that was answered before.
   */
  const change = async (number: number, command: ProjectCommand, call: Call) => {
    const { by, at: _, ...payload } = command
    const answer = await admission.ask('project', String(number), command, { ...call, payload })
    if (answer instanceof Refusal) return answer
    const after = await access.visible(number, by)
    if (!(after instanceof Refusal) && after.seq === answer.seq) return shown(after, by)
    const stream = streamName('project', String(number))
    const first = (await history.at(stream, answer.seq))?.state
    // A coach takes another one's place in two events.
    const isHalf = command.type === 'DesignateCoach' && first?.coachId !== command.memberId
    const its = isHalf ? (await history.at(stream, answer.seq + 1))?.state : first
    const wasIn = its && !its.isDeleted && (by.role === 'admin' || its.participants.some(({ id }) => id === by.id))
    const then = wasIn ? its : (await history.at(stream, answer.seq - 1))?.state
    return then ? shown({ ...then, number }, by) : after instanceof Refusal ? after : shown(after, by)
  }
  const member = async (number: number, { org }: Party) => {
    const id = await numbers.personOf(number, org)
    if (id === null || (await users.isVisitor(org, id))) return refuse('no-such-user')
    return { id, number }
  }
  /** Whoever may not see the project is told that, and nothing of people. */
  const unlessHidden = async (number: number, by: Party, refusal: Refusal): Promise<Refusal> => {
    const visible = await access.visible(number, by)
    return visible instanceof Refusal ? visible : refusal
  }

  act(
    {
      method: 'post',
      path: PROJECTS,
      summary: 'Create a project, whose owner you are (everybody but visitors)',
      description: 'Created',
      body: fields({ title }),
      data: ProjectResource,
      status: 201,
    },
    async ({ by, call, body }) => {
      if (by.role === 'visitor') return refuse('visitors-have-none')
      const owner = { id: by.id, number: await numbers.of(by) }
      // A named call takes one number, however often it is repeated.
      const key = call.clientId === undefined ? {} : { clientId: call.clientId, payload: body }
      const take = { type: 'TakeNumber', key: `${by.org}.${by.id}`, by, at: now() } as const
      const taken = await entities.ask('counter', 'projects', take, key)
      if (taken instanceof Refusal) return taken
      return change(taken.seq + 1, { type: 'CreateProject', title: body.title, owner, by, at: now() }, call)
    },
  )

  list(
    {
      method: 'get',
      path: PROJECTS,
      heavy: true,
      summary: 'The projects that you take part in; all of your organisation for admins; the latest first',
      description: 'Projects',
      query: { limit: limit(200, 50), after: next },
      items: ProjectResource,
    },
    async ({ by, query: { limit, after } }) => {
      if (by.role === 'visitor') return refuse('visitors-have-none')
      const page = await projects.list({ by }, limit, after)
      const data: Awaited<ReturnType<typeof shown>>[] = []
      for (const [id, row] of page.rows) data.push(await shown({ ...row, number: Number(id) }, by))
      return { data, next: page.next }
    },
  )

  read(
    {
      method: 'get',
      path: `${PROJECTS}/{id}`,
      summary: 'A project (its participants, admins)',
      description,
      params: projectId,
      data: ProjectResource,
    },
    async ({ by, params: { id } }) => {
      const project = await access.visible(id, by)
      return project instanceof Refusal ? project : shown(project, by)
    },
  )

  act(
    {
      method: 'patch',
      path: `${PROJECTS}/{id}`,
      summary: 'Call a project something else (its owner, its coach)',
      description,
      params: projectId,
      body: fields({ title }),
      data: ProjectResource,
    },
    ({ by, call, params: { id }, body }) =>
      change(id, { type: 'RetitleProject', title: body.title, by, at: now() }, call),
  )

  act(
    {
      method: 'delete',
      path: `${PROJECTS}/{id}`,
      summary: 'Delete a project (its owner)',
      description: 'The project as it was',
      params: projectId,
      data: ProjectResource,
    },
    ({ by, call, params: { id } }) => change(id, { type: 'DeleteProject', by, at: now() }, call),
  )

  act(
    {
      method: 'post',
      path: `${PROJECTS}/{id}/participants`,
      summary: 'Add somebody to a project (its owner, its coach)',
      description,
      params: projectId,
      body: fields({ user_id: userNumber }),
      data: ProjectResource,
      status: 201,
    },
    async ({ by, call, params: { id }, body: { user_id } }) => {
      const found = await member(user_id, by)
      if (found instanceof Refusal) return unlessHidden(id, by, found)
      return change(id, { type: 'AddParticipant', member: found, by, at: now() }, call)
    },
  )

  const ofOther =
    (type: 'RemoveParticipant' | 'DesignateCoach') => async (number: number, userId: number, by: Party, call: Call) => {
      const memberId = await numbers.personOf(userId, by.org)
      if (memberId === null) return unlessHidden(number, by, refuse('no-such-user'))
      return change(number, { type, memberId, by, at: now() }, call)
    }

  const remove = ofOther('RemoveParticipant')
  act(
    {
      method: 'delete',
      path: `${PROJECTS}/{id}/participants/{user_id}`,
      summary: 'Take somebody out of a project (its owner, its coach; never the owner)',
      description,
      params: { ...projectId, user_id: wholeNumber },
      data: ProjectResource,
    },
    ({ by, call, params: { id, user_id } }) => remove(id, user_id, by, call),
  )

  const designate = ofOther('DesignateCoach')
  act(
    {
      method: 'put',
      path: `${PROJECTS}/{id}/coach`,
      summary: 'Make a participant the coach of a project (its owner)',
      description,
      params: projectId,
      body: fields({ user_id: userNumber }),
      data: ProjectResource,
    },
    ({ by, call, params: { id }, body: { user_id } }) => designate(id, user_id, by, call),
  )

  act(
    {
      method: 'delete',
      path: `${PROJECTS}/{id}/coach`,
      summary: 'Withdraw the coach of a project, who stays a participant (its owner)',
      description,
      params: projectId,
      data: ProjectResource,
    },
    ({ by, call, params: { id } }) => change(id, { type: 'WithdrawCoach', by, at: now() }, call),
  )

  act(
    {
      method: 'post',
      path: `${PROJECTS}/{id}/leave`,
      summary: 'Leave a project (participants but its owner)',
      description: 'The project as it was',
      params: projectId,
      data: ProjectResource,
    },
    ({ by, call, params: { id } }) => change(id, { type: 'LeaveProject', by, at: now() }, call),
  )
}
