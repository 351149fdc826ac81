import mixpanel from 'mixpanel'
import { type Answer, answerOf } from './answer.ts'
import type { MixpanelEvent } from './events.ts'

/**
 * Mixpanel's limit. Ids are at most 64 characters long, so an event is below 1,000 bytes and so many are below its
 * other limit, 2 MB.
 */
export const BATCH_EVENTS = 2_000

export interface ImportOptions {
  readonly token: string
  /** An origin without a trailing slash. */
  readonly apiUrl: string
  /** From sending to the last byte of the answer. */
  readonly timeoutMs: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Sends one batch in one request. Never rejects; `signal` ends the request, with the answer `later`. */
export type Import = (events: readonly MixpanelEvent[], signal: AbortSignal) => Promise<Answer>

/**
 * `/import` and not `/track`, because the latter drops events that are older than five days, and a Mixpanel that is
 * dead over a long week-end must not lose any. The project token serves as its credential (user name, empty password).
 */
export function mixpanelImport({ token, apiUrl, timeoutMs, now }: ImportOptions): Import {
  const shape = shaper(token)
  const url = `${apiUrl}/import?strict=1`
  const headers = {
    'Content-Type': 'application/json',
    Authorization: `Basic ${Buffer.from(`${token}:`).toString('base64')}`,
  }

  return async (events, signal) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify(shape(events)),
        redirect: 'error', // the token goes to the configured host and nowhere else
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
      const answer = {
        status: response.status,
        retryAfter: response.headers.get('Retry-After'),
        date: response.headers.get('Date'),
        body: await response.text(),
      }
      return answerOf(answer, events.length, now())
    } catch (error) {
      return { kind: 'later', why: reasonOf(error), waitMs: null }
    }
  }
}

/**
 * The library's client, with the one method that we replace. It is not in its types, but all of its sending goes
 * through it.
 */
type Client = mixpanel.Mixpanel & {
  send_request: (request: { readonly data: readonly object[] }, done: () => void) => void
}

/**
 * The library (0.24.0) makes the request's body: the token in every event, times checked. Its own sending cannot be
 * used by who must not lose events:
 *   - it tells neither status nor headers (no Retry-After, no `failed_records`), only a text that is not "1";
 *   - it has no time limit, and never calls back at all when the answer breaks off half-way;
 *   - it cuts batches into 50s, sends them all at once and does not say which of them failed;
 *   - it refuses the project token for /import on http, and calls its only way to send it on https (`secret`)
 *     deprecated.
 * So `send_request` is replaced: the pieces, which it hands over before `import_batch` returns, are put together again.
 */
function shaper(token: string): (events: readonly MixpanelEvent[]) => readonly object[] {
  const client = mixpanel.init(token) as Client
  let pieces: object[] = []
  client.send_request = ({ data }, done) => {
    pieces.push(...data)
    done()
  }
  return (events) => {
    pieces = []
    // it writes into what it gets
    client.import_batch(events.map(({ event, properties }) => ({ event, properties: { ...properties } })))
    if (pieces.length !== events.length)
      throw new Error(`the mixpanel library gave ${pieces.length} of ${events.length} events back: is it 0.24?`)
    return pieces
  }
}

/** fetch says only "fetch failed"; why stands in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message || (cause as NodeJS.ErrnoException).code}` : message
}
