import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refuse } from '../../machines/kernel.ts'
import { type FairTurns, fairTurns } from '../../src/gateway/auth/fair-turns.ts'
import { growingDelay, tokenBuckets } from '../../src/gateway/auth/limits.ts'

const start = 1_700_000_000_000

describe('token buckets', () => {
  test('a burst passes, then the steady rate', () => {
    const limit = tokenBuckets({ perSecond: 10, burst: 20 })
    const passed = (now: number, asked: number) =>
      Array.from({ length: asked }, () => limit.take('ann', now)).filter((it) => it === true).length
    expect([passed(start, 30), passed(start, 5), passed(start + 100, 5), passed(start + 1_100, 30)]).toEqual([
      20, 0, 1, 10,
    ])
  })
  test('who is refused is told when to come back, and is then let through', () => {
    const limit = tokenBuckets({ perSecond: 3, burst: 1 })
    limit.take('ann', start)
    expect(limit.take('ann', start)).toBe(334)
    expect(limit.take('ann', start + 333)).toBe(1)
    expect(limit.take('ann', start + 334)).toBe(true)
  })
  test('one key does not spend what another has', () => {
    const limit = tokenBuckets({ perSecond: 1, burst: 1 })
    expect([limit.take('ann', start), limit.take('bo', start), limit.take('ann', start)]).toEqual([true, true, 1000])
  })
  test('a clock that goes back takes nothing away', () => {
    const limit = tokenBuckets({ perSecond: 1, burst: 2 })
    expect([limit.take('ann', start), limit.take('ann', start - 60_000), limit.take('ann', start - 60_000)]).toEqual([
      true,
      true,
      1000,
    ])
  })
  test('[LIMIT-10] whoever was silent may ask a burst at once, and not what the silence would have let through', () => {
    const limit = tokenBuckets({ perSecond: 10, burst: 20 })
    const passed = (now: number) => Array.from({ length: 60 }, () => limit.take('ann', now)).filter((it) => it === true)
    limit.take('ann', start)
    expect(passed(start + 1_900)).toHaveLength(20) // 19 were left, and as many have come in
  })
  test('[LIMIT-10] no span of time lets more through than the burst and what comes in during it', () => {
    const pause = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 900 }))
    fc.assert(
      fc.property(fc.array(pause, { maxLength: 200 }), (pauses) => {
        const limit = tokenBuckets({ perSecond: 10, burst: 5 })
        let now = start
        const passed: number[] = []
        for (const ms of pauses) {
          now += ms
          if (limit.take('ann', now) === true) passed.push(now)
        }
        for (const [first, from] of passed.entries())
          for (const [more, to] of passed.slice(first).entries())
            expect(more + 1).toBeLessThanOrEqual(5 + ((to - from) * 10) / 1000)
      }),
    )
  })
})

describe('failures', () => {
  const delays = { free: 3, firstMs: 1_000, mostMs: 5_000 }
  test('attempts that end well do not count', () => {
    const limit = growingDelay(delays)
    for (let i = 0; i < 10; i++) {
      expect(limit.begin('ann', start)).toBe(true)
      limit.succeeded('ann')
    }
  })
  test('[DOOR-20] each failure makes the next attempt wait longer, up to a bound, and an hour forgets them', () => {
    const limit = growingDelay(delays)
    const waits: number[] = []
    let now = start
    for (let i = 0; i < 7; i++) {
      expect(limit.begin('ann', now)).toBe(true)
      const next = limit.begin('ann', now)
      if (next === true) limit.begin('ann', now) // the second and the third
      const waitMs = limit.begin('ann', now)
      expect(waitMs).not.toBe(true)
      waits.push(Number(waitMs))
      now += Number(waitMs)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000])
    expect(limit.begin('bo', now)).toBe(true)
    limit.begin('ann', now)
    now += 3_600_000
    expect([limit.begin('ann', now), limit.begin('ann', now)]).toEqual([true, true])
  })
  test('attempts at once count from their beginning', () => {
    const limit = growingDelay(delays)
    expect([1, 2, 3, 4].map(() => limit.begin('ann', start))).toEqual([true, true, true, 1_000])
  })
})

describe('turns', () => {
  const open: (() => void)[] = []
  /** Work that goes on until it is let go, and says whose turn it was. */
  const worker = (turns: FairTurns, done: string[]) => (key: string) =>
    turns(key, async () => {
      await new Promise<void>((resolve) => open.push(resolve))
      done.push(key)
    })
  const letAllGo = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      next()
      await new Promise((soon) => setImmediate(soon))
    }
  }

  test('[DOOR-22] whoever comes behind a flood waits for one of it, not for all', async () => {
    const done: string[] = []
    const work = worker(fairTurns(1, { inAll: 100, perKey: 50 }), done)
    const flood = Array.from({ length: 40 }, () => work('flood'))
    const all = [...flood, work('ann'), work('bo')]
    await letAllGo()
    await Promise.all(all)
    expect(done.slice(0, 4)).toEqual(['flood', 'flood', 'ann', 'bo'])
    expect(done).toHaveLength(42)
  })
  test('[DOOR-22] where no more may wait, whoever has most waiting gives way', async () => {
    const done: string[] = []
    const work = worker(fairTurns(1, { inAll: 10, perKey: 50 }), done)
    const flood = Array.from({ length: 12 }, () => work('flood'))
    expect(await flood[11], 'ten wait behind one').toEqual(refuse('overloaded'))
    const ann = work('ann')
    expect(await flood[10]).toEqual(refuse('overloaded'))
    await letAllGo()
    expect(await ann).toBeUndefined()
    expect(done.filter((key) => key === 'flood')).toHaveLength(10)
  })
})
