import { describe, expect, test } from 'vitest'
import type { Diagnosis } from '../../src/log/eventstore-diagnosis.ts'
import { REPORT_EVERY_MS, watchServer } from '../../src/log/eventstore-watch.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { manualClock } from '../support/clock.ts'

const DOWN: Diagnosis = { kind: 'silent', reason: 'nobody is there' }
const DENIED = Object.assign(new Error('16 UNAUTHENTICATED'), { code: 16 })
const AWAY = new LogUnavailable('no answer')

/** A server whose answers the test sets; an answer is as quick as a promise. */
function aWatch(first: Error | null) {
  const clock = manualClock()
  const reported: (string | null)[] = []
  const server = { answer: first, stands: DOWN, attempts: 0 }
  const watch = watchServer({
    clock,
    report: (reason) => reported.push(reason),
    async attempt() {
      server.attempts += 1
      if (server.answer !== null) throw server.answer
    },
    diagnose: async () => server.stands,
  })
  /** A second at a time: each check is answered before the next one is due. */
  const pass = async (ms: number): Promise<void> => {
    await new Promise(setImmediate)
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(Math.min(1_000, left))
      await new Promise(setImmediate)
    }
  }
  return { clock, reported, server, watch, pass }
}

describe('at the start', () => {
  test('[CONNECT-3] says at once why it waits, again every 10 s while it lasts, and once that it is over', async () => {
    const { reported, server, watch, pass } = aWatch(AWAY)
    await pass(3_600_000)
    expect(reported).toEqual(Array.from({ length: 1 + 3_600_000 / REPORT_EVERY_MS }, () => 'nobody is there'))
    server.answer = null
    await pass(1_000)
    await watch.begun
    expect(reported.slice(-2)).toEqual(['nobody is there', null])
    watch.stop()
  })

  test('[CONNECT-3] a new reason is reported at once', async () => {
    const { reported, server, watch, pass } = aWatch(AWAY)
    await pass(0)
    server.answer = Object.assign(new Error('14 UNAVAILABLE: Server Is Not Ready'), { code: 14 })
    server.stands = { kind: 'fits' }
    await pass(1_000)
    const notReady = 'EventStoreDB is there but does not serve (Server Is Not Ready)'
    expect(reported).toEqual(['nobody is there', notReady])
    watch.stop()
  })

  test('[CONNECT-2] what waiting does not mend ends the start, and nothing goes on', async () => {
    const { clock, reported, watch, pass } = aWatch(DENIED)
    await expect(watch.begun).rejects.toThrow('does not take the user and the password')
    await pass(60_000)
    expect(reported).toEqual([])
    expect(clock.pending()).toBe(0)
  })
})

describe('while it runs', () => {
  test('[CONNECT-5] a silence of less than 5 s is not told, a longer one is, and its end', async () => {
    const { reported, server, watch, pass } = aWatch(null)
    await watch.begun
    for (const [silenceMs, told] of [
      [3_000, []],
      [7_000, ['nobody is there', null]],
    ] as const) {
      reported.length = 0
      server.answer = AWAY
      watch.suspect()
      await pass(silenceMs)
      server.answer = null
      await pass(2_000)
      expect(reported).toEqual(told)
    }
    watch.stop()
  })

  test('[CONNECT-4] rights that are lost are told at once, denied until they are there again', async () => {
    const { reported, server, watch, pass } = aWatch(null)
    await watch.begun
    server.answer = DENIED
    await pass(10_000)
    expect(reported).toEqual([expect.stringContaining('does not take the user and the password')])
    expect(watch.denied()).toBe(reported[0])
    server.answer = null
    await pass(1_000)
    expect(watch.denied()).toBeNull()
    expect(reported.slice(1)).toEqual([null])
    watch.stop()
  })

  test('calls that fail bring a check sooner, but one a second at most', async () => {
    const { server, watch, pass } = aWatch(null)
    await watch.begun
    for (let n = 0; n < 100; n++) {
      watch.suspect()
      await pass(100)
    }
    expect(server.attempts).toBeLessThanOrEqual(12)
    expect(server.attempts).toBeGreaterThanOrEqual(9)
    watch.stop()
  })
})
