import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { refuse } from '../../../machines/kernel.ts'
import { isOutdated } from '../../../machines/person/log-in.ts'
import { personName } from '../../../machines/stream.ts'
import type { Entities } from '../../runtime/entities.ts'
import { personOf } from '../auth/accounts.ts'
import { type Authenticator, AuthFailure } from '../auth/authenticator.ts'
import type { Limit } from '../auth/limits.ts'
import { type Identity, tokenFrom } from '../auth/tokens.ts'
import type { ClientAddresses } from '../client-address.ts'
import { httpRefusals } from '../refusals.ts'
import type { Bodies } from './bodies.ts'
import { failed, type HttpLog, refused, tooOften } from './errors.ts'
import type { HeavyTurn } from './heavy-turn.ts'
import type { NamedOnce } from './named-once.ts'
import { isOpen } from './open-routes.ts'

/** What handlers find on their context: `identity` wherever a token is needed, `body` on routes that write. */
export interface HttpEnv {
  /** Of Node itself. */
  Bindings: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse }
  Variables: {
    /** By which they are counted. */
    address: string
    identity: Identity
    /** Reads the body, which is not touched before. */
    readBody: (mostBytes: number) => ReturnType<Bodies['read']>
    /** As it was read. */
    body: string
    namedOnce: NamedOnce
    heavyTurn: HeavyTurn
  }
}

export interface ComingParts {
  readonly addresses: ClientAddresses
  readonly bodies: Bodies
}

/** First of all: whose request it is, and how its body would be read. */
export const coming =
  ({ addresses, bodies }: ComingParts): MiddlewareHandler<HttpEnv> =>
  (c, next) => {
    const { incoming } = c.env
    const address = addresses.of(incoming)
    c.set('address', address)
    c.set('readBody', (mostBytes) => bodies.read(incoming, address, mostBytes))
    return next()
  }

export interface BearerParts {
  readonly authenticator: Pick<Authenticator, 'verify'>
  readonly entities: Pick<Entities, 'state'>
  /** What one person may ask for, here and on sockets together. */
  readonly perPerson: Limit
}

/**
 * Lets in whoever has a valid token, does not ask too often and is not disabled; puts `identity` on the context. Open
 * routes need no token.
 */
export function bearer({ authenticator, entities, perPerson }: BearerParts): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (isOpen(c)) return next()
    const identity = await authenticator.verify(tokenFrom(c.req.header('Authorization')))
    if (identity instanceof AuthFailure) {
      if (identity.isPassing) return failed(c, 503, identity.code, identity.message)
      c.header('WWW-Authenticate', 'Bearer')
      return failed(c, 401, identity.code, identity.message)
    }
    const allowed = perPerson.take(personName(identity))
    if (allowed !== true) return refused(c, tooOften(allowed), httpRefusals)
    const person = await personOf(entities, identity.org, identity.id)
    if (person?.disabled) return refused(c, refuse('account-disabled'), httpRefusals)
    if (person && isOutdated(identity, person)) return refused(c, refuse('token-outdated'), httpRefusals)
    c.set('identity', identity)
    return next()
  }
}

/** Answers 429 to an address that asks more often than the limit lets it. */
export const perAddress =
  (limit: Limit): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const allowed = limit.take(c.get('address'))
    return allowed === true ? next() : refused(c, tooOften(allowed), httpRefusals)
  }

/**
 * One line per request: the pattern of the route that answered, never the path (it may hold a token), the query, a
 * header or a body.
 */
export const requestLog =
  (log: HttpLog): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const startedAt = performance.now()
    await next()
    const ms = Math.round((performance.now() - startedAt) * 10) / 10
    log.debug({ method: c.req.method, route: routePath(c), status: c.res.status, ms }, 'request')
  }
