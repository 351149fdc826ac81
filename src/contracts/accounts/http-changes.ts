import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { PersonCommand } from '../../../machines/person/commands.ts'
import { personName } from '../../../machines/stream.ts'
import { type AccountParts, changePassword, openAccount } from '../../gateway/auth/accounts.ts'
import type { Attempts } from '../../gateway/auth/attempts.ts'
import { tooOften } from '../../gateway/http/errors.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id } from '../../gateway/http/schemas.ts'
import type { Call } from '../../runtime/answer.ts'
import { NewUser, User, UserChanges } from './http-shapes.ts'
import { accountRefusals } from './refusals.ts'
import { USERS, type UserNowParts, userNow } from './user-now.ts'

export interface AccountChangesParts extends AccountParts, Pick<UserNowParts, 'numbers'> {
  /** Wrong passwords, as of log-ins. */
  readonly logins: Attempts
  /** False when an identity provider issues the tokens: an account could not log in. */
  readonly opensAccounts: boolean
}

const description = 'The user'

/** `/api/v1/users`, as far as it is written: accounts are opened, changed and disabled by admins. */
export function accountChanges(app: OpenAPIHono<HttpEnv>, parts: AccountChangesParts): void {
  const { entities, opensAccounts, logins, now } = parts
  const { act } = resources(app, accountRefusals)

  const turned = (type: 'Disable' | 'Enable', id: string, by: Party): PersonCommand =>
    type === 'Disable' ? { type, id, by, at: now() } : { type, by, at: now() }

  act(
    {
      method: 'post',
      path: USERS,
      summary: 'Open an account in your organisation (admins only)',
      description,
      body: NewUser,
      data: User,
      status: 201,
    },
    async ({ by, call, body: { email, password, role, full_name, display_name, org_id } }) => {
      if (!opensAccounts) return ELSEWHERE
      if (org_id !== undefined && org_id !== by.org) return refuse('other-organisation')
      const profile = { ...(full_name ? { full_name } : {}), ...(display_name ? { display_name } : {}) }
      const opened = await openAccount(parts, by, { email, password, role, profile }, call)
      return opened instanceof Refusal ? opened : userNow(parts, by, opened)
    },
  )

  act(
    {
      method: 'patch',
      path: `${USERS}/{id}`,
      summary: 'Change what is named in the body (admins; everybody for themselves, but for disabled)',
      description,
      params: id,
      body: UserChanges,
      data: User,
    },
    async ({ by, call, address, params: { id }, body }) => {
      const { full_name, display_name, password, current_password, disabled } = body
      // The password first: it is what can still be wrong after the shape was checked. Each step is durable by itself,
      // and repeating the whole request completes what a crash cut off.
      if (password !== undefined) {
        // Whoever has somebody's token is not to find out their password by trying.
        const key = `${personName({ org: by.org, id })} ${address}`
        const change = { password, current: current_password }
        const changed = () => changePassword(parts, by, id, change, part(call, 'password'))
        const refusal = await logins.run(key, changed, (outcome) => outcome?.code === 'bad-credentials')
        if (typeof refusal === 'number') return tooOften(refusal)
        if (refusal) return refusal
      }
      const changes = {
        ...(full_name === undefined ? {} : { full_name }),
        ...(display_name === undefined ? {} : { display_name }),
      }
      const commands: PersonCommand[] = []
      if (Object.keys(changes).length > 0) commands.push({ type: 'ChangeProfile', changes, by, at: now() })
      if (disabled !== undefined) commands.push(turned(disabled ? 'Disable' : 'Enable', id, by))
      for (const command of commands) {
        const answer = await entities.ask('person', personName({ org: by.org, id }), command, part(call, command.type))
        if (answer instanceof Refusal) return answer
      }
      return userNow(parts, by, id)
    },
  )

  const turn = async (type: 'Disable' | 'Enable', by: Party, id: string, call: Call) => {
    const answer = await entities.ask('person', personName({ org: by.org, id }), turned(type, id, by), call)
    return answer instanceof Refusal ? answer : userNow(parts, by, id)
  }

  act(
    {
      method: 'post',
      path: `${USERS}/{id}/disable`,
      summary: 'Close the door: sockets of this person close, tokens are no longer taken, known or not (admins only)',
      description,
      params: id,
      data: User,
    },
    ({ by, call, params }) => turn('Disable', by, params.id, call),
  )

  act(
    {
      method: 'post',
      path: `${USERS}/{id}/enable`,
      summary: 'Open it again (admins only)',
      description,
      params: id,
      data: User,
    },
    ({ by, call, params }) => turn('Enable', by, params.id, call),
  )
}

const ELSEWHERE = refuse('tokens-issued-elsewhere', {
  why: 'accounts live at the identity provider of this installation',
})

/** One request may be several commands; each needs a name of its own to be recognised. */
const part = ({ clientId }: Call, name: string): Call =>
  clientId === undefined ? {} : { clientId: `${clientId}#${name}` }
