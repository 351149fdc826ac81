import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'
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

test('[CONN-12] a contract that fails when somebody arrives costs one connection, which is lost', async () => {
  const http = createServer()
  const io = new Server(http)
  const errors: unknown[] = []
  const ends: string[] = []
  let arrivals = 0
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
    contracts: [
      {
        arrive() {
          if (++arrivals === 1) throw new Error('a contract with a bug')
          return undefined
        },
      },
    ],
    entities: { state: () => Promise.reject(new Error('nobody goes on here')) },
    follower: { position: () => 0n, pos: () => '0', until: async () => true },
    async *catchUp() {},
    cursorSockets: cursorSockets(() => '0'),
    receipts: { arrived: () => null, told() {}, caughtUp() {}, pushed() {}, ended() {} },
    profiles: new ProfileCache(memoryLog({ codec: codec(eventSchemas), now: Date.now })),
    registry: { left, entered: async () => {}, probeOthers: async () => {} },
    inbound: { onFrame() {}, drain: async () => {} },
    onPutOff() {},
    dropped: { forget() {} },
    clock: systemClock,
    onError: (error) => void errors.push(error),
  })
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const { port } = http.address() as AddressInfo
  const client = connect(`http://127.0.0.1:${port}`, { reconnectionDelay: 10 })
  onTestFinished(async () => {
    client.close()
    await io.close()
  })
  const told = await new Promise((heard) => client.once('error', heard))
  expect(told).toEqual({ message: 'something broke on our side; it has been logged' })
  await new Promise<void>((again) => client.once('connect', again)) // by itself
  expect(arrivals).toBe(2)
  expect(errors.map(String)).toEqual(['Error: a contract with a bug'])
  expect(ends, 'lost: they keep their grace').toEqual(['lost'])
})
