import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { childEnv } from '../support/child-env.ts'
import { connect } from '../support/client.ts'
import type { EventStoreStandin } from '../support/eventstore-standin.ts'
import type { User } from '../support/eventstore-standin-rights.ts'
import { type Authority, makeAuthority } from '../support/eventstore-standin-tls.ts'
import { aServer } from '../support/eventstore-standin-world.ts'
import { run } from '../support/run.ts'
import { startServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { lastingPort } from './command-line.ts'
import { until } from './load.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const PASSWORD = 'p@ss:word'

let authority: Authority
let stranger: Authority
let scratch: string
beforeAll(async () => {
  ;[authority, stranger, scratch] = await Promise.all([
    makeAuthority(),
    makeAuthority(),
    mkdtemp(join(tmpdir(), 'lyceum-connecting-')),
  ])
  await writeFile(join(scratch, 'text'), 'this is no certificate')
})
afterAll(async () => {
  await Promise.all([authority.remove(), stranger.remove(), rm(scratch, { recursive: true, force: true })])
})

/** A server with TLS and users: `lyceum` may do everything, `reader` may not read `$all`. */
async function aSecureServer(...names: readonly string[]) {
  const lyceum: User = { password: PASSWORD, readsAll: true }
  const users = new Map<string, User>([
    ['lyceum', lyceum],
    ['reader', { password: PASSWORD, readsAll: false }],
    ['disabled', { password: PASSWORD, isDisabled: true, readsAll: true }],
  ])
  const tls = await authority.certificate(...(names.length === 0 ? ['IP:127.0.0.1', 'DNS:localhost'] : names))
  const server = await aServer({ tls, behaviour: { users } })
  return { server, lyceum }
}

const urlOf = ({ port }: EventStoreStandin, caFile = authority.caFile, user = 'lyceum', password = PASSWORD): string =>
  `esdb://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}?tlsCAFile=${encodeURIComponent(caFile)}`

/** What `EVENTSTORE_URL` is, and what the one sentence says: the cause, and what to do. */
type Row = readonly [what: string, url: () => string | Promise<string>, cause: RegExp, todo: RegExp]

const ROWS: readonly Row[] = [
  [
    'a file of the authority that is missing',
    () => 'esdb://127.0.0.1:1?tlsCAFile=/no/such/ca.crt',
    /tlsCAFile in EVENTSTORE_URL cannot be read: \/no\/such\/ca.crt: there is no such file/,
    /set tlsCAFile to the file of the authority/,
  ],
  [
    'a file of the authority that cannot be read',
    () => `esdb://127.0.0.1:1?tlsCAFile=${encodeURIComponent(scratch)}`,
    /cannot be read: \S+: it is a directory/,
    /set tlsCAFile to the file of the authority/,
  ],
  [
    'a file of the authority that is none',
    () => `esdb://127.0.0.1:1?tlsCAFile=${encodeURIComponent(join(scratch, 'text'))}`,
    /tlsCAFile in EVENTSTORE_URL holds no certificate/,
    /set tlsCAFile to the file of the authority/,
  ],
  [
    'another authority',
    async () => urlOf((await aSecureServer()).server, stranger.caFile),
    /EventStoreDB at 127\.0\.0\.1:\d+ shows a certificate that the authority in tlsCAFile did not sign/,
    /name the file of the one that did/,
  ],
  [
    'no authority',
    async () => `esdb://lyceum:x@127.0.0.1:${(await aSecureServer()).server.port}`,
    /shows a certificate that no authority known here signed/,
    /add tlsCAFile=…/,
  ],
  [
    'a certificate for another name',
    async () => urlOf((await aSecureServer('DNS:elsewhere.example')).server),
    /shows a certificate for other names and addresses/,
    /connect by one that it has/,
  ],
  [
    'a cluster whose members tell addresses that are not in their certificates',
    async () => {
      const ports: number[] = []
      const tls = await authority.certificate('DNS:localhost')
      const members = await Promise.all([1, 2].map(() => aServer({ tls, members: () => ports })))
      ports.push(...members.map(({ port }) => port))
      const hosts = ports.map((port) => `localhost:${port}`).join(',')
      return `esdb://${hosts}?tlsCAFile=${encodeURIComponent(authority.caFile)}`
    },
    /EventStoreDB at 127\.0\.0\.1:\d+ shows a certificate for other names and addresses/,
    /in a cluster also as the nodes advertise themselves/,
  ],
  [
    'TLS where the server has none',
    async () => urlOf(await aServer()),
    /speaks without TLS/,
    /turn TLS on in EventStoreDB, or add tls=false/,
  ],
  [
    'no TLS where the server has it',
    async () => `esdb://127.0.0.1:${(await aSecureServer()).server.port}?tls=false`,
    /speaks TLS, but EVENTSTORE_URL says tls=false/,
    /take that out, and name the file of the authority/,
  ],
  [
    'a wrong password',
    async () => urlOf((await aSecureServer()).server, undefined, 'lyceum', 'wrong'),
    /does not take the user and the password in EVENTSTORE_URL/,
    /set them right/,
  ],
  [
    'a user who is disabled',
    async () => urlOf((await aSecureServer()).server, undefined, 'disabled'),
    /does not take the user and the password in EVENTSTORE_URL/,
    /see that the user is not disabled/,
  ],
  [
    'a user without the right to $all',
    async () => urlOf((await aSecureServer()).server, undefined, 'reader'),
    /denied reading \$all/,
    /give the user in EVENTSTORE_URL the right to read \$all.*as README.md says/,
  ],
  [
    'no user where the server has some',
    async () => urlOf((await aSecureServer()).server).replace(/\/\/.*@/, '//'),
    /denied reading \$all/,
    /name a user there when it names none/,
  ],
]

test.each(ROWS)('[CONNECT-2] %s ends the start by one sentence', async (_, url, cause, todo) => {
  const began = performance.now()
  const env = { PORT: '0', LYCEUM_DATA: await mkdtemp(join(scratch, 'data-')), LOG_LEVEL: 'warn' }
  const { code, err } = await run(MAIN, ['start'], { ...env, EVENTSTORE_URL: await url() })
  expect(code).toBe(1)
  expect(err).toMatch(/^lyceum: [^\n]+\n$/)
  expect(err).toMatch(cause)
  expect(err).toMatch(todo)
  expect(err).not.toContain(PASSWORD)
  expect(err).not.toContain(encodeURIComponent(PASSWORD))
  expect(performance.now() - began).toBeLessThan(slowly(15_000))
})

interface Probe {
  readonly status: number
  readonly log: unknown
}
const probe = (url: string): Promise<Probe> =>
  fetch(`${url}/readyz`).then(
    async (answer) => ({ status: answer.status, log: ((await answer.json()) as { data: { log: unknown } }).data.log }),
    () => ({ status: 0, log: undefined }),
  )
/** Resolves when `/readyz` says so of the log. */
const readyz = (url: string, status: number, log: unknown): Promise<void> =>
  expect.poll(() => probe(url)).toEqual({ status, log })

test('[CONNECT-3] a server that is down, and then not ready, is waited for, and so are clients', async () => {
  const { server: store } = await aSecureServer()
  store.kill()
  const port = String(await lastingPort())
  const url = `http://127.0.0.1:${port}`
  const starting = startServer({ env: { PORT: port, EVENTSTORE_URL: urlOf(store) } })
  onTestFinished(async () => void (await (await starting).stop()))

  await readyz(url, 503, expect.stringMatching(/EventStoreDB at 127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\)/))
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  expect((await fetch(`${url}/api/v1/users/me`)).status).toBe(503)
  const refused: unknown[] = []
  const clients = await Promise.all(
    [['websocket'], ['polling', 'websocket']].map(async (transports) => {
      const socket = io(url, {
        forceNew: true,
        transports,
        auth: { token: await tokenFor('visitor', transports[0] ?? '') },
      })
      onTestFinished(() => void socket.close())
      socket.on('connect_error', (error) => {
        const { data } = error as { data?: unknown }
        if (data !== undefined) refused.push(data)
      })
      await new Promise<void>((putOff) => socket.once('connect_error', () => putOff()))
      return socket
    }),
  )

  store.behaviour.isReady = false
  await store.restart()
  await readyz(url, 503, 'EventStoreDB is there but does not serve (Server Is Not Ready)')
  store.behaviour.isReady = true
  const server = await starting
  await readyz(url, 200, true)
  await until(() => clients.every(({ connected }) => connected))
  expect(refused).toEqual([])
  expect(server.output()).toContain('the log is waited for: EventStoreDB at 127.0.0.1')
})

test('[CONNECT-6] a node that waits for its log ends at once when it is told to stop, with exit code 0', async () => {
  const port = String(await lastingPort())
  const env = { PORT: port, LYCEUM_DATA: scratch, EVENTSTORE_URL: 'esdb://127.0.0.1:1?tls=false' }
  const child = spawn(process.execPath, [MAIN, 'start'], { env: { ...childEnv, ...env }, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await readyz(`http://127.0.0.1:${port}`, 503, expect.stringContaining('127.0.0.1:1'))
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

const LOSSES: readonly (readonly [what: string, lost: Partial<User>, reason: string])[] = [
  ['a password that is changed', { password: 'changed' }, 'does not take the user and the password'],
  ['a right to $all that is taken', { readsAll: false }, 'denied reading $all'],
]

test.each(LOSSES)(
  '[CONNECT-4] %s: "unavailable", and all goes on by itself when it is back',
  async (_, lost, reason) => {
    const { server: store, lyceum } = await aSecureServer()
    const { url, stop } = await startServer({ env: { EVENTSTORE_URL: urlOf(store) } })
    onTestFinished(async () => void (await stop()))
    const [visitor, agent] = await Promise.all(
      (['visitor', 'agent'] as const).map(async (role) =>
        connect(url, { auth: { token: await tokenFor(role, role), protocol: 2 } }),
      ),
    )
    onTestFinished(() => [visitor, agent].forEach((client) => void client?.close()))
    const say = async (name: string, text: string) => (await visitor?.ask(name, { content: { text } })) ?? []
    expect((await say('visitor_first_msg', 'hello'))[0]).toBe(true)

    const had = { ...lyceum }
    Object.assign(lyceum, lost)
    store.dropSubscriptions()
    await readyz(url, 503, expect.stringContaining(reason))
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect(await say('visitor_msg', 'is anybody there?')).toMatchObject([
      false,
      expect.anything(),
      { code: 'unavailable' },
    ])

    Object.assign(lyceum, had)
    await readyz(url, 200, true)
    expect((await say('visitor_msg', 'so you are'))[0]).toBe(true)
    await agent?.told('visitor_unclaimed_msg', (data) => JSON.stringify(data).includes('so you are'))
  },
)
