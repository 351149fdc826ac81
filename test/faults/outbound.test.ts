import { createServer } from 'node:http'
import type { Socket as Tcp } from 'node:net'
import { Server } from 'socket.io'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../src/gateway/http/listen.ts'
import { type Connection, markOf, waitingBytes } from '../../src/gateway/sockets/connections.ts'
import { hangUp } from '../../src/gateway/sockets/hang-up.ts'
import { type Terminated, watchSlowReaders } from '../../src/gateway/sockets/slow-readers.ts'
import { waitingBytes as waitingBytesOf } from '../../src/gateway/waiting-bytes.ts'
import { type Client, connect } from '../support/client.ts'
import { manualClock } from '../support/clock.ts'
import { startServer, tokenFor } from '../support/server.ts'
import { until } from './load.ts'
import { tcpUnder } from './paused.ts'

const MIB = 1024 * 1024

async function aPushingServer(waiting = waitingBytesOf()) {
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  const clock = manualClock()
  const cut: Terminated[] = []
  const outbound = watchSlowReaders({ io, namespaces: ['/'], clock, waiting, onCutOff: (reader) => cut.push(reader) })
  const url = await listen(http, '127.0.0.1', 0)
  onTestFinished(async () => {
    outbound.stop()
    await hangUp(io, ['/'], 200)
    await io.close()
  })
  const reader = await connect(url, {})
  onTestFinished(reader.close)
  return { io, clock, cut, reader, url, tcp: tcpUnder(reader.socket) }
}

/** Reads so many bytes, or a little more, and pauses again. */
function take(tcp: Tcp, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes
    const count = (chunk: Buffer): void => {
      left -= chunk.length
      if (left > 0) return
      tcp.pause()
      tcp.off('data', count)
      resolve()
    }
    tcp.on('data', count)
    tcp.resume()
  })
}

/** More than the kernel takes on both sides of a loopback connection. */
const opening = (bytes: number): string => 'x'.repeat(bytes)

test(
  '[LIMIT-7] a reader who takes nothing is cut off after 15 looks without progress, and sees a lost ' + 'connection',
  async () => {
    const { io, clock, cut, reader, tcp } = await aPushingServer()
    tcp.pause()
    io.emit('opening', opening(14 * MIB))
    await until(() => io.engine.clientsCount === 1)
    clock.advance(15_000)
    expect(cut).toEqual([])
    clock.advance(1_000)
    expect(cut).toEqual([expect.objectContaining({ why: 'it takes nothing', address: '127.0.0.1' })])
    await until(() => io.engine.clientsCount === 0)
    const lost = new Promise((resolve) => reader.socket.once('disconnect', resolve))
    tcp.resume()
    expect(await lost).toMatch(/^transport (close|error)$/)
  },
)

test(
  '[LIMIT-7] a slow reader who takes a little between the looks keeps the connection, and gets ' + 'everything',
  async () => {
    const { io, clock, cut, reader, tcp } = await aPushingServer()
    tcp.pause()
    io.emit('opening', opening(14 * MIB))
    const [connection] = [...io.of('/').sockets.values()].map(({ conn }) => conn) as [Connection] // the reader's
    for (let times = 0; times < 2; times++) {
      clock.advance(14_000)
      const { queued } = markOf(connection)
      // The kernels between us pass on what was taken in portions of their own size.
      await until(async () => {
        await take(tcp, MIB / 8)
        return markOf(connection).queued < queued
      })
    }
    clock.advance(14_000)
    expect(cut).toEqual([])
    expect(waitingBytes(connection)).toBeGreaterThan(MIB) // otherwise this test tries nothing
    tcp.resume()
    expect(await reader.told('opening')).toHaveLength(14 * MIB)
  },
)

test('[LIMIT-7] more than 32 MiB at once is too much for anybody', async () => {
  const { io, clock, cut, tcp } = await aPushingServer()
  tcp.pause()
  for (let i = 0; i < 80; i++) io.emit('push', opening(MIB))
  await until(() => io.engine.clientsCount === 1)
  clock.advance(1_000)
  expect(cut).toEqual([expect.objectContaining({ why: 'too much waits for it' })])
  await until(() => io.engine.clientsCount === 0)
})

test('[LIMIT-7] more than its address may have waiting is too much for whoever takes little of it', async () => {
  const { io, clock, cut, url, tcp } = await aPushingServer(waitingBytesOf({ perAddress: 12 * MIB, inAll: 64 * MIB }))
  const others = await Promise.all([1, 2].map(() => connect(url, {})))
  for (const other of others) onTestFinished(other.close)
  tcp.pause()
  tcpUnder((others[0] as Client).socket).pause()
  for (let i = 0; i < 14; i++) io.emit('push', opening(MIB)) // to each of them, and the kernel takes some
  await until(() => others[1]?.heard.length === 14)
  clock.advance(3_000)
  expect(cut).toEqual([])
  clock.advance(1_000)
  expect(cut.map(({ why }) => why)).toEqual(expect.arrayContaining(['too much waits for its address']))
  expect(others[1]?.socket.connected, 'whoever reads stays').toBe(true)
})

test('[LIMIT-7] somebody on long polling who does not ask for what waits is cut off too', async () => {
  const { io, clock, cut, url } = await aPushingServer()
  const poll = `${url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(poll)).text()).slice(1))
  await fetch(`${poll}&sid=${sid}`, { method: 'POST', body: '40' })
  await until(() => io.of('/').sockets.size === 2)
  for (let i = 0; i < 34; i++) io.except([...io.of('/').sockets.keys()].slice(0, 1)).emit('push', opening(MIB))
  clock.advance(1_000)
  expect(cut).toEqual([expect.objectContaining({ why: 'too much waits for it' })])
  await until(() => io.engine.clientsCount === 1)
})

test('[LIMIT-7] in a real server a reader who stopped is disconnected while the others hear everything', async () => {
  const server = await startServer({ env: { RATE_PER_PERSON: '100000', CHAT_BYTES_PER_MINUTE: '1000000000' } })
  const clients: Client[] = []
  const enter = async (role: string, name: string): Promise<Client> => {
    const client = await connect(server.url, { auth: { token: await tokenFor(role, name) } })
    clients.push(client)
    return client
  }
  try {
    const [visitor, agent, stopped, reading] = [
      await enter('visitor', 'vera'),
      await enter('agent', 'ada'),
      await enter('supervisor', 'stopped'),
      await enter('supervisor', 'reading'),
    ]
    const metric = async (name: string): Promise<number> =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await (await fetch(`${server.url}/metrics`)).text())?.[1])

    tcpUnder(stopped.socket).pause()
    const text = 'x'.repeat(60_000)
    let sent = 0
    // In a chat of their own, or it would be full.
    const write = async (): Promise<void> => {
      const chats = agent.all('append_unclaimed_chats').length
      await visitor.ask('visitor_first_msg', { content: { text: 'hello' } })
      await until(() => agent.all('append_unclaimed_chats').length > chats)
      const { room } = agent.all('append_unclaimed_chats').at(-1)
      expect(await agent.ask('staff_join', { room: room.id })).toEqual([true, null])
      for (let i = 0; i < 100; i++)
        expect(await visitor.ask('visitor_msg', { content: { n: sent++, text } })).toEqual([true, null])
      expect(await visitor.ask('visitor_leave_room')).toEqual([true, null])
    }
    // 100 messages are 6 MB: as many as it takes, and as many again to see that nothing more piles up.
    while ((await metric('lyceum_slow_readers_cut_off_total')) === 0 && sent < 5_000) await write()
    const [, person, waiting, why] = /"person":"(.*?)".*"waitingBytes":(\d+),"why":"(.*?)"/.exec(server.output()) ?? []
    expect(person).toBe('acme.stopped')
    // on a slow machine 15 looks come before 32 MiB
    expect(['too much waits for it', 'it takes nothing']).toContain(why)
    expect(Number(waiting)).toBeLessThan(128 * MIB) // the budget, and what was pushed between two looks
    await write()
    // It was cut off once and for all: what is pushed now waits for nobody.
    expect(await metric('lyceum_slow_readers_cut_off_total')).toBe(1)
    expect(await metric('lyceum_sockets')).toBe(3)

    await until(
      () => agent.all('visitor_send').length === sent && reading.all('new_visitor_msg_for_supervisor').length === sent,
    )
    expect(reading.all('new_visitor_msg_for_supervisor').map(({ content }) => content.n)).toEqual(
      Array.from({ length: sent }, (_, n) => n),
    )
    expect([visitor, agent, reading].map(({ socket }) => socket.connected)).toEqual([true, true, true])
  } finally {
    for (const client of clients) client.close()
    await server.stop()
  }
})
