import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { io, type Socket } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../support/client.ts'
import { startServer, tokenFor } from '../support/server.ts'
import { openCluster } from './cluster.ts'
import { lastingPort } from './command-line.ts'
import { until } from './load.ts'

/** An official client with its own settings; remembers what it was told in place of being let in. */
function official(url: string, token: string, transports = ['polling', 'websocket']) {
  const socket: Socket = io(url, { forceNew: true, transports, auth: { token } })
  onTestFinished(() => void socket.close())
  const refused: unknown[] = []
  socket.on('connect_error', (error) => {
    const { data } = error as { data?: unknown }
    if (data !== undefined) refused.push(data) // otherwise nobody was there
  })
  return { socket, refused }
}
const IN_AGAIN_MS = 30_000

test('[CONN-13] two restarts one after the other: every official client is in again', async () => {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-put-off-'))
  const env = { PORT: String(await lastingPort()), DISCONNECT_GRACE_MS: '60000' }
  let server = await startServer({ data, env })
  onTestFinished(async () => {
    await server.stop()
    await rm(data, { recursive: true, force: true })
  })
  const clients = await Promise.all(
    Array.from({ length: 40 }, async (_, n) =>
      official(server.url, await tokenFor('visitor', `v${n}`), n % 2 ? ['websocket'] : ['polling', 'websocket']),
    ),
  )
  const connected = (): number => clients.filter(({ socket }) => socket.connected).length
  await until(() => connected() === 40)
  for (const many of [8, 40]) {
    server.kill('SIGTERM')
    await server.ended
    server = await startServer({ data, env })
    await until(() => connected() >= many, IN_AGAIN_MS)
  }
  expect(clients.flatMap(({ refused }) => refused)).toEqual([])
})

test(
  '[CONN-13] a log that is away: whoever comes meanwhile is in when it is back, and nothing is ' + 'logged as broken',
  async () => {
    const cluster = await openCluster(1)
    onTestFinished(cluster.close)
    const [url = ''] = cluster.urls
    const known = official(url, await tokenFor('visitor', 'known'))
    await until(() => known.socket.connected)
    cluster.log.behaviour.onAppend = () => 'lose'
    known.socket.io.engine.close()
    const stranger = official(url, await tokenFor('visitor', 'stranger'), ['websocket'])
    const hungUp = new Promise<void>((ended) => stranger.socket.io.on('close', () => ended()))
    await hungUp // at least once: it was not left to wait
    cluster.log.behaviour.onAppend = () => 'answer'
    await until(() => known.socket.connected && stranger.socket.connected, IN_AGAIN_MS)
    expect([...known.refused, ...stranger.refused]).toEqual([])
    expect(cluster.logged('error')).toEqual([])
  },
)

test(
  '[CONN-13] [KEYS-3] an identity provider that is away: 503 and no word of 401, and in when it ' + 'is back',
  async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }
    let isAway = true
    const provider = createServer((_, response) => {
      if (isAway) response.writeHead(500).end()
      else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
    })
    await new Promise<void>((listening) => provider.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void provider.close())
    const { port } = provider.address() as AddressInfo
    const server = await startServer({ env: { JWKS_URL: `http://127.0.0.1:${port}/keys`, JWT_SECRET: '' } })
    onTestFinished(async () => void (await server.stop()))
    const token = await new SignJWT({ org_id: 'acme', role: 'visitor' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setSubject('vera')
      .setIssuer('lyceum')
      .setAudience('lyceum')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
    const headers = { Authorization: `Bearer ${token}` }
    expect((await fetch(`${server.url}/api/v1/users/me`, { headers })).status).toBe(503)
    expect((await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers })).status).toBe(503)
    const client = official(server.url, token)
    await new Promise<void>((ended) => client.socket.io.on('close', () => ended()))
    isAway = false
    await until(() => client.socket.connected, IN_AGAIN_MS)
    expect(client.refused).toEqual([])
  },
)

test('[CONN-7] a client whose auth function has a new token goes on by itself when the old one expires', async () => {
  const server = await startServer({ env: { DISCONNECT_GRACE_MS: '20000' } })
  onTestFinished(async () => void (await server.stop()))
  const lives = [2, 3600]
  const socket = io(server.url, {
    forceNew: true,
    auth: (send) => void tokenFor('visitor', 'vera', 'acme', {}, lives.shift()).then((token) => send({ token })),
  })
  onTestFinished(() => void socket.close())
  const errors: unknown[] = []
  socket.on('error', (error) => errors.push(error))
  await new Promise<void>((gone) => socket.once('disconnect', () => gone()))
  await new Promise<void>((back) => socket.once('connect', () => back()))
  expect(errors).toEqual([{ message: 'token expired' }])
})

/** A client of one WebSocket that says goodbye in no other way than by its close. */
async function bareVisitor(url: string, id: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  const token = await tokenFor('visitor', id)
  const isIn = await new Promise<boolean>((come) => {
    socket.onclose = () => come(false)
    socket.onmessage = ({ data }) => {
      if (String(data).startsWith('0')) socket.send(`40${JSON.stringify({ token })}`)
      if (String(data).startsWith('40')) come(true)
    }
  })
  if (!isIn) return bareVisitor(url, id) // put off for now, as a machine that is busy may do
  await new Promise<void>((answered) => {
    socket.onmessage = ({ data }) => {
      if (String(data).startsWith('431')) answered()
    }
    socket.send(`421${JSON.stringify(['visitor_first_msg', { text: 'hello' }])}`)
  })
  return socket
}

test('[CONN-15] a WebSocket that its client closes with 1000 is left, any other end is a loss', async () => {
  const server = await startServer({ env: { DISCONNECT_GRACE_MS: '60000' } })
  onTestFinished(async () => void (await server.stop()))
  const ann = await connect(server.url, { auth: { token: await tokenFor('agent', 'ann') } })
  onTestFinished(() => ann.close())
  const [python, browser] = [await bareVisitor(server.url, 'python'), await bareVisitor(server.url, 'browser')]
  browser.close(3_000)
  await new Promise((closed) => (browser.onclose = closed))
  python.close(1_000)
  await ann.told('visitor_leave_queue', ({ user }) => user.id === 'python')
  expect(ann.all('visitor_leave_queue')).toHaveLength(1)
})
