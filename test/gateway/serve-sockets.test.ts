import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import { systemClock } from '../../src/clock.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import type { ConnectionRegistry } from '../../src/gateway/sockets/connection-registry.ts'
import { cursorSockets } from '../../src/gateway/sockets/cursor-sockets.ts'
import { openLane } from '../../src/gateway/sockets/lane.ts'
import { serveSockets } from '../../src/gateway/sockets/serve-sockets.ts'
import { type ConnectionParts, connectionOf } from '../../src/gateway/sockets/session.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'

const ann: Party = { id: 'ann', org: 'acme', role: 'agent' }

type Serving = Parameters<typeof serveSockets>[0]

/** Sockets of which nothing is real but what serves them; everybody is ann. */
async function serving(broken: Partial<Serving>) {
  const http = createServer()
  const io = new Server(http)
  const errors: unknown[] = []
  const ends: string[] = []
  const left: ConnectionRegistry['left'] = async (_, __, { how }) => void ends.push(how)
  serveSockets({
    namespace: io.of('/'),
    async letIn(socket) {
      const identity = { exp: Date.now() / 1_000 + 60 }
      const arrival = { kind: 'app', party: ann, identity } as ConnectionParts['arrival']
      const lane = openLane()
      const connection = connectionOf({
        socket,
        arrival,
        resumption: { client: null },
        person: { profile: {} } as never,
        lane,
        emit() {},
      })
      const resumption = { withCursors: false, after: undefined, unknown: null }
      socket.data = { arrival, lane, connection, resumption, isResumed: false }
    },
    contracts: [],
    entities: { state: () => Promise.reject(new Error('nobody goes on here')) },
    follower: { position: () => 0n, pos: () => '0', until: async () => true },
    async *catchUp() {},
    cursorSockets: cursorSockets(() => '0'),
    receipts: { arrived: () => null, told() {}, caughtUp() {}, pushed() {}, ended() {} },
    profiles: new ProfileCache(memoryLog({ codec: codec(eventSchemas), now: Date.now })),
    registry: { left, entered: async () => {}, probeOthers: async () => {} },
    inbound: { onFrame() {}, drain: async () => {} },
    frames: { of: () => ({ allow() {}, taken() {}, listener: undefined, refused() {}, done() {} }) },
    maxFrameBytes: 1_000_000,
    onPutOff() {},
    dropped: { forget() {} },
    clock: systemClock,
    onError: (error) => void errors.push(error),
    ...broken,
  })
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const { port } = http.address() as AddressInfo
  const client = connect(`http://127.0.0.1:${port}`, { reconnectionDelay: 10 })
  onTestFinished(async () => {
    client.close()
    await io.close()
  })
  return { client, errors, ends }
}

const isBack = (client: Socket): Promise<void> => new Promise((again) => client.once('connect', again))

test('[CONN-12] a contract that fails when somebody arrives costs one connection, which is lost', async () => {
  let arrivals = 0
  const arrive = (): undefined => {
    if (++arrivals === 1) throw new Error('a contract with a bug')
  }
  const { client, errors, ends } = await serving({ contracts: [{ arrive }] })
  const told = await new Promise((heard) => client.once('error', heard))
  expect(told).toEqual({ message: 'something broke on our side; it has been logged' })
  await isBack(client) // by itself
  expect(arrivals).toBe(2)
  expect(errors.map(String)).toEqual(['Error: a contract with a bug'])
  expect(ends, 'lost: they keep their grace').toEqual(['lost'])
})

const bug = (): never => {
  throw new Error('a bug')
}
let failures = 0
const once = (): undefined => {
  if (failures++ === 0) bug()
}

test.each([
  ['a frame', { inbound: { onFrame: bug, drain: async () => {} } }],
  ['an end', { receipts: { arrived: () => null, told() {}, caughtUp() {}, pushed() {}, ended: bug } }],
  ['the rooms of an arrival', { contracts: [{ rooms: () => once() ?? [] }] }],
  ['an arrival', { frames: { of: () => ({ allow: once, taken() {}, listener: undefined, refused() {}, done() {} }) } }],
] satisfies [string, Partial<Serving>][])(
  '[FLOOD-8] a bug in %s ends one connection, and nothing else',
  async (_, broken) => {
    failures = 0
    const { client, errors } = await serving(broken)
    await isBack(client)
    client.emit('anything')
    client.io.engine.close()
    await isBack(client)
    expect(String(errors[0])).toBe('Error: a bug')
  },
)
