import type { OpenAPIHono } from '@hono/zod-openapi'
import { isStaff, type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { PersonCommand } from '../../../machines/person/commands.ts'
import type { ProfileChanges } from '../../../machines/person/profile.ts'
import { type AccountParts, changePassword, openAccount, personOf } from '../../gateway/auth/accounts.ts'
import { type Identity, partyOf } from '../../gateway/auth/authenticator.ts'
import { failed, refused } from '../../gateway/http/errors.ts'
import { callOf, type HttpEnv } from '../../gateway/http/middleware.ts'
import type { Call } from '../../runtime/answer.ts'
import { type PersonFacts, staffUser, visitorUser } from '../shared/people.ts'
import { changeUser, createUser, disableUser, enableUser, listUsers, myUser, readUser } from './users-routes.ts'

/** The people of one organisation but its visitors, by id, from the view `people` (its list `users/<org>/<id>`). */
export interface PeopleList {
  /** Those with an id greater than `after`. `next` is the last id here when there is more. */
  list(org: string, page: { readonly limit: number; readonly after?: string }): Promise<PeoplePage>
}

export interface PeoplePage {
  readonly people: readonly (PersonFacts & { readonly id: string })[]
  readonly next?: string
}

export interface UserRoutesParts extends AccountParts {
  readonly people: PeopleList
  /** False when an identity provider issues the tokens: an account could not log in. */
  readonly opensAccounts: boolean
}

/**
 * `/api/v1/users`: accounts are opened, changed and disabled by admins; staff see their colleagues; everybody sees
 * themselves.
 */
export function userRoutes(app: OpenAPIHono<HttpEnv>, parts: UserRoutesParts): void {
  const { entities, people, now } = parts

  app.openapi(myUser, async (c) => {
    const identity = c.get('identity')
    const person = await personOf(entities, identity.org, identity.id)
    return c.json({ data: resource(identity.org, identity.id, person ?? fromToken(identity)) }, 200)
  })

  app.openapi(listUsers, async (c) => {
    const { org, role } = c.get('identity')
    if (!isStaff(role)) return refused(c, refuse('staff-only'))
    const { limit, after } = c.req.valid('query')
    const page = await people.list(org, { limit, ...(after === undefined ? {} : { after }) })
    const data = page.people.map((person) => resource(org, person.id, person))
    return c.json(page.next === undefined ? { data } : { data, next: page.next }, 200)
  })

  app.openapi(readUser, async (c) => {
    const { org, id: me, role } = c.get('identity')
    const { id } = c.req.valid('param')
    if (!isStaff(role) && id !== me) return refused(c, refuse('staff-only'))
    const person = await personOf(entities, org, id)
    return person === null ? refused(c, refuse('no-such-person')) : c.json({ data: resource(org, id, person) }, 200)
  })

  app.openapi(createUser, async (c) => {
    if (!parts.opensAccounts)
      return failed(c, 404, 'tokens-issued-elsewhere', 'accounts live at the identity provider of this installation')
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { email, password, role, full_name, display_name, org_id } = c.req.valid('json')
    if (org_id !== undefined && org_id !== by.org)
      return failed(c, 403, 'other-organisation', 'accounts are opened in your own organisation: leave org_id out')
    const profile = { ...(full_name ? { full_name } : {}), ...(display_name ? { display_name } : {}) }
    const id = await openAccount(parts, by, { email, password, role, profile }, call)
    if (id instanceof Refusal) return refused(c, id)
    const person = await personOf(entities, by.org, id)
    if (person === null) throw new Error('an account that was just opened is not there')
    return c.json({ data: resource(by.org, id, person) }, 201)
  })

  app.openapi(changeUser, async (c) => {
    const by = partyOf(c.get('identity'))
    const { id } = c.req.valid('param')
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { full_name, display_name, password, current_password, disabled } = c.req.valid('json')

    // The password first: it is what can still be wrong after the shape was checked. Each step is durable by itself,
    // and repeating the whole request completes what a crash cut off.
    if (password !== undefined) {
      const refusal = await changePassword(
        parts,
        by,
        id,
        { password, current: current_password },
        part(call, 'password'),
      )
      if (refusal) return refused(c, refusal)
    }
    const changes: ProfileChanges = {
      ...(full_name === undefined ? {} : { full_name }),
      ...(display_name === undefined ? {} : { display_name }),
    }
    const commands: PersonCommand[] = []
    if (Object.keys(changes).length > 0) commands.push({ type: 'ChangeProfile', changes, by, at: now() })
    if (disabled !== undefined) commands.push({ type: disabled ? 'Disable' : 'Enable', by, at: now() })
    for (const command of commands) {
      const answer = await entities.ask('person', `${by.org}.${id}`, command, part(call, command.type))
      if (answer instanceof Refusal) return refused(c, answer)
    }
    const person = await personOf(entities, by.org, id)
    return person === null ? refused(c, refuse('no-such-person')) : c.json({ data: resource(by.org, id, person) }, 200)
  })

  const turn = async (type: 'Disable' | 'Enable', by: Party, id: string, call: Call) => {
    const answer = await entities.ask('person', `${by.org}.${id}`, { type, by, at: now() }, call)
    return answer instanceof Refusal ? answer : ((await personOf(entities, by.org, id)) ?? refuse('no-such-person'))
  }
  for (const [route, type] of [
    [disableUser, 'Disable'],
    [enableUser, 'Enable'],
  ] as const) {
    app.openapi(route, async (c) => {
      const by = partyOf(c.get('identity'))
      const { id } = c.req.valid('param')
      const call = callOf(c)
      if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
      const person = await turn(type, by, id, call)
      return person instanceof Refusal ? refused(c, person) : c.json({ data: resource(by.org, id, person) }, 200)
    })
  }
}

const KEY_SHAPE = 'Idempotency-Key must be 1 to 128 printable ASCII characters'

/** One request may be several commands; each needs a name of its own to be recognised. */
const part = ({ clientId }: Call, name: string): Call =>
  clientId === undefined ? {} : { clientId: `${clientId}#${name}` }

/** What a token says of somebody of whom nothing has been recorded yet. */
const fromToken = ({ role, profile, iat }: Identity): PersonFacts => ({
  role,
  profile,
  createdAt: iat * 1000,
  updatedAt: null,
  disabled: false,
})

const resource = (org: string, id: string, person: PersonFacts) =>
  person.role === 'visitor'
    ? { ...visitorUser(id, person), organisation_id: org, role: person.role }
    : { ...staffUser(org, id, person), role: person.role }
