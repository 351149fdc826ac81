import { OpenAPIHono } from '@hono/zod-openapi'
import type { Handler } from 'hono'
import { cors } from 'hono/cors'
import type { Entities } from '../../runtime/entities.ts'
import type { OriginCheck } from '../allowed-origins.ts'
import type { Limit } from '../auth/limits.ts'
import type { Readiness } from './entrance.ts'
import { failed, type HttpLog, thrown } from './errors.ts'
import { heavyAnswers } from './heavy-answers.ts'
import { heavyTurn } from './heavy-turn.ts'
import {
  type BearerParts,
  bearer,
  type ComingParts,
  coming,
  type HttpEnv,
  perAddress,
  requestLog,
} from './middleware.ts'
import { namedOnce } from './named-once.ts'

export interface HttpParts extends BearerParts, ComingParts {
  readonly entities: Pick<Entities, 'ask' | 'state' | 'remembered'>
  readonly now: () => number
  /** Requests per address. */
  readonly requests: Limit
  readonly origins: OriginCheck
  readonly log: HttpLog
  readonly readiness: () => Readiness
  /** The description of what goes over Socket.IO. */
  readonly asyncApi: object
  readonly contracts: readonly { readonly routes?: (app: OpenAPIHono<HttpEnv>) => void }[]
}

/**
 * The whole of HTTP but for Socket.IO: health, the descriptions (`/api/v1/openapi.json`,
 * `/api/v1/asyncapi.json`), and the routes of the contracts. More may be
 * added to the app that this returns. Whatever is under `/api/v1/` stands behind the token check, but for that
 * description and for routes that say that they are open.
 */
export function httpApp(parts: HttpParts): OpenAPIHono<HttpEnv> {
  const { entities, log, origins, requests, now, contracts } = parts
  const app = new OpenAPIHono<HttpEnv>()
  app.onError((error, c) => thrown(c, error, log))
  app.notFound((c) => failed(c, 404, 'not-found', 'there is nothing here: see /api/v1/openapi.json for what there is'))

  app.use(requestLog(log))
  app.use(coming(parts))
  app.get('/livez', (c) => c.json({ data: { alive: true } }))
  app.get('/readyz', (c) => {
    const state = parts.readiness()
    if (Object.values(state).every((part) => part === true)) return c.json({ data: state })
    return c.json({ data: state }, 503, { 'Retry-After': '1' })
  })

  app.use('/api/*', perAddress(requests))
  app.use(
    '/api/*',
    cors({
      // Hono says '' of a program, which sends none.
      origin: (origin, c) => (origin !== '' && origins(origin, c.req.header('Host')) ? origin : null),
      exposeHeaders: ['Retry-After'],
      maxAge: 600,
    }),
  )

  const described = { openapi: '3.0.3', info: { title: 'Lyceum', version: '1' } }
  app.get(
    '/api/v1/openapi.json',
    madeOnce(() => app.getOpenAPIDocument(described)),
  )
  app.get(
    '/api/v1/asyncapi.json',
    madeOnce(() => parts.asyncApi),
  )
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  // The descriptions above are matched first and end the request; everything below needs a token.
  app.use('/api/v1/*', bearer(parts))
  const once = namedOnce(entities, now)
  const heavy = heavyTurn(heavyAnswers())
  app.use('/api/v1/*', (c, next) => {
    c.set('namedOnce', once)
    c.set('heavyTurn', heavy)
    return next()
  })
  for (const { routes } of contracts) routes?.(app)
  return app
}

/** Anybody may ask for it as often as they like, so it is written down at the first time and then only sent. */
function madeOnce(make: () => object): Handler<HttpEnv> {
  let text: string | undefined
  return (c) => {
    text ??= JSON.stringify(make())
    return c.body(text, 200, { 'Content-Type': 'application/json' })
  }
}
