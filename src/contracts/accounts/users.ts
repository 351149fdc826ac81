import type { OpenAPIHono } from '@hono/zod-openapi'
import { isStaff, type Party, refuse } from '../../../machines/kernel.ts'
import { type AccountParts, personOf } from '../../gateway/auth/accounts.ts'
import type { Identity } from '../../gateway/auth/authenticator.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { afterId, id, limit } from '../../gateway/http/schemas.ts'
import type { PersonFacts } from '../shared/people.ts'
import type { PeopleList } from './list.ts'
import { accountRefusals } from './refusals.ts'
import { User, userResource } from './shapes.ts'

export interface UserRoutesParts {
  readonly entities: Pick<AccountParts['entities'], 'state'>
  readonly people: PeopleList
}

export const USERS = '/api/v1/users'
const description = 'The user'

/** `/api/v1/users`, as far as it is read: staff see their colleagues; everybody sees themselves. */
export function userRoutes(app: OpenAPIHono<HttpEnv>, { entities, people }: UserRoutesParts): void {
  const { read, list } = resources(app, accountRefusals)

  list(
    {
      method: 'get',
      path: USERS,
      summary: 'The users of your organisation (staff only)',
      description: 'Users by id, but for visitors',
      query: { limit: limit(200, 50), after: afterId },
      items: User,
    },
    async ({ by: { org, role }, query }) => {
      if (!isStaff(role)) return refuse('staff-only')
      const page = await people.list(org, query)
      return { data: page.people.map((person) => userResource(org, person.id, person)), next: page.next }
    },
  )

  read(
    { method: 'get', path: `${USERS}/me`, summary: 'Who you are', description, data: User },
    async ({ identity, by: { org, id } }) =>
      userResource(org, id, (await personOf(entities, org, id)) ?? fromToken(identity)),
  )

  read(
    {
      method: 'get',
      path: `${USERS}/{id}`,
      summary: 'One user (staff; everybody for themselves)',
      description,
      params: id,
      data: User,
    },
    ({ by, params: { id } }) => (isStaff(by.role) || id === by.id ? userNow(entities, by, id) : refuse('staff-only')),
  )
}

/** A user of the asker's organisation. */
export async function userNow(entities: UserRoutesParts['entities'], { org }: Party, id: string) {
  const person = await personOf(entities, org, id)
  return person === null ? refuse('no-such-person') : userResource(org, id, person)
}

/** What a token says of somebody of whom nothing has been recorded yet. */
const fromToken = ({ role, profile, iat }: Identity): PersonFacts => ({
  role,
  profile,
  createdAt: iat * 1000,
  updatedAt: null,
  disabled: false,
})
