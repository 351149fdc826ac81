import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { cors } from 'hono/cors'
import type { Entities } from '../../runtime/entities.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Limit } from '../auth/limits.ts'
import { originAllowed } from '../sockets/handshake.ts'
import type { Readiness } from './entrance.ts'
import { failed, type HttpLog, thrown } from './errors.ts'
import { bearer, type HttpEnv, limitedBody, perAddress, requestLog } from './middleware.ts'
import { namedOnce } from './named-once.ts'

export interface HttpParts {
  readonly authenticator: Authenticator
  readonly entities: Pick<Entities, 'ask' | 'state' | 'remembered'>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Requests per address. */
  readonly requests: Limit
  readonly allowedOrigins: readonly string[]
  readonly log: HttpLog
  readonly readiness: () => Readiness
  /** The description of what goes over Socket.IO. */
  readonly asyncApi: object
  readonly contracts: readonly { readonly routes?: (app: OpenAPIHono<HttpEnv>) => void }[]
}

/** A message's content may be 64 KiB; names around it, and its escapes, take some more. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * The whole of HTTP but for Socket.IO: health, the descriptions (`/api/v1/openapi.json`,
 * `/api/v1/asyncapi.json`), and the routes of the contracts. More may be
 * added to the app that this returns. Whatever is under `/api/v1/` stands behind the token check, but for that
 * description and for routes that say that they are open.
 */
export function httpApp(parts: HttpParts): OpenAPIHono<HttpEnv> {
  const { authenticator, entities, log, allowedOrigins, requests, now, contracts } = parts
  const app = new OpenAPIHono<HttpEnv>()
  app.onError((error, c) => thrown(c, error, log))
  app.notFound((c) => failed(c, 404, 'not-found', 'there is nothing here: see /api/v1/openapi.json for what there is'))

  app.use(requestLog(log))
  app.get('/livez', (c) => c.json({ data: { alive: true } }))
  app.get('/readyz', (c) => {
    const state = parts.readiness()
    return c.json({ data: state }, Object.values(state).every((part) => part === true) ? 200 : 503)
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

  app.doc('/api/v1/openapi.json', { openapi: '3.0.3', info: { title: 'Lyceum', version: '1' } })
  app.get('/api/v1/asyncapi.json', (c) => c.json(parts.asyncApi))
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  // The descriptions above are matched first and end the request; everything below needs a token.
  app.use('/api/v1/*', bearer(authenticator, entities))
  const once = namedOnce(entities, now)
  app.use('/api/v1/*', (c, next) => {
    c.set('namedOnce', once)
    return next()
  })
  for (const { routes } of contracts) routes?.(app)
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
