import type { OpenAPIHono } from '@hono/zod-openapi'
import { isStaff, refuse } from '../../../machines/kernel.ts'
import { personOf } from '../../gateway/auth/accounts.ts'
import { introductions } from '../../gateway/auth/introductions.ts'
import type { Identity } from '../../gateway/auth/tokens.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { afterId, id, limit } from '../../gateway/http/schemas.ts'
import type { PersonFacts } from '../shared/people.ts'
import { type AccountChangesParts, accountChanges } from './http-changes.ts'
import { User } from './http-shapes.ts'
import type { PeopleList } from './list.ts'
import { accountRefusals } from './refusals.ts'
import { numbered, USERS, userNow } from './user-now.ts'

export interface UserRoutesParts extends AccountChangesParts {
  readonly people: PeopleList
}

const description = 'The user'

/**
 * `/api/v1/users`: accounts are opened, changed and disabled by admins; staff see their colleagues; everybody sees
 * themselves.
 */
export function userRoutes(app: OpenAPIHono<HttpEnv>, parts: UserRoutesParts): void {
  const { entities, people } = parts
  const { read, list } = resources(app, accountRefusals)
  const { introduce } = introductions(parts)

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
      const data = await Promise.all(page.people.map((person) => numbered(parts, org, person.id, person)))
      return { data, next: page.next }
    },
  )

  read(
    { method: 'get', path: `${USERS}/me`, summary: 'Who you are', description, data: User },
    async ({ identity, by: { org, id, role } }) => {
      // A visitor leaves no trace before they connect.
      if (role !== 'visitor') await introduce(identity)
      return numbered(parts, org, id, (await personOf(entities, org, id)) ?? fromToken(identity))
    },
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
    ({ by, params: { id } }) => (isStaff(by.role) || id === by.id ? userNow(parts, by, id) : refuse('staff-only')),
  )

  accountChanges(app, parts)
}

/** What a token says of somebody of whom nothing has been recorded yet. */
const fromToken = ({ role, profile, iat }: Identity): PersonFacts => ({
  role,
  profile,
  createdAt: iat * 1000,
  updatedAt: null,
  disabled: false,
})
