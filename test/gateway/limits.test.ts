import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refuse } from '../../machines/kernel.ts'
import { attempts } from '../../src/gateway/auth/attempts.ts'
import { type FairTurns, fairTurns } from '../../src/gateway/auth/fair-turns.ts'
import { type Limit, type Rate, tokenBuckets } from '../../src/gateway/auth/limits.ts'
import { manualClock } from '../support/clock.ts'

describe('token buckets', () => {
  const buckets = (rate: Rate) => {
    const clock = manualClock()
    return { clock, ...tokenBuckets(rate, clock.elapsed) }
  }
  const passed = (limit: Limit, asked: number): number =>
    Array.from({ length: asked }, () => limit.take('ann')).filter((it) => it === true).length

  test('a burst passes, then the steady rate', () => {
    const limit = buckets({ perSecond: 10, burst: 20 })
    expect([passed(limit, 30), passed(limit, 5)]).toEqual([20, 0])
    limit.clock.advance(100)
    expect(passed(limit, 5)).toBe(1)
    limit.clock.advance(1_000)
    expect(passed(limit, 30)).toBe(10)
  })
  test('who is refused is told when to come back, and is then let through', () => {
    const limit = buckets({ perSecond: 3, burst: 1 })
    limit.take('ann')
    expect(limit.take('ann')).toBe(334)
    limit.clock.advance(333)
    expect(limit.take('ann')).toBe(1)
    limit.clock.advance(1)
    expect(limit.take('ann')).toBe(true)
  })
  test('one key does not spend what another has', () => {
    const limit = buckets({ perSecond: 1, burst: 1 })
    expect([limit.take('ann'), limit.take('bo'), limit.take('ann')]).toEqual([true, true, 1000])
  })
  test('[LIMIT-10] whoever was silent may ask a burst at once, and not what the silence would have let through', () => {
    const limit = buckets({ perSecond: 10, burst: 20 })
    limit.take('ann')
    limit.clock.advance(1_900)
    expect(passed(limit, 60)).toBe(20) // 19 were left, and as many have come in
  })
  test('[LIMIT-10] no span of time lets more through than the burst and what comes in during it', () => {
    const pause = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 900 }))
    fc.assert(
      fc.property(fc.array(pause, { maxLength: 200 }), (pauses) => {
        const limit = buckets({ perSecond: 10, burst: 5 })
        const passed: number[] = []
        for (const ms of pauses) {
          limit.clock.advance(ms)
          if (limit.take('ann') === true) passed.push(limit.clock.elapsed())
        }
        for (const [first, from] of passed.entries())
          for (const [more, to] of passed.slice(first).entries())
            expect(more + 1).toBeLessThanOrEqual(5 + ((to - from) * 10) / 1000)
      }),
    )
  })
})

describe('attempts', () => {
  const options = { free: 2, firstMs: 1_000, mostMs: 3_000, waiting: 3 }
  const soon = () => new Promise((resolve) => setImmediate(resolve))
  const isWrong = (password: string) => password !== 'right'

  test('[DOOR-20] each failure makes the next attempt wait longer; who is right is heard in their turn', async () => {
    const clock = manualClock()
    const { run } = attempts({ clock, ...options })
    const heard: string[] = []
    const hear = async (password: string) => {
      heard.push(password)
      return password
    }
    const attempt = (password: string) => run('ann', () => hear(password), isWrong)
    for (const password of ['1', '2']) await attempt(password)
    const rest = ['3', '4', 'right'].map(attempt)
    const [first, second, third] = [1_000, 2_000, 3_000]
    for (const [n, ms] of [first, second, third].entries()) {
      clock.advance(ms - 1)
      await soon()
      expect(heard).toHaveLength(2 + n)
      clock.advance(1)
      await soon()
      expect(heard).toHaveLength(3 + n)
    }
    expect(await Promise.all(rest)).toEqual(['3', '4', 'right'])
    await attempt('5')
    expect(heard, 'at once: being right has ended it').toHaveLength(6)
    expect(clock.pending()).toBe(0)
  })
  test('[DOOR-20] only so many wait; an hour without an attempt forgets all', async () => {
    const clock = manualClock()
    const { run } = attempts({ clock, ...options })
    const attempt = () => run('ann', async () => 'wrong', isWrong)
    for (let n = 0; n < 2; n++) await attempt()
    const waiting = Array.from({ length: 4 }, attempt)
    expect(await attempt()).toBe(4_000)
    expect(await run('bo', async () => 'right', isWrong), 'another key').toBe('right')
    for (let n = 0; n < 4; n++) {
      clock.advance(3_000)
      await soon()
    }
    expect(await Promise.all(waiting)).toEqual(Array(4).fill('wrong'))
    clock.advance(3_600_000)
    expect(await attempt()).toBe('wrong')
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
