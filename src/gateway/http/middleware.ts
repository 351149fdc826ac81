import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { routePath } from 'hono/route'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { derivedId } from '../../runtime/ids.ts'
import { personOf } from '../auth/accounts.ts'
import { type Authenticator, AuthFailure, type Identity, partyOf } from '../auth/authenticator.ts'
import type { Limit } from '../auth/limits.ts'
import { tokenFrom } from '../auth/tokens.ts'
import { failed, type HttpLog, refused, tooOften } from './errors.ts'

/** What handlers find on their context: `identity` behind `bearer` only. */
export interface HttpEnv {
  Bindings: { readonly incoming?: { readonly socket: { readonly remoteAddress?: string } } }
  /** `repeated`: the request was answered with success before, under the same `Idempotency-Key`. */
  Variables: { identity: Identity; repeated?: true }
}

/**
 * The peer's address. Behind a proxy it is the proxy's: headers that say otherwise could be anybody's and are not
 * believed.
 */
export const addressOf = (c: Context<HttpEnv>): string => c.env?.incoming?.socket.remoteAddress ?? 'unknown'

/** Lets in whoever has a valid token and is not disabled; puts `identity` on the context. */
export function bearer(authenticator: Authenticator, entities: Pick<Entities, 'state'>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const identity = await authenticator.verify(tokenFrom(c.req.header('Authorization')))
    if (identity instanceof AuthFailure) {
      if (identity.code === 'keys-unavailable') return failed(c, 503, identity.code, identity.message)
      c.header('WWW-Authenticate', 'Bearer')
      return failed(c, 401, identity.code, identity.message)
    }
    if ((await personOf(entities, identity.org, identity.id))?.disabled) return refused(c, refuse('account-disabled'))
    c.set('identity', identity)
    return next()
  }
}

/** Answers 429 to an address that asks more often than the limit lets it. */
export const perAddress =
  (limit: Limit, now: () => number): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const allowed = limit.take(addressOf(c), now())
    return allowed === true ? next() : tooOften(c, allowed)
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

/** Tells what is wrong with a body that is no JSON, before a route's own check would say only that it is. */
export const jsonBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  const text = await c.req.text() // kept by the framework: the route reads it again from memory
  if (text === '') return next()
  const type = c.req.header('Content-Type') ?? 'none'
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) {
    return failed(c, 400, 'bad-request', `Content-Type must be application/json, got ${type.slice(0, 60)}`)
  }
  try {
    JSON.parse(text)
  } catch (error) {
    // JSON.parse throws SyntaxError only
    return failed(c, 400, 'malformed-json', `the body is not JSON: ${(error as Error).message}`)
  }
  return next()
}

/** Where a body may be left out: an empty one is left out, too, whatever its Content-Type says. */
export const bodyOrNone: MiddlewareHandler = async (c, next) => {
  const empty = c.req.header('Content-Type') !== undefined && (await c.req.text()) === ''
  if (empty) Object.assign(c.req.bodyCache, { text: Promise.resolve('{}') }) // what the route's own check reads next
  return next()
}

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/

/** The call that an `Idempotency-Key` names, an unnamed one without it, or null when the key has the wrong shape. */
export function callOf(c: Context<HttpEnv>): Call | null {
  const key = c.req.header('Idempotency-Key')
  if (key === undefined) return {}
  return IDEMPOTENCY_KEY.test(key) ? { clientId: key, repeated: c.get('repeated') === true } : null
}

/**
 * One `Idempotency-Key` of one person names one request, whatever it writes to: a reuse for another one is refused. The
 * rooms below make a repeat of what they recorded harmless; this remembers, for keys that were answered with success,
 * which request they named, so that a repeat of what changed nothing changes nothing, either. (Passwords are left out:
 * a quick digest of one must not be in the log.) A crash after the write and before this note leaves only the reuse
 * unnoticed.
 */
export const namedOnce =
  (entities: Pick<Entities, 'ask' | 'remembered'>, now: () => number): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const call = callOf(c)
    if (c.req.method === 'GET' || call?.clientId === undefined) return next()
    const by = partyOf(c.get('identity'))
    const named = { ...call, payload: [c.req.method, c.req.path, withoutPasswords(await c.req.text())] }
    const id = derivedId(`request ${by.org}.${by.id} ${call.clientId}`)
    const command = { type: 'NameRequest', by, at: now() } as const
    const known = await entities.remembered('request', id, command, named)
    if (known instanceof Refusal) return refused(c, known)
    if (known) c.set('repeated', true)
    await next()
    if (c.res.ok && !known) await entities.ask('request', id, command, named)
  }

const withoutPasswords = (text: string): unknown =>
  text === '' ? null : JSON.parse(text, (key, value: unknown) => (key.includes('password') ? undefined : value)) // `jsonBody` has read it before
