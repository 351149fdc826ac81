import { randomBytes } from 'node:crypto'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal } from '../../../machines/kernel.ts'
import { loginId } from '../../gateway/auth/account-ids.ts'
import { type AccountParts, logIn } from '../../gateway/auth/accounts.ts'
import type { Sign } from '../../gateway/auth/authenticator.ts'
import type { FailureLimit } from '../../gateway/auth/limits.ts'
import { MAX_PASSWORD_CHARACTERS } from '../../gateway/auth/passwords.ts'
import { ID } from '../../gateway/auth/tokens.ts'
import { failed, refused, tooOften, withFailures } from '../../gateway/http/errors.ts'
import { addressOf, type HttpEnv } from '../../gateway/http/middleware.ts'

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

const org = z.string().regex(ID, 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -')
const credentials = z
  .object({
    email: z.string().min(1).max(320),
    password: z.string().min(1).max(MAX_PASSWORD_CHARACTERS),
    org_id: org.optional(),
  })
  .openapi('Credentials')
const visitor = z
  .object({ org_id: org, name: z.string().max(320).nullish(), email: z.string().max(320).nullish() })
  .openapi('Visitor')
const token = z
  .object({
    data: z.object({ access_token: z.string(), expires_in: z.number().int().openapi({ description: 'seconds' }) }),
  })
  .openapi('Token')

const body = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { 'application/json': { schema } } },
})
const issued = withFailures({ 200: { description: 'A token', content: { 'application/json': { schema: token } } } })
const login = createRoute({
  method: 'post',
  path: '/api/v1/auth/login',
  summary: 'Trade e-mail and password for a token',
  request: body(credentials),
  responses: issued,
})
const visit = createRoute({
  method: 'post',
  path: '/api/v1/auth/visitor',
  summary: 'Become a visitor of an organisation, anonymous or named',
  request: body(visitor),
  responses: issued,
})

/** `POST /api/v1/auth/login` and `POST /api/v1/auth/visitor`: the only routes that need no token. */
export function authRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthRoutesParts): void {
  const { sign, logins } = parts

  app.openapi(login, async (c) => {
    if (sign === null) return failed(c, 404, 'tokens-issued-elsewhere', ELSEWHERE)
    const { email, password, org_id } = c.req.valid('json')
    const key = `${loginId(email)} ${addressOf(c)}`
    const heard = await logins.begin(key)
    if (heard !== true) return tooOften(c, heard)

    const person = await logIn(parts, { email, password, org: org_id })
    if (person instanceof Refusal) {
      if (person.code !== 'bad-credentials') await logins.succeeded(key)
      return refused(c, person)
    }
    await logins.succeeded(key)
    const { id, org, role, profile } = person
    c.header('Cache-Control', 'no-store')
    return c.json(
      {
        data: {
          access_token: await sign({ id, org, role, profile }, ACCOUNT_TOKEN_SECONDS),
          expires_in: ACCOUNT_TOKEN_SECONDS,
        },
      },
      200,
    )
  })

  app.openapi(visit, async (c) => {
    if (sign === null) return failed(c, 404, 'tokens-issued-elsewhere', ELSEWHERE)
    const { org_id, name, email } = c.req.valid('json')
    // Nothing is recorded: who never connects leaves no trace, and whether the organisation exists stays untold.
    const claims = {
      id: randomBytes(16).toString('hex'),
      org: org_id,
      role: 'visitor',
      profile: { ...(name ? { name } : {}), ...(email ? { email } : {}) },
    } as const
    c.header('Cache-Control', 'no-store')
    return c.json(
      { data: { access_token: await sign(claims, VISITOR_TOKEN_SECONDS), expires_in: VISITOR_TOKEN_SECONDS } },
      200,
    )
  })
}

const ELSEWHERE = 'tokens are issued by the identity provider of this installation (JWKS_URL), not here'
