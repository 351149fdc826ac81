import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Role } from '../../machines/kernel.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import { systemClock } from '../../src/clock.ts'
import { authRoutes } from '../../src/contracts/accounts/http-login.ts'
import { userRoutes } from '../../src/contracts/accounts/http-users.ts'
import { allowedOrigins } from '../../src/gateway/allowed-origins.ts'
import { openAccount } from '../../src/gateway/auth/accounts.ts'
import { attempts } from '../../src/gateway/auth/attempts.ts'
import { authenticator } from '../../src/gateway/auth/authenticator.ts'
import { openKeys } from '../../src/gateway/auth/keys.ts'
import { type Rate, tokenBuckets } from '../../src/gateway/auth/limits.ts'
import { openPasswords } from '../../src/gateway/auth/passwords.ts'
import { clientAddresses } from '../../src/gateway/client-address.ts'
import { httpApp } from '../../src/gateway/http/app.ts'
import { type BodiesOptions, bodies } from '../../src/gateway/http/bodies.ts'
import { listen } from '../../src/gateway/http/listen.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { numbers } from '../../src/runtime/numbers.ts'
import type { TrustProxy } from '../../src/trust-proxy.ts'

export interface Answered {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: the tests assert what is in it
  readonly body: any
  readonly headers: Headers
}

/**
 * HTTP as Lyceum serves it, on a port of its own, over a log in memory; `list` folds the view from the log when it is
 * asked.
 */
export async function startHttp(
  options: {
    readonly requests?: Rate
    readonly foreignKeys?: boolean
    readonly bodies?: BodiesOptions
    readonly trustProxy?: TrustProxy
    readonly newPeople?: number
    readonly asyncApi?: object
  } = {},
) {
  const now = Date.now
  const log = memoryLog({ codec: codec(eventSchemas), now })
  const lines: string[] = []
  const keep = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
  const entities = openEntities({
    log,
    snapshots: { load: () => undefined, save: () => undefined },
    shared: false,
    now,
    idleMs: 30_000,
  })
  const keys = await openKeys(
    options.foreignKeys ? { kind: 'jwks', url: 'http://127.0.0.1:1/jwks' } : { kind: 'secret', secret: 's'.repeat(32) },
  )
  const auth = authenticator({ keys, issuer: 'lyceum', audience: 'lyceum', now })
  const logins = attempts({ clock: systemClock, free: 5, firstMs: 1, mostMs: 1, waiting: 20 })
  const accounts = { entities, passwords: await openPasswords(), now, logins }
  const newPeople = tokenBuckets({ perSecond: 0.001, burst: options.newPeople ?? 2_000 })
  const organisations = { admit: async () => null }
  const ready: Record<string, boolean> = { log: true }
  const app = httpApp({
    entities,
    now,
    authenticator: auth,
    perPerson: tokenBuckets({ perSecond: 20_000, burst: 40_000 }),
    addresses: clientAddresses(options.trustProxy ?? null),
    bodies: bodies(options.bodies),
    requests: tokenBuckets(options.requests ?? { perSecond: 20_000, burst: 40_000 }),
    origins: allowedOrigins({ listed: ['https://app.example.org'], onRefused: () => undefined }),
    log: { debug: keep, error: keep },
    readiness: () => ready,
    asyncApi: options.asyncApi ?? {},
    contracts: [
      {
        routes: (app) =>
          authRoutes(app, { ...accounts, sign: auth.sign, authenticator: auth, organisations, newPeople }),
      },
      {
        routes: (app) =>
          userRoutes(app, {
            ...accounts,
            people: { list: (org, page) => listed(log, org, page) },
            numbers: numbers({ entities, log, now }),
            opensAccounts: auth.sign !== null,
          }),
      },
    ],
  })
  const server = createAdaptorServer({ fetch: app.fetch }) as Server // of HTTP/1.1, which is its default
  const url = await listen(server, '127.0.0.1', 0)

  return {
    url,
    app,
    log,
    entities,
    lines,
    ready,
    accounts,
    /** A signed token of anybody, without an account. */
    token: async (role: Role, org = 'acme', id = 'somebody') =>
      (await auth.sign?.({ id, org, role, profile: { full_name: 'Some Body' } }, 60)) ?? '',
    open: (org: string, email: string, password: string, role: 'admin' | 'agent' = 'agent') =>
      openAccount(
        accounts,
        { id: 'system', org, role: 'system' },
        { email, password, role, profile: { full_name: email } },
      ),
    async call(
      method: string,
      path: string,
      sent: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
    ): Promise<Answered> {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(sent.body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(sent.token === undefined ? {} : { Authorization: `Bearer ${sent.token}` }),
          ...sent.headers,
        },
        ...(sent.body === undefined
          ? {}
          : { body: typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body) }),
      })
      return { status: response.status, body: await response.json(), headers: response.headers }
    },
    async close() {
      await new Promise<void>((resolve) => void server.close(() => resolve()))
      await entities.stop()
      await log.close()
    },
  }
}

async function listed(
  log: Log,
  org: string,
  { limit, after = '' }: { readonly limit: number; readonly after?: string | undefined },
) {
  const rows = new Map<string, PersonRow>()
  for await (const batch of log.readAll()) {
    for (const recorded of batch) {
      const key = people.key(recorded)
      const row = key === null ? undefined : people.fold(rows.get(key), recorded)
      if (key !== null && row) rows.set(key, row)
    }
  }
  const prefix = `users/${org}/`
  const found = [...rows]
    .flatMap(([key, row]) => people.index(key, row).map((index) => ({ index, row })))
    .filter(({ index }) => index.startsWith(prefix) && index.slice(prefix.length) > after)
    .sort((a, b) => (a.index < b.index ? -1 : 1))
    .map(({ row }) => row)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return { people: page, ...(found.length > limit && last ? { next: last.id } : {}) }
}
