/** What Mixpanel made of a batch. */
export type Answer =
  | { readonly kind: 'taken' }
  /**
   * These (index in the batch -> why) are invalid, and of those these because of their time. `restTaken`: it says that
   * it has taken all others. `now`: what time it is there.
   */
  | {
      readonly kind: 'invalid'
      readonly events: ReadonlyMap<number, string>
      readonly times: ReadonlySet<number>
      readonly restTaken: boolean
      readonly now: number
    }
  /** Something in the batch is the reason; it does not say what. Nothing may count as taken. */
  | { readonly kind: 'refused'; readonly why: string; readonly now: number }
  /** The batch must be smaller. Nothing is taken. */
  | { readonly kind: 'too-large'; readonly why: string }
  /**
   * Not now: dead, slow, busy, or set up wrongly. `waitMs`: what it asked for, null = nothing. The outcome may be
   * unknown.
   */
  | { readonly kind: 'later'; readonly why: string; readonly waitMs: number | null }

export interface HttpAnswer {
  readonly status: number
  /** The header Retry-After. */
  readonly retryAfter: string | null
  /** The header Date: Mixpanel's own clock. */
  readonly date: string | null
  readonly body: string
}

/**
 * Reads the answer of `POST /import?strict=1` (docs.mixpanel.com/reference/import-events). Only a body that is
 * Mixpanel's own JSON can say "taken" or "invalid": what a proxy or a log-in page of a hotel answers is never a reason
 * to lose an event.
 *
 * @param sent number of events in the batch
 * @param ourNow milliseconds since 1970, where the answer does not say what time it is there
 */
export function answerOf({ status, retryAfter, date, body }: HttpAnswer, sent: number, ourNow: number): Answer {
  const now = timeIn(date) ?? ourNow
  const said = saidIn(body)
  const why = `HTTP ${status}: ${said?.error ?? body.slice(0, 200)}`
  if (status === 200 && said?.code === 200) return { kind: 'taken' }
  if (status === 413) return { kind: 'too-large', why }
  if ((status === 400 || status === 422) && said?.code === status) {
    const failed = said.failed.filter(({ index }) => index >= 0 && index < sent)
    const events = new Map(failed.map(({ index, message }) => [index, message]))
    const times = new Set(failed.filter(({ isTime }) => isTime).map(({ index }) => index))
    if (events.size === 0) return { kind: 'refused', why, now }
    return { kind: 'invalid', events, times, restTaken: said.imported + events.size === sent, now }
  }
  const hint =
    status === 401 || status === 403 || status === 404
      ? '; check MIXPANEL_TOKEN and MIXPANEL_HOST (in Europe api-eu.mixpanel.com)'
      : ''
  return { kind: 'later', why: why + hint, waitMs: waitOf(retryAfter, now) }
}

interface Said {
  readonly code: number
  readonly error: string | undefined
  readonly imported: number
  readonly failed: readonly { readonly index: number; readonly message: string; readonly isTime: boolean }[]
}

function saidIn(body: string): Said | null {
  let found: unknown
  try {
    found = JSON.parse(body)
  } catch {
    return null
  }
  if (typeof found !== 'object' || found === null || !('code' in found) || typeof found.code !== 'number') return null
  const {
    code,
    error,
    num_records_imported: imported,
    failed_records: failed,
  } = found as Record<string, unknown> & { code: number }
  return {
    code,
    error: typeof error === 'string' ? error : undefined,
    imported: typeof imported === 'number' ? imported : 0,
    failed: Array.isArray(failed) ? failed.flatMap(failedRecord) : [],
  }
}

function failedRecord(record: { index?: unknown; field?: unknown; message?: unknown } | null): Said['failed'] {
  if (!Number.isInteger(record?.index)) return []
  // an integer: just seen
  const index = record?.index as number
  const { field = 'event', message = 'invalid' } = record ?? {}
  return [{ index, message: `${field}: ${message}`, isTime: field === 'properties.time' || field === 'time' }]
}

const timeIn = (date: string | null): number | null => {
  const ms = date === null ? Number.NaN : Date.parse(date)
  return Number.isFinite(ms) ? ms : null
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function waitOf(retryAfter: string | null, now: number): number | null {
  if (retryAfter === null) return null
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : (timeIn(retryAfter) ?? Number.NaN) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}
