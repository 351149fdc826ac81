import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failureLimit, tokenBuckets } from '../../src/gateway/auth/limits.ts'

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
  test('attempts that end well do not count', async () => {
    const limit = failureLimit(2, 60)
    for (let i = 0; i < 5; i++) {
      expect(await limit.begin('ann')).toBe(true)
      await limit.succeeded('ann')
    }
  })
  test('attempts at once count from their beginning', async () => {
    const limit = failureLimit(2, 60)
    const heard = await Promise.all([1, 2, 3, 4].map(() => limit.begin('ann')))
    expect(heard.filter((it) => it === true)).toHaveLength(2)
    expect(heard[3]).toBeGreaterThan(59_000)
    expect(await limit.begin('bo')).toBe(true)
  })
})
