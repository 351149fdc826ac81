import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type EntranceOptions, openEntrance } from '../../src/gateway/http/entrance.ts'
import { waitingBytes } from '../../src/gateway/waiting-bytes.ts'
import { PATIENCE_MS } from '../support/patience.ts'

const OPTIONS: EntranceOptions = {
  ...{ host: '127.0.0.1', port: 0, allowedHosts: null, trustProxy: null, connectionsPerAddress: 100 },
}

/** An entrance that answers with this, and what dials it. */
async function entranceFor(app: RequestListener, options: Partial<EntranceOptions> = {}) {
  const entrance = await openEntrance({ ...OPTIONS, ...options })
  entrance.open(app)
  onTestFinished(() => {
    entrance.http.close()
    entrance.http.closeAllConnections()
  })
  const dial = async (): Promise<Dialled> => {
    const socket = connect(Number(new URL(entrance.url).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => {}) // it may be reset: that is the point
    await once(socket, 'connect')
    return { socket, closed }
  }
  return { entrance, dial }
}

interface Dialled {
  readonly socket: Socket
  readonly closed: Promise<void>
}

const hello: RequestListener = (_, response) => void response.end('hello')
const GET = (path = '/', host = 'localhost') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

/** What comes until it has been told so many times. */
async function heard({ socket }: Dialled, text: string, times = 1): Promise<string> {
  let all = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    all += chunk
    if (all.split(text).length > times) break
  }
  return all
}

test('[DOOR-5] a Host that is not ours is 421 and told what to do; probes answer under any', async () => {
  const { dial } = await entranceFor(hello)
  const one = await dial()
  const asked = (path: string, host: string) => {
    one.socket.write(GET(path, host))
    return heard(one, path === '/' ? 'ALLOWED_HOSTS' : 'hello')
  }
  expect(await asked('/', 'evil.example')).toMatch(/^HTTP\/1.1 421 .*unknown-host.*\\"evil\.example\\"/s)
  for (const path of ['/livez', '/readyz?x=1']) expect(await asked(path, '10.1.2.3')).toMatch(/^HTTP\/1.1 200/)
  for (const host of ['localhost:80', 'app.localhost', '127.9.9.9', '[::1]:3000']) {
    one.socket.write(GET('/', host))
    expect(await heard(one, 'hello'), host).toMatch(/^HTTP\/1.1 200/)
  }
})

test('[DOOR-17] a node that is starting says when to ask again', async () => {
  const entrance = await openEntrance(OPTIONS)
  onTestFinished(() => void entrance.http.close())
  for (const path of ['/readyz', '/api/v1/users']) {
    const { status, headers } = await fetch(entrance.url + path)
    expect([status, headers.get('Retry-After')]).toEqual([503, '1'])
  }
  entrance.http.closeAllConnections()
})

test('[READY-1] what the node says of its parts is in what is asked of it', async () => {
  const { entrance } = await entranceFor(hello)
  entrance.watch(() => ({ following: 'it has ended', views: true }))
  expect(entrance.readiness()).toEqual({ accepting: true, log: true, following: 'it has ended', views: true })
})

test('[CONN-13] a WebSocket that comes while the node starts is put off at once, not left to wait', async () => {
  const entrance = await openEntrance(OPTIONS)
  onTestFinished(() => void entrance.http.close())
  const socket = connect(Number(new URL(entrance.url).port), '127.0.0.1')
  socket.write('GET /socket.io/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 503 /)
  socket.destroy()
})

test('[DOOR-6] headers that never come and a request that trickles are ended, others are served', async () => {
  const { dial } = await entranceFor((request, response) => void request.resume().on('end', () => response.end('ok')), {
    times: { headers: 50, request: 100, idle: 10_000, look: 20 },
  })
  const [silent, trickling] = [await dial(), await dial()]
  silent.socket.write('GET / HTTP/1.1\r\nX: ')
  trickling.socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n')
  const drip = setInterval(() => trickling.socket.write('x'), 5)
  onTestFinished(() => clearInterval(drip))
  const other = await dial()
  other.socket.write(GET())
  expect(await heard(other, 'ok')).toMatch(/^HTTP\/1.1 200/)
  silent.socket.resume()
  trickling.socket.resume()
  await Promise.all([silent.closed, trickling.closed])
})

test('[DOOR-7] an address has so many connections; one that became a WebSocket counts no longer', async () => {
  const { entrance, dial } = await entranceFor(hello, { connectionsPerAddress: 2 })
  entrance.http.on('upgrade', (_, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  const [one, two, many] = [await dial(), await dial(), await dial()]
  await many.closed
  one.socket.write('GET /socket.io/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  expect(await heard(one, '101')).toContain('101')
  const next = await dial()
  for (const open of [two, next]) {
    open.socket.write(GET())
    expect(await heard(open, 'hello')).toMatch(/^HTTP\/1.1 200/)
  }
})

test('[DOOR-7] of connections on which nothing is asked a quarter stays, the newest', async () => {
  const times = { headers: 10_000, request: 10_000, idle: 10_000, look: 20 }
  const held: (() => void)[] = []
  const app: RequestListener = (_, response) => void held.push(() => response.end('hello'))
  const { dial } = await entranceFor(app, { connectionsPerAddress: 8, times })
  const asking = await dial()
  asking.socket.write(GET())
  await expect.poll(() => held, { timeout: PATIENCE_MS }).toHaveLength(1)
  const silent = [await dial(), await dial(), await dial(), await dial()]
  for (const { socket } of silent) socket.resume().write('GET / HTTP/1.1\r\nX: ')
  await Promise.all([silent[0]?.closed, silent[1]?.closed])
  held[0]?.()
  expect(await heard(asking, 'hello'), 'one that waits for its answer is none of them').toMatch(/200/)
  expect(silent.slice(2).map(({ socket }) => socket.closed)).toEqual([false, false])
})

test('[DOOR-8] requests that come at once are answered one after another, and not more than 16 wait', async () => {
  const begun: string[] = []
  let answer = (): void => {}
  const { dial } = await entranceFor(({ url = '' }, response) => {
    begun.push(url)
    if (url === '/0') answer = () => void response.end('hello')
    else response.end('hello')
  })
  const one = await dial()
  one.socket.write(Array.from({ length: 17 }, (_, n) => GET(`/${n}`)).join(''))
  await expect.poll(() => begun, { timeout: PATIENCE_MS }).toEqual(['/0'])
  answer()
  await heard(one, 'hello', 17)
  expect(begun).toEqual(Array.from({ length: 17 }, (_, n) => `/${n}`))
  const greedy = await dial()
  greedy.socket.write(Array.from({ length: 1_000 }, () => GET('/0')).join(''))
  greedy.socket.resume()
  await greedy.closed
  const hasty = await dial()
  hasty.socket.write(`${GET('/0')}POST /1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n`)
  hasty.socket.resume()
  await hasty.closed
})

test('[DOOR-9] who takes nothing is hung up on, who reads slowly gets all of it', async () => {
  const bytes = 12 * 1024 * 1024 // more than a kernel takes for a reader
  const ends: Promise<unknown>[] = []
  const app: RequestListener = (request, response) => {
    if (request.url !== '/slow') ends.push(once(response, 'close'))
    if (request.url !== '/stream') return void response.end(Buffer.alloc(bytes))
    const events = setInterval(
      () => response.writableLength < bytes / 2 && response.write('data: x\n\n'.repeat(9_999)),
      5,
    )
    response.once('close', () => clearInterval(events))
  }
  const { entrance, dial } = await entranceFor(app, {
    times: { headers: 10_000, request: 10_000, idle: 10_000, look: 50 },
  })
  const [deaf, listener, slow] = [await dial(), await dial(), await dial()]
  deaf.socket.pause().write(GET())
  listener.socket.pause().write(GET('/stream'))
  await expect.poll(() => entrance.waiting.total(), { timeout: PATIENCE_MS }).toBeGreaterThan(1024 * 1024)
  slow.socket.write(GET('/slow'))
  let taken = 0
  for await (const chunk of slow.socket) {
    taken += (chunk as Buffer).length
    if (taken >= bytes) break
    await new Promise((soon) => setTimeout(soon, 1))
  }
  await Promise.all(ends)
  expect(ends).toHaveLength(2)
  expect(taken).toBeGreaterThanOrEqual(bytes)
  await expect.poll(() => entrance.waiting.total(), { timeout: PATIENCE_MS }).toBe(0)
})

test('[DOOR-10] what waits is bounded for each address and for all; who has little waiting stays', () => {
  const KB = 1024
  const waiting = waitingBytes({ perAddress: 300 * KB, inAll: 500 * KB })
  const [one, two, other, small] = ['a', 'a', 'b', 'a'].map((address) => waiting.reader(address))
  expect([one?.waits(200 * KB), two?.waits(200 * KB)]).toEqual([true, false])
  expect(small?.waits(10 * KB), 'beside one that has too much').toBe(true)
  two?.leaves()
  expect(two?.waits(80 * KB)).toBe(true)
  expect(other?.waits(250 * KB), 'more than all may have').toBe(false)
  other?.leaves()
  expect([one?.waits(0), waiting.total()]).toEqual([true, 90 * KB])
  expect(other?.waits(250 * KB)).toBe(true)
  const many = Array.from({ length: 6 }, () => waiting.reader('c'))
  expect(
    many.map((one) => one.waits(60 * KB)),
    'many a little',
  ).toEqual([...Array(5).fill(true), false])
})
