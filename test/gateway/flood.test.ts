import { expect, test } from 'vitest'
import type { Connection } from '../../src/gateway/sockets/connections.ts'
import { Flood } from '../../src/gateway/sockets/flood.ts'

/** A connection of which only this is seen: whether it is read. */
function connection() {
  let pauses = 0
  const socket = { pause: () => void pauses++, resume() {} }
  return { connection: { transport: { socket } } as unknown as Connection, pauses: () => pauses }
}

test('[FLOOD-2] a call that is done begins the count anew', () => {
  const it = connection()
  const flood = new Flood(it.connection, { perSecond: 10, burst: 20 }, () => expect.unreachable('it was cut off'))
  for (let i = 0; i < 100; i++) {
    for (let refusals = 0; refusals < 9; refusals++) flood.refused()
    flood.done()
  }
  expect(it.pauses()).toBe(0)
  for (let refusals = 0; refusals < 10; refusals++) flood.refused()
  expect(it.pauses()).toBe(1)
  flood.close()
})

test('[FLOOD-1] a large frame counts as many small ones', () => {
  const it = connection()
  const flood = new Flood(it.connection, { perSecond: 10, burst: 20 }, () => expect.unreachable('it was cut off'))
  flood.known() // 80 packets at once
  for (let i = 0; i < 4; i++) flood.came(64 * 1024) // 17 each
  expect(it.pauses()).toBe(0)
  flood.came(64 * 1024)
  expect(it.pauses()).toBe(1)
  flood.close()
})
