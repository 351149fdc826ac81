import { expect, onTestFinished, test, vi } from 'vitest'
import type { Connection } from '../../src/gateway/sockets/connections.ts'
import { Flood } from '../../src/gateway/sockets/flood.ts'

/** A connection of which only this is seen: whether it is read. */
function connection() {
  let pauses = 0
  const socket = {
    isPaused: false,
    pause() {
      pauses++
      socket.isPaused = true
    },
    resume() {},
  }
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
  for (let refusals = 0; refusals < 11; refusals++) flood.refused()
  expect(it.pauses()).toBe(1)
  flood.close()
})

test('[FLOOD-1] a large frame counts as many small ones', async () => {
  const it = connection()
  const flood = new Flood(it.connection, { perSecond: 10, burst: 40 }, () => expect.unreachable('it was cut off'))
  flood.known() // 160 packets at once
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 5; i++) {
    flood.came(24 * 1024) // 25 each
    await nextTurn()
  }
  expect(it.pauses()).toBe(0)
  for (let i = 0; i < 2; i++) flood.came(24 * 1024)
  expect(it.pauses()).toBe(1)
  flood.close()
})

test('[FLOOD-1] of one connection so much is read in one turn of the event loop', async () => {
  const it = connection()
  const flood = new Flood(it.connection, { perSecond: 1_000, burst: 2_000 }, () => expect.unreachable('it was cut off'))
  flood.known()
  for (let i = 0; i < 31; i++) flood.came(0)
  expect(it.pauses()).toBe(0)
  flood.came(0)
  expect(it.pauses()).toBe(1)
  flood.close()
})

test('[FLOOD-2] whoever is refused now and then, however long, is not held back', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const it = connection()
  const flood = new Flood(it.connection, { perSecond: 10, burst: 20 }, () => expect.unreachable('it was cut off'))
  for (let i = 0; i < 1_000; i++) {
    vi.advanceTimersByTime(500)
    flood.refused()
  }
  expect(it.pauses()).toBe(0)
})
