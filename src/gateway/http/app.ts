import { OpenAPIHono, type z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { cors } from 'hono/cors'
import { authRoutes } from '../../contracts/accounts/http-login.ts'
import { type PeopleList, userRoutes } from '../../contracts/accounts/http-users.ts'
import type { AccountParts } from '../auth/accounts.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { FailureLimit, Limit } from '../auth/limits.ts'
import { originAllowed } from '../sockets/handshake.ts'
import { failed, type HttpLog, thrown } from './errors.ts'
import { bearer, type HttpEnv, jsonBody, limitedBody, namedOnce, perAddress, requestLog } from './middleware.ts'

export interface HttpParts extends AccountParts {
  readonly authenticator: Authenticator
  readonly people: PeopleList
  /** Requests per address. */
  readonly requests: Limit
  /** Failed logins per e-mail and address. */
  readonly logins: FailureLimit
  readonly allowedOrigins: readonly string[]
  readonly log: HttpLog
  /** Which parts are ready for work: all of them, or this node should get no traffic. */
  readonly ready: () => Readonly<Record<string, boolean>>
}

/** A message's content may be 64 KiB; names around it, and its escapes, take some more. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * The whole of HTTP but for Socket.IO: accounts, tokens, health, and `/api/v1/openapi.json`. More routes may be added
 * to the app that this returns; those under `/api/v1/` stand behind the token check, but for `/api/v1/auth/` and the
 * description itself.
 */
export function httpApp(parts: HttpParts): OpenAPIHono<HttpEnv> {
  const { authenticator, entities, log, allowedOrigins, requests, now } = parts
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result, c) => (result.success ? undefined : failed(c, 400, 'bad-request', sentenceOf(result.error))),
  })
  app.onError((error, c) => thrown(c, error, log))
  app.notFound((c) => failed(c, 404, 'not-found', 'there is nothing here: see /api/v1/openapi.json for what there is'))

  app.use(requestLog(log))
  app.get('/livez', (c) => c.json({ data: { alive: true } }))
  app.get('/readyz', (c) => {
    const state = parts.ready()
    return c.json({ data: state }, Object.values(state).every(Boolean) ? 200 : 503)
  })

  app.use('/api/*', perAddress(requests, now))
  app.use(
    '/api/*',
    cors({
      origin: (origin, c) => (originAllowed(origin, c.req.header('Host'), allowedOrigins) ? origin : null),
      maxAge: 600,
    }),
  )
  app.use('/api/*', limitedBody(MAX_BODY_BYTES, tooLarge))
  app.use('/api/*', jsonBody)

  app.doc('/api/v1/openapi.json', { openapi: '3.0.3', info: { title: 'Lyceum', version: '1' } })
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  authRoutes(app, { ...parts, sign: authenticator.sign })
  // Routes above are matched first and end the request; everything below needs a token.
  app.use('/api/v1/*', bearer(authenticator, entities))
  app.use('/api/v1/*', namedOnce(entities, now))
  userRoutes(app, { ...parts, opensAccounts: authenticator.sign !== null })
  return app
}

/**
 * The rest of the body is not read, so the connection is of no further use: a client that is not told would send its
 * next request into it.
 */
function tooLarge(c: Context): Response {
  c.header('Connection', 'close')
  return failed(c, 413, 'too-large', `a body may have at most ${MAX_BODY_BYTES} bytes`)
}

/** The first thing that is wrong, by its place: `role: Invalid option: expected one of …`. */
function sentenceOf({ issues }: z.ZodError): string {
  const [first] = issues
  if (first === undefined) return 'the request is not of the documented shape'
  const place = first.path.join('.')
  return place === '' ? first.message : `${place}: ${first.message}`
}
