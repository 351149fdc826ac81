/** What Mixpanel made of a batch. */
export type Answer =
  | { readonly kind: 'taken' }
  /** These (index in the batch -> why) are invalid. `restTaken`: it says that it has taken all others. */
  | { readonly kind: 'invalid'; readonly events: ReadonlyMap<number, string>; readonly restTaken: boolean }
  /** Something in the batch is the reason; it does not say what. Nothing may count as taken. */
  | { readonly kind: 'refused'; readonly why: string }
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
  readonly body: string
}

/**
 * Reads the answer of `POST /import?strict=1` (docs.mixpanel.com/reference/import-events). Only a body that is
 * Mixpanel's own JSON can say "taken" or "invalid": what a proxy or a log-in page of a hotel answers is never a reason
 * to lose an event.
 *
 * @param sent number of events in the batch
 * @param now milliseconds since 1970, for a Retry-After that is a date
 */
export function answerOf({ status, retryAfter, body }: HttpAnswer, sent: number, now: number): Answer {
  const said = saidIn(body)
  const why = `HTTP ${status}: ${said?.error ?? body.slice(0, 200)}`
  if (status === 200 && said?.code === 200) return { kind: 'taken' }
  if (status === 413) return { kind: 'too-large', why }
  if ((status === 400 || status === 422) && said?.code === status) {
    const events = new Map(
      said.failed.filter(({ index }) => index >= 0 && index < sent).map(({ index, message }) => [index, message]),
    )
    if (events.size === 0) return { kind: 'refused', why }
    return { kind: 'invalid', events, restTaken: said.imported + events.size === sent }
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
  readonly failed: readonly { readonly index: number; readonly message: string }[]
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
  return [{ index: record?.index as number, message: `${record?.field ?? 'event'}: ${record?.message ?? 'invalid'}` }]
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function waitOf(retryAfter: string | null, now: number): number | null {
  if (retryAfter === null) return null
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}
