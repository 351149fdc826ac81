import { type Client, connect } from './client.ts'
import { PATIENCE_MS } from './patience.ts'
import { type TestServer, tokenFor } from './server.ts'

export interface Answered {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: the tests assert what is in it
  readonly body: any
}

/** One HTTP request as somebody. */
export async function call(
  url: string,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Answered> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.json() }
}

export interface Lesson {
  readonly id: string
  readonly code: string
}

/** A lesson of the teacher with this token, started when asked. */
export async function lessonOf(url: string, token: string, started = true, plannedMinutes = 45): Promise<Lesson> {
  const plan = { title: 'Algebra', starts_at: new Date().toISOString(), planned_minutes: plannedMinutes }
  const created = await call(url, token, 'POST', '/lessons', plan)
  const { id, code } = created.body.data
  if (started) await call(url, token, 'POST', `/lessons/${id}/start`)
  return { id, code }
}

export interface Entrance {
  readonly org?: string
  readonly transports?: string[]
  /** Handshake query, besides the role. */
  readonly query?: Record<string, string>
}

/** A client with a token and protocol 2, as the documents connect it. */
export async function enter(
  server: Pick<TestServer, 'url'>,
  role: string,
  id: string,
  how: Entrance = {},
): Promise<Client> {
  const { org = 'acme', transports = ['websocket'], query = {} } = how
  const token = await tokenFor(role, id, org)
  return connect(server.url, { transports, query: { role, org_id: org, auth: token, protocol: '2', ...query } })
}

/** A client without a token. */
export const anonymous = (server: Pick<TestServer, 'url'>, token?: string): Promise<Client> =>
  connect(server.url, {
    query: { role: 'student', protocol: '2' },
    ...(token === undefined ? {} : { auth: { token } }),
  })

/** Looks again until the fact is there; fails after `limitMs` and says what it last saw. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  passes: (seen: T) => boolean,
  limitMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const seen = await look()
    if (passes(seen)) return seen
    if (performance.now() > deadline)
      throw new Error(`not within ${limitMs} ms, last seen: ${JSON.stringify(seen)?.slice(0, 2_000)}`)
    await new Promise((again) => setTimeout(again, 10))
  }
}
