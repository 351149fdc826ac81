import { z } from '@hono/zod-openapi'
import type { Context, TypedResponse } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Refusal } from '../../../machines/kernel.ts'
import { LogUnavailable } from '../../log/log.ts'
import { ViewsUnavailable } from '../../views/store.ts'

export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 429 | 503

/** Where what only a bug can cause is written down, and every request at `debug`. Structurally a pino logger. */
export interface HttpLog {
  debug(fields: object, message: string): void
  error(fields: object, message: string): void
}

const ErrorBody = z
  .object({ error: z.object({ code: z.string().openapi({ example: 'bad-credentials' }), message: z.string() }) })
  .openapi('Error')
const answer = (description: string) => ({ description, content: { 'application/json': { schema: ErrorBody } } })

const FAILURES = {
  400: answer('The request is not of the documented shape'),
  401: answer('The token or the credentials are missing or wrong'),
  403: answer('Not for this role'),
  404: answer('Unknown, or of another organisation'),
  409: answer('Not in this state'),
  413: answer('Too large'),
  429: answer('Too often; Retry-After says when again'),
  503: answer('Not now: try again'),
}

/**
 * A route's own responses with the failures that any route may answer with. (A spread in place loses the number keys'
 * type.)
 */
export const withFailures = <Own extends object>(own: Own): Own & typeof FAILURES => ({ ...FAILURES, ...own })

/** A response of one of the statuses; apart for each, so that a route's description can tell them apart. */
export type Failure = {
  [S in ErrorStatus]: Response & TypedResponse<{ error: { code: string; message: string } }, S, 'json'>
}[ErrorStatus]

/** Every failure's one shape. */
export const failed = (c: Context, status: ErrorStatus, code: string, message: string): Failure =>
  c.json({ error: { code, message } }, status) as Failure // `status` is one of the union, which TypeScript does not spread over the result

/** 429 with the time after which it is worth another try. */
export function tooOften(c: Context, retryAfterMs: number): Failure {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
  c.header('Retry-After', String(seconds))
  return failed(c, 429, 'too-many-requests', `too many requests: try again in ${seconds} s`)
}

/**
 * A refusal in HTTP's words. `sentences` are those of the asking route, by code; the code itself is the sentence
 * otherwise.
 */
export const refused = (
  c: Context,
  { code, details }: Refusal,
  sentences: Readonly<Record<string, string>> = {},
): Failure =>
  failed(
    c,
    statusOf(code),
    code,
    (sentences[code] ?? SENTENCES[code] ?? code.replaceAll('-', ' ')).replace(
      /\{(\w+)\}/g,
      (_, name) => details[name] ?? '',
    ),
  )

const SENTENCES: Readonly<Record<string, string>> = {
  'account-disabled': 'this account is disabled: ask an admin of your organisation',
  'account-exists': 'there is an account with this email already: change it, or use another email',
  'admin-only': 'only admins may do this',
  'bad-credentials': 'the email or the password is wrong',
  'client-id-reused': 'this Idempotency-Key was used for another request: use a new one',
  'current-password-required': 'send current_password as well to change your own password',
  'no-such-person': 'there is no such user in your organisation',
  'not-an-account': 'this user logs in elsewhere and has no password here',
  'not-oneself': 'you cannot do this to yourself: ask another admin',
  'organisation-required': 'this login exists in several organisations: send org_id as well',
  'staff-only': 'only staff may do this',
  busy: 'too many others are changing the same thing: try again',
  overloaded: 'too much is waiting already: try again in a moment',
}

const STATUS: Readonly<Record<string, ErrorStatus>> = {
  'account-disabled': 401,
  'bad-credentials': 401,
  'bad-request': 400,
  'content-too-large': 413,
  'current-password-required': 400,
  'not-in-chat': 403,
  'not-in-course': 403,
  'not-oneself': 403,
  'teacher-ids-required': 400,
  'wrong-check-in-code': 403,
  busy: 503,
  overloaded: 503,
  unavailable: 503,
}

/**
 * By the word where it is listed, by its form otherwise: `…-only` 403, `no-such-…` 404, `…-too-large` and `…-too-deep`
 * 413, else 409.
 */
function statusOf(code: string): ErrorStatus {
  const listed = Object.hasOwn(STATUS, code) ? STATUS[code] : undefined
  if (listed !== undefined) return listed
  if (code.endsWith('-only')) return 403
  if (code.startsWith('no-such-')) return 404
  if (code.endsWith('-too-large') || code.endsWith('-too-deep')) return 413
  return 409
}

/**
 * What was thrown: the framework's own refusals, storage that does not answer, and bugs, which are logged and told as
 * nothing more.
 */
export function thrown(c: Context, error: Error, log: HttpLog): Response {
  if (error instanceof HTTPException && error.status < 500)
    return failed(c, error.status === 413 ? 413 : 400, 'bad-request', error.message)
  if (error instanceof LogUnavailable || error instanceof ViewsUnavailable) {
    return failed(
      c,
      503,
      'unavailable',
      'storage does not answer: send the same request with the same Idempotency-Key again',
    )
  }
  log.error({ err: error, method: c.req.method }, 'a request failed')
  // 503 and not 500, which is none of the failures that clients were promised.
  return failed(c, 503, 'internal', 'this is our fault and has been written down: try again later')
}
