import { randomBytes } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { loginId } from '../../gateway/auth/account-ids.ts'
import { type AccountParts, logIn } from '../../gateway/auth/accounts.ts'
import type { Sign } from '../../gateway/auth/authenticator.ts'
import type { FailureLimit } from '../../gateway/auth/limits.ts'
import type { Claims } from '../../gateway/auth/tokens.ts'
import { tooOften } from '../../gateway/http/errors.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { Credentials, Token, Visitor } from './http-shapes.ts'
import { accountRefusals } from './refusals.ts'

export interface AuthRoutesParts extends AccountParts {
  /** Null when an identity provider issues the tokens. */
  readonly sign: Sign | null
  /** Per e-mail and address. */
  readonly logins: FailureLimit
}

/** A working day: long enough not to fall into it, short enough that a token that got out soon is worthless. */
const ACCOUNT_TOKEN_SECONDS = 12 * 3600
/** A visitor who comes back within a day is the same visitor. */
const VISITOR_TOKEN_SECONDS = 24 * 3600

/** `POST /api/v1/auth/login` and `POST /api/v1/auth/visitor`: the only routes that need no token. */
export function authRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthRoutesParts): void {
  const { sign, logins } = parts
  const { openly } = resources(app, accountRefusals)

  openly(
    {
      method: 'post',
      path: '/api/v1/auth/login',
      summary: 'Trade e-mail and password for a token',
      description: 'A token',
      body: Credentials,
      answer: Token,
    },
    async ({ body: { email, password, org_id: org }, address }) => {
      if (sign === null) return ELSEWHERE
      const key = `${loginId(email)} ${address}`
      const waitMs = await logins.begin(key)
      if (waitMs !== true) return tooOften(waitMs)

      const person = await logIn(parts, { email, password, org })
      if (!(person instanceof Refusal) || person.code !== 'bad-credentials') await logins.succeeded(key)
      return person instanceof Refusal ? person : tokenOf(sign, person, ACCOUNT_TOKEN_SECONDS)
    },
  )

  openly(
    {
      method: 'post',
      path: '/api/v1/auth/visitor',
      summary: 'Become a visitor of an organisation, anonymous or named',
      description: 'A token',
      body: Visitor,
      answer: Token,
    },
    ({ body: { org_id: org, name, email } }) => {
      if (sign === null) return ELSEWHERE
      // Nothing is recorded: who never connects leaves no trace, and whether the organisation exists stays untold.
      const profile = { ...(name ? { name } : {}), ...(email ? { email } : {}) }
      const id = randomBytes(16).toString('hex')
      return tokenOf(sign, { id, org, role: 'visitor', profile }, VISITOR_TOKEN_SECONDS)
    },
  )
}

const ELSEWHERE = refuse('tokens-issued-elsewhere', {
  why: 'tokens are issued by the identity provider of this installation (JWKS_URL), not here',
})

async function tokenOf(sign: Sign, { id, org, role, profile }: Claims, seconds: number) {
  return { data: { access_token: await sign({ id, org, role, profile }, seconds), expires_in: seconds } }
}
