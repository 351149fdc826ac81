import { setImmediate as soon } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openLane, type Turn } from '../../src/gateway/sockets/lane.ts'
import { manualClock } from '../support/clock.ts'

/**
 * How a call behaves: how many ticks until it enters (`null`: never says so), and how many more until it is answered.
 */
interface Behaviour {
  readonly entersAfter: number | null
  readonly answeredAfter: number
  readonly fails: boolean
}

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  entersAfter: fc.option(fc.nat(3), { nil: null, freq: 5 }),
  answeredAfter: fc.nat(4),
  fails: fc.boolean(),
})

/** Microtasks and ticks in turn, so that calls meet in every way. */
async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await (i % 2 ? soon() : Promise.resolve())
}

test(
  '[ORDER-1] whatever calls do, each starts when the one before has entered or is answered, and no ' + 'later',
  async () => {
    const rounds = fc.array(fc.tuple(behaviour, fc.nat(2)), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(rounds, async (calls) => {
        const lane = openLane()
        const wrong: string[] = []
        let added = 0
        let started = 0
        let entered = 0
        let over = 0
        const turn =
          (n: number, { entersAfter, answeredAfter, fails }: Behaviour): Turn =>
          async (enter) => {
            if (started !== n || entered !== n)
              wrong.push(`${n} started after ${started}, of which ${entered} had entered`)
            started++
            if (entersAfter) await ticks(entersAfter)
            entered++
            if (entersAfter !== null) {
              enter()
              enter() // more than once is once
              const next = Math.min(n + 2, added)
              queueMicrotask(() => {
                if (started < next) wrong.push(`${n + 1} did not start in the turn in which ${n} entered`)
              })
              if (answeredAfter) await ticks(answeredAfter)
            }
            over++
            if (fails) throw new Error('a bug')
          }
        for (const [n, [one, gap]] of calls.entries()) {
          added++
          if (!lane.add(turn(n, one))) wrong.push(`${n} was turned away`)
          if (gap) await ticks(gap)
        }
        while (over < calls.length) await soon()
        expect(wrong).toEqual([])
      }),
      { numRuns: 300 },
    )
  },
)

test('[ORDER-5] a call after answers starts when all before it are answered, others in their turn', async () => {
  const calls = fc.array(fc.tuple(behaviour, fc.boolean(), fc.nat(2)), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(calls, async (all) => {
      const lane = openLane()
      const wrong: string[] = []
      let started = 0
      let over = 0
      const turn =
        (n: number, { entersAfter, answeredAfter, fails }: Behaviour, afterAnswers: boolean): Turn =>
        async (enter) => {
          if (started++ !== n) wrong.push(`${n} out of turn`)
          if (afterAnswers && over < n) wrong.push(`${n} before ${n - over} answers`)
          if (entersAfter) await ticks(entersAfter)
          if (entersAfter !== null) enter()
          await ticks(answeredAfter)
          over++
          if (fails) throw new Error('a bug')
        }
      for (const [n, [one, afterAnswers, gap]] of all.entries()) {
        lane.add(turn(n, one, afterAnswers), afterAnswers)
        await ticks(gap)
      }
      while (over < all.length) await soon()
      expect(wrong).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('[ORDER-1] a call that has entered holds up nobody, however long its answer takes', () => {
  const lane = openLane()
  const started: number[] = []
  const unanswered =
    (n: number): Turn =>
    (entered) => {
      started.push(n)
      entered()
      return new Promise(() => {})
    }
  for (let n = 0; n < 1_000; n++) lane.add(unanswered(n))
  expect(started).toHaveLength(1_000)
})

test('[ORDER-1] those that waited start in the turn in which the one before them enters', async () => {
  const lane = openLane()
  const started: number[] = []
  let enter = (): void => {}
  lane.add((entered) => {
    enter = entered
    return new Promise(() => {})
  })
  for (let n = 0; n < 200; n++) {
    lane.add((entered) => {
      started.push(n)
      entered()
      return new Promise(() => {})
    })
  }
  await soon()
  expect(started).toEqual([])
  enter()
  expect(started).toEqual(Array.from({ length: 200 }, (_, n) => n))
})

test(
  '[ORDER-3] of more than 256 calls that wait for one that does not enter, the rest is turned away; ' +
    'the end is not',
  async () => {
    const lane = openLane()
    const started: string[] = []
    const first = Promise.withResolvers<void>()
    lane.add(() => first.promise)
    const taken = Array.from({ length: 300 }, (_, n) => lane.add(async () => void started.push(`call ${n}`)))
    lane.addEnd(() => void started.push('end'))
    expect(taken.filter((was) => was)).toHaveLength(256)
    expect(taken.indexOf(false)).toBe(256)
    first.resolve()
    while (started.at(-1) !== 'end') await soon()
    expect(started).toEqual([...Array.from({ length: 256 }, (_, n) => `call ${n}`), 'end'])
    expect(lane.add(async () => {})).toBe(true)
  },
)

test('[ORDER-2] the end waits two seconds for a call that does not enter, and comes once', async () => {
  const clock = manualClock()
  const lane = openLane(clock)
  const ends: string[] = []
  const stuck = Promise.withResolvers<void>()
  lane.add(() => stuck.promise)
  lane.addEnd(() => void ends.push('first'))
  lane.addEnd(() => void ends.push('second'))
  clock.advance(1_999)
  await soon()
  expect(ends).toEqual([])
  clock.advance(1)
  expect(ends).toEqual(['first', 'second'])
  stuck.resolve()
  const after = Promise.withResolvers<void>()
  lane.add(async () => after.resolve())
  await after.promise
  expect(ends).toEqual(['first', 'second'])
  expect(clock.pending()).toBe(0)
})

test('[ORDER-2] where nothing waits the end comes in the same turn, and leaves no timer', () => {
  const clock = manualClock()
  const ends: string[] = []
  openLane(clock).addEnd(() => void ends.push('end'))
  expect(ends).toEqual(['end'])
  expect(clock.pending()).toBe(0)
})
