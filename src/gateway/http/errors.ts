import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type Refusal, refuse } from '../../../machines/kernel.ts'
import { type RefusalStatus, type Refusals, sentenceOf, statusOf } from '../../delivery/refusals.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import { LogUnavailable } from '../../log/log.ts'
import { damagedRefusal } from '../../runtime/log-refusals.ts'
import { ViewsUnavailable } from '../../views/store.ts'
import { httpRefusals } from '../refusals.ts'

/** Where what only a bug can cause is written down, and every request at `debug`. Structurally a pino logger. */
export interface HttpLog {
  debug(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Every failure's one shape. Whoever may come again is told when: `retryAfter`, in seconds. */
export function failed(
  c: Context,
  status: RefusalStatus,
  code: string,
  message: string,
  retryAfter: string = RETRY_AFTER_S,
): Response {
  if (status === 429 || status === 503) c.header('Retry-After', retryAfter)
  return c.json({ error: { code, message } }, status)
}

/** Where nothing says better: what is too much for a moment, and what is away, is often over soon. */
const RETRY_AFTER_S = '1'
/** The rest of such a body is not read, and a client that is not told would send its next request into it. */
const LEAVES_BODY = ['body-cut-off', 'body-too-slow', 'too-large', 'too-much-under-way']

/** A refusal in the words of a table. Throws when the table does not have it, which is a bug. */
export function refused(c: Context, refusal: Refusal, table: Refusals): Response {
  const status = statusOf(refusal, table)
  if (LEAVES_BODY.includes(refusal.code)) c.header('Connection', 'close')
  const sentence = sentenceOf(refusal, table, (id) => id)
  return failed(c, status, refusal.code, sentence, refusal.details.seconds)
}

/** Too often: it is worth another try after so many milliseconds. */
export const tooOften = (retryAfterMs: number): Refusal =>
  refuse('too-many-requests', { seconds: String(Math.max(1, Math.ceil(retryAfterMs / 1000))) })

/**
 * What was thrown: the framework's own refusals, storage that does not answer, and bugs, which are logged and told as
 * nothing more.
 */
export function thrown(c: Context, error: Error, log: HttpLog): Response {
  if (error instanceof HTTPException && error.status < 500)
    return failed(c, error.status === 413 ? 413 : 400, 'bad-request', error.message)
  if (error instanceof StreamDamaged) return refused(c, damagedRefusal(error), httpRefusals)
  const lost = error instanceof LogUnavailable || error instanceof ViewsUnavailable
  if (!lost) log.error({ err: error, method: c.req.method }, 'a request failed')
  return refused(c, refuse(lost ? 'unavailable' : 'internal'), httpRefusals)
}
