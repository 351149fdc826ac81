import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { violations } from '../support/history-checker.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { lastingPort } from './command-line.ts'
import { type Load, openLoad, until } from './load.ts'
import { tcpUnder } from './paused.ts'
import { factsIn } from './recorded.ts'
import { tireless } from './tireless.ts'

let data: string
let env: Record<string, string>
let started: TestServer[]

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-drain-'))
  env = { PORT: String(await lastingPort()), RATE_PER_PERSON: '100000' }
  const servers: TestServer[] = []
  started = servers
  return async () => {
    for (const server of servers) server.kill('SIGKILL')
    await Promise.all(servers.map(({ ended }) => ended))
    await rm(data, { recursive: true, force: true })
  }
})

async function aServer(): Promise<TestServer> {
  const server = await startServer({ data, env })
  started.push(server)
  return server
}

async function aLoad(url: string): Promise<Load> {
  const load = await openLoad({ urls: [url], chats: 20, agents: 4, supervisors: 1, paceMs: 5 })
  onTestFinished(load.close)
  load.start()
  await until(() => load.acked() > sized(120, 250))
  return load
}

async function deafClient({ url }: TestServer): Promise<void> {
  const deaf = await tireless({ url, role: 'supervisor', name: 'deaf' })
  onTestFinished(deaf.close)
  await until(deaf.connected)
  tcpUnder(deaf.socket).pause()
}

test(
  '[STOP-1] SIGTERM under load: what is in hand is acknowledged, the exit code is 0, and the clients ' +
    'come back to the next server',
  async () => {
    const server = await aServer()
    const load = await aLoad(server.url)
    server.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    await until(() => load.everybody.every((client) => !client.connected()))
    // Everything that is recorded was also acknowledged: nobody has to ask again to know.
    const acked = new Set(load.history().acked.map(({ id }) => id))
    expect((await factsIn(data)).filter(({ id }) => !acked.has(id))).toEqual([])

    const next = await aServer()
    await until(() => load.everybody.every((client) => client.connected()))
    await load.pause()
    expect(await next.stop()).toBe(0)
    for (const { endings } of load.everybody) expect(endings[0]).toMatch(/^transport (close|error)$/)
    const facts = await factsIn(data)
    expect(violations({ facts, ...load.history() })).toEqual([])
    expect(facts.filter(({ type }) => type === 'ChatClosed')).toEqual([])
  },
)

test('[STOP-2] a second SIGTERM, as npm and a terminal send it, does not cut the first one short', async () => {
  const server = await aServer()
  const load = await aLoad(server.url)
  await deafClient(server)
  server.kill('SIGTERM')
  // Those who read are gone at once, while the server waits for the one who does not.
  await until(() => load.everybody.every((client) => !client.connected()))
  server.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  const acked = new Set(load.history().acked.map(({ id }) => id))
  expect((await factsIn(data)).filter(({ id }) => !acked.has(id))).toEqual([])
})

test(
  '[STOP-3] a client that never reads and a request that never ends do not keep the server from ' + 'stopping',
  async () => {
    const server = await aServer()
    const load = await aLoad(server.url)
    await deafClient(server)
    const half = dial(Number(new URL(server.url).port), '127.0.0.1')
    onTestFinished(() => void half.destroy())
    half.on('error', () => {}) // it is broken off: that is the point
    // The headers alone: the body never comes.
    half.write(
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n{',
    )
    await once(half, 'data') // the server has begun to read
    server.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    load.close()
  },
)
