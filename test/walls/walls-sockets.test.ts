import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { untouched } from './matrix.ts'
import { type Organisation, planted } from './organisation.ts'
import { busy, overhear } from './overheard.ts'
import { socketMatrix } from './socket-matrix.ts'

const isWhole = process.env.TORTURE !== undefined

let server: TestServer
let own: Organisation
let other: Organisation
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '1000000', RATE_PER_ADDRESS: '1000000' } })
  ;[own, other] = await Promise.all([planted(server, 'acme', 'mark1acme'), planted(server, 'zeta', 'mark2zeta')])
})
afterAll(async () => {
  own.close()
  other.close()
  await server.stop()
})

test('[WALL-1] [WALL-2] [WALL-3] [WALL-4] over sockets: every event, everybody, every mix of ids', async () => {
  const changes = await untouched(server, other, own)
  const overheard = await overhear(server.url, own, other)
  const rest = busy(other)
  const { cells, wrong } = await socketMatrix({ url: server.url, own, other, overheard, isWhole })
  await rest()
  if (isWhole) console.log(`${cells} cells over sockets`)
  expect(wrong).toEqual([])
  expect(overheard.end()).toEqual([])
  expect(cells).toBeGreaterThan(500)
  expect(await changes()).toEqual([])
  expect(server.output()).not.toMatch(/"level":[56]0/)
  expect([...own.clients, ...other.clients].every(({ socket }) => socket.connected)).toBe(true)
})
