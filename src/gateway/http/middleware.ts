import type { ServerResponse } from 'node:http'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { routePath } from 'hono/route'
import { refuse } from '../../../machines/kernel.ts'
import { isOutdated } from '../../../machines/person/log-in.ts'
import type { Entities } from '../../runtime/entities.ts'
import { personOf } from '../auth/accounts.ts'
import { type Authenticator, AuthFailure } from '../auth/authenticator.ts'
import type { Limit } from '../auth/limits.ts'
import { type Identity, tokenFrom } from '../auth/tokens.ts'
import { httpRefusals } from '../refusals.ts'
import { failed, type HttpLog, refused, tooOften } from './errors.ts'
import type { NamedOnce } from './named-once.ts'
import { isOpen } from './open-routes.ts'

/** What handlers find on their context: `identity` wherever a token is needed. */
export interface HttpEnv {
  Bindings: {
    readonly incoming?: { readonly socket: { readonly remoteAddress?: string } }
    /** Of Node itself: for answers that do not end. */
    readonly outgoing?: ServerResponse
  }
  Variables: { identity: Identity; namedOnce: NamedOnce }
}

/**
 * The peer's address. Behind a proxy it is the proxy's: headers that say otherwise could be anybody's and are not
 * believed.
 */
export const addressOf = (c: Context<HttpEnv>): string => c.env?.incoming?.socket.remoteAddress ?? 'unknown'

/** Lets in whoever has a valid token and is not disabled; puts `identity` on the context. Open routes need no token. */
export function bearer(authenticator: Authenticator, entities: Pick<Entities, 'state'>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (isOpen(c)) return next()
    const identity = await authenticator.verify(tokenFrom(c.req.header('Authorization')))
    if (identity instanceof AuthFailure) {
      if (identity.code === 'keys-unavailable') return failed(c, 503, identity.code, identity.message)
      c.header('WWW-Authenticate', 'Bearer')
      return failed(c, 401, identity.code, identity.message)
    }
    const person = await personOf(entities, identity.org, identity.id)
    if (person?.disabled) return refused(c, refuse('account-disabled'), httpRefusals)
    if (person && isOutdated(identity, person)) return refused(c, refuse('token-outdated'), httpRefusals)
    c.set('identity', identity)
    return next()
  }
}

/** Answers 429 to an address that asks more often than the limit lets it. */
export const perAddress =
  (limit: Limit, now: () => number): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const allowed = limit.take(addressOf(c), now())
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

/**
 * Bounds what a body may hold. Where its length is told, Node reads no more than that: the library's way to look at it
 * costs a tenth of a millisecond, and is taken only where a body comes in pieces.
 */
export function limitedBody(maxSize: number, onError: (c: Context) => Response): MiddlewareHandler<HttpEnv> {
  const inPieces = bodyLimit({ maxSize, onError })
  return async (c, next) => {
    if (c.req.header('Transfer-Encoding') !== undefined) return inPieces(c, next)
    return Number(c.req.header('Content-Length') ?? 0) > maxSize ? onError(c) : next()
  }
}
