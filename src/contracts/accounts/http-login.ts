import type { OpenAPIHono } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { loginId } from '../../gateway/auth/account-ids.ts'
import { type AccountParts, logIn, personOf } from '../../gateway/auth/accounts.ts'
import type { Attempts } from '../../gateway/auth/attempts.ts'
import { type Authenticator, AuthFailure, type Sign } from '../../gateway/auth/authenticator.ts'
import type { Limit } from '../../gateway/auth/limits.ts'
import type { Organisations } from '../../gateway/auth/organisations.ts'
import type { Claims } from '../../gateway/auth/tokens.ts'
import { newVisitorSecret, visitorIdOf } from '../../gateway/auth/visitor-secrets.ts'
import { tooOften } from '../../gateway/http/errors.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { Credentials, Token, Visitor, VisitorToken } from './http-shapes.ts'
import { accountRefusals } from './refusals.ts'

export interface AuthRoutesParts extends AccountParts {
  /** Null when an identity provider issues the tokens. */
  readonly sign: Sign | null
  readonly authenticator: Pick<Authenticator, 'verify'>
  readonly organisations: Organisations
  /** Those who say for the first time that they are there. */
  readonly newPeople: Limit
  /** Per e-mail and address. */
  readonly logins: Attempts
}

/** A working day: long enough not to fall into it, short enough that a token that got out soon is worthless. */
const ACCOUNT_TOKEN_SECONDS = 12 * 3600
/** A visitor who comes back within a day is the same visitor. */
const VISITOR_TOKEN_SECONDS = 24 * 3600

/** However often a token is renewed: whoever logs in proves again who they are. */
const LOG_IN_SECONDS = 30 * 24 * 3600

/**
 * `POST /api/v1/auth/login` and `POST /api/v1/auth/visitor`, the only routes that need no token, and
 * `POST /api/v1/auth/refresh`.
 */
export function authRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthRoutesParts): void {
  const { sign, logins } = parts
  const { openly, act } = resources(app, accountRefusals)

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
      const person = await logins.run(key, () => logIn(parts, { email, password, org, from: address }), isWrong)
      if (typeof person === 'number') return tooOften(person)
      return person instanceof Refusal ? person : tokenOf(parts, sign, person)
    },
  )

  openly(
    {
      method: 'post',
      path: '/api/v1/auth/visitor',
      summary: 'Become a visitor of an organisation, anonymous or named',
      description: 'A token',
      body: Visitor,
      answer: VisitorToken,
    },
    async ({ body: { org_id: org, name, email, visitor_secret: kept }, token, address }) => {
      if (sign === null) return ELSEWHERE
      const known = kept === undefined ? await visitorOf(parts, token, org) : null
      if (known instanceof Refusal) return known
      // Nothing is recorded: who never connects leaves no trace, and where visitors of every organisation are let in,
      // whether it exists stays untold.
      const secret = known === null ? (kept ?? newVisitorSecret()) : null
      const id = known ?? visitorIdOf(org, secret ?? '')
      const before = known === null && kept === undefined ? null : await personOf(parts.entities, org, id)
      if (before?.disabled) return refuse('account-disabled')
      if (known === null && before === null) {
        const waitMs = parts.newPeople.take(`visitor ${address}`)
        if (waitMs !== true) return tooOften(waitMs)
      }
      const no = known === null ? await parts.organisations.admit({ org, role: 'visitor' }) : null
      if (no !== null) return refuse(no.isPassing ? 'overloaded' : 'no-such-organisation', { why: no.message })
      // Who does not say how they are called is called as before.
      const profile = { ...before?.profile, ...(name ? { name } : {}), ...(email ? { email } : {}) }
      const answer = await tokenOf(parts, sign, { id, org, role: 'visitor', profile })
      return answer instanceof Refusal || secret === null
        ? answer
        : { data: { ...answer.data, visitor_secret: secret } }
    },
  )

  act(
    {
      method: 'post',
      path: '/api/v1/auth/refresh',
      summary: 'Trade a token that is still valid for a new one, for thirty days after the log-in',
      description: 'A token',
      data: Token.shape.data,
    },
    async ({ identity, by }) => {
      if (sign === null) return ELSEWHERE
      // An account is the authority on its role and names, not the token before.
      const person = await personOf(parts.entities, by.org, by.id)
      const { role, profile } = person?.account ? { role: person.role, profile: person.profile } : identity
      const answer = await tokenOf(parts, sign, { ...identity, role: role ?? identity.role, profile })
      return answer instanceof Refusal ? answer : answer.data
    },
  )
}

/** The visitor who comes with a token of their own; null = somebody new. */
async function visitorOf({ authenticator }: AuthRoutesParts, token: string | null, org: string) {
  if (token === null) return null
  const identity = await authenticator.verify(token)
  if (identity instanceof AuthFailure) return refuse('token-not-taken', { why: identity.message })
  if (identity.role !== 'visitor' || identity.org !== org) return refuse('not-a-visitor')
  return identity.id
}

const isWrong = (outcome: unknown): boolean => outcome instanceof Refusal && outcome.code === 'bad-credentials'

const ELSEWHERE = refuse('tokens-issued-elsewhere', {
  why: 'tokens are issued by the identity provider of this installation (JWKS_URL), not here',
})

/** A token for as long as its kind lives, but for no longer than a log-in does. */
async function tokenOf({ now }: Pick<AuthRoutesParts, 'now'>, sign: Sign, claims: Claims) {
  const seconds = Math.floor(now() / 1000)
  const loggedInAt = Math.floor(claims.loggedInAt ?? seconds) // others may tell fractions
  const left = loggedInAt + LOG_IN_SECONDS - seconds
  if (left <= 0) return refuse('log-in-again')
  const expires_in = Math.min(left, claims.role === 'visitor' ? VISITOR_TOKEN_SECONDS : ACCOUNT_TOKEN_SECONDS)
  const { profileAt = seconds } = claims
  return { data: { access_token: await sign({ ...claims, loggedInAt, profileAt }, expires_in), expires_in } }
}
