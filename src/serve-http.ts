import { getRequestListener } from '@hono/node-server'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { CatchUp } from './delivery/catch-up.ts'
import type { Contract, Served } from './delivery/contract.ts'
import type { Follower } from './delivery/follower.ts'
import type { OriginCheck } from './gateway/allowed-origins.ts'
import type { Authenticator } from './gateway/auth/authenticator.ts'
import type { Limit } from './gateway/auth/limits.ts'
import { httpApp } from './gateway/http/app.ts'
import { asyncApi } from './gateway/http/asyncapi.ts'
import { bodies } from './gateway/http/bodies.ts'
import type { Entrance } from './gateway/http/entrance.ts'
import { metricsRoute } from './gateway/http/metrics-route.ts'
import { noticesRoute } from './gateway/http/notices.ts'
import type { Log } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import type { openMetrics } from './observe/metrics.ts'
import type { Entities } from './runtime/entities.ts'

export interface ServeHttpOptions {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ReturnType<typeof openMetrics>
  readonly log: Log
  readonly entities: Entities
  readonly follower: Follower
  readonly auth: Authenticator
  readonly perPerson: Limit
  readonly perAddress: Limit
  readonly entrance: Entrance
  readonly origins: OriginCheck
  readonly contracts: readonly Contract[]
  /** In the order of `contracts`. */
  readonly served: readonly Served[]
  readonly catchUp: CatchUp
}

/** Opens the entrance: from here on requests are answered. */
export function serveHttp(options: ServeHttpOptions): void {
  const { config, clock, logger, metrics, log, entities, follower, entrance, contracts, served, catchUp } = options
  const app = httpApp({
    ...{ entities, now: clock.now, authenticator: options.auth, log: logger, perPerson: options.perPerson },
    ...{ requests: options.perAddress, addresses: entrance.addresses, bodies: bodies() },
    ...{ origins: options.origins, asyncApi: asyncApi(contracts), contracts: served },
    readiness: entrance.readiness,
  })
  noticesRoute(app, { log, follower, contracts: served, catchUp })
  metricsRoute(app, { metrics, token: config.metricsToken })
  // HTTP/1.0 may leave Host out; whether it may be served was decided before.
  entrance.open(getRequestListener(app.fetch, { hostname: 'localhost' }))
}
