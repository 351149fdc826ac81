import type { IncomingHttpHeaders } from 'node:http'

/** An event as Mixpanel receives it. */
export interface Received {
  readonly event: string
  readonly properties: Readonly<Record<string, unknown>> & {
    readonly time: number
    readonly distinct_id: string
    readonly $insert_id: string
  }
}

export interface HttpRequest {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A status and the JSON body that goes with it; `/track` says only 1 or 0. */
export interface Verdict {
  readonly status: number
  readonly said: object | number
}

/**
 * Which events are invalid: `explained` names them in `failed_records` and takes the others, `silent` refuses the whole
 * batch without a word.
 */
export interface Refusing {
  readonly invalid: (event: Received) => boolean
  readonly how: 'explained' | 'silent'
  /** What is wrong with them. Default: the event as such. */
  readonly field?: string
}

const MAX_EVENTS = 2_000
const MAX_BYTES = 2_000_000
/** So far ahead of its own clock Mixpanel takes events. */
const MOST_AHEAD_MS = 3_600_000
/** `/track` takes the last five days. */
const TRACK_MS = 5 * 86_400_000

/**
 * One Mixpanel project behind `/import` (JSON, project token as user name) and `/track` (form, token in each event), as
 * docs.mixpanel.com describes them: limits, partial success with status 400, counting by event name, distinct id, time
 * and $insert_id.
 */
export function mixpanelProject(token: string) {
  const seen = new Map<string, Received>()
  const copies = new Map<string, number>()
  let largest = 0
  let refusing: Refusing = { invalid: () => false, how: 'explained' }

  const take = (event: Received): void => {
    const { time, distinct_id, $insert_id } = event.properties
    const key = JSON.stringify([event.event, distinct_id, time, $insert_id])
    if (!seen.has(key)) seen.set(key, event)
    copies.set(key, (copies.get(key) ?? 0) + 1)
  }

  /** Whoever is wrong or late here hears nothing of it but 0, or not even that. */
  function track(events: readonly Received[]): Verdict {
    if (events.length > MAX_EVENTS || events.some(({ properties }) => properties.token !== token))
      return { status: 200, said: 0 }
    for (const event of events) if (event.properties.time > Date.now() - TRACK_MS) take(event)
    return { status: 200, said: 1 }
  }

  return {
    /** What an analyst sees: every event once, in the order of its first arrival. */
    counted: (): readonly Received[] => [...seen.values()],
    /** How often the event came that came most often. */
    mostCopies: (): number => Math.max(0, ...copies.values()),
    /** Events in the largest request so far. */
    largest: (): number => largest,
    refuse(next: Refusing): void {
      refusing = next
    },
    /** Answers as a healthy Mixpanel does, and takes what is valid. */
    judge(request: HttpRequest): Verdict {
      const events = eventsIn(request)
      if (events === null) return fault(400, 'expected Content-Type application/json and an array of events')
      largest = Math.max(largest, events.length)
      if (request.url.startsWith('/track')) return track(events)
      if (!hasToken(request, token)) return fault(401, 'invalid credentials')
      if (Buffer.byteLength(request.body) > MAX_BYTES || events.length > MAX_EVENTS)
        return fault(413, 'request exceeds max limit')
      const failed = events.flatMap((event, index) => problemsOf(event, index, refusing))
      const invalid = fault(400, 'some data points in the request failed validation')
      if (failed.length > 0 && refusing.how === 'silent') return invalid
      const bad = new Set(failed.map(({ index }) => index))
      for (const [index, event] of events.entries()) if (!bad.has(index)) take(event)
      const num_records_imported = events.length - bad.size
      if (bad.size === 0) return { status: 200, said: { code: 200, status: 'OK', num_records_imported } }
      return { status: 400, said: { ...invalid.said, num_records_imported, failed_records: failed } }
    },
  }
}

export const fault = (code: number, error: string) => ({ status: code, said: { code, error, status: 'Not OK' } })

/** Null: not in the form that the endpoint wants. */
function eventsIn({ url, headers, body }: HttpRequest): Received[] | null {
  if (url.startsWith('/track'))
    return JSON.parse(Buffer.from(new URLSearchParams(body).get('data') ?? '', 'base64').toString())
  if (!url.startsWith('/import') || headers['content-type'] !== 'application/json') return null
  const found: unknown = JSON.parse(body)
  return Array.isArray(found) ? found : null
}

const hasToken = ({ headers }: HttpRequest, token: string): boolean =>
  headers.authorization === `Basic ${Buffer.from(`${token}:`).toString('base64')}`

function problemsOf(event: Received, index: number, { invalid, field = 'event' }: Refusing) {
  const { time, distinct_id, $insert_id } = event.properties
  const failed = (field: string) => [{ index, insert_id: $insert_id, field, message: 'is invalid' }]
  if (!Number.isInteger(time) || time < 31_536_000 || time > Date.now() + MOST_AHEAD_MS)
    return failed('properties.time')
  if (typeof distinct_id !== 'string' || distinct_id.length > 255) return failed('properties.distinct_id')
  if (!/^[A-Za-z0-9-]{1,36}$/.test($insert_id)) return failed('properties.$insert_id')
  return invalid(event) ? failed(field) : []
}
