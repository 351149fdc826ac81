import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import type { Report } from '../../machines/watch/commands.ts'
import { unwatched } from '../../machines/watch/machine.ts'
import { type Stretch, secondsIn, watchedBetween, withStretch } from '../../machines/watch/watched.ts'
import { counted, newViewing, type Viewing } from '../../src/contracts/courses/viewing.ts'
import { manualClock } from '../support/clock.ts'

const stu: Party = { id: 'stu', org: 'acme', role: 'student' }
const LENGTH = 600
const viewingOf = (durationSeconds: number | null = LENGTH): Viewing =>
  newViewing(manualClock(0), { courseId: 'c', videoId: 'v', durationSeconds }, stu, unwatched, 0)

interface Sent extends Report {
  readonly tab: string
}

/** What a person does with some tabs: each plays on, at up to double speed, stands still, or is moved. */
const reportsOf = (...tabs: readonly string[]) =>
  fc
    .array(
      fc.record({
        tab: fc.constantFrom(...tabs),
        passMs: fc.integer({ min: -500, max: 3_000 }), // a clock may be put back
        does: fc.oneof(
          { weight: 4, arbitrary: fc.double({ min: 0, max: 2, noNaN: true }) },
          fc.constant('seek' as const),
        ),
        to: fc.nat(LENGTH),
      }),
      { maxLength: 60 },
    )
    .map((steps) => {
      const places = new Map<string, Report>()
      let at = 1_000
      return steps.map(({ tab, passMs, does, to }): Sent => {
        at += passMs
        const before = places.get(tab)
        const played = before && does !== 'seek' ? before.timestamp + (Math.max(0, at - before.at) / 1000) * does : to
        const timestamp = Math.min(LENGTH, Math.round(played * 1000) / 1000)
        places.set(tab, { timestamp, progress: 1, at })
        return { tab, timestamp, progress: 1, at }
      })
    })

const mayBe = (earlier: Report | undefined, later: Report): number =>
  earlier ? (Math.max(0, later.at - earlier.at) / 1000) * 2 + 2 : 0

test('[COURSE-30] of two tabs at once the union of what each watched, and of what they watched in turns, counts', () =>
  fc.assert(
    fc.property(reportsOf('one', 'two'), (all) => {
      const viewing = viewingOf()
      let union: readonly Stretch[] = []
      for (const [n, { tab, ...report }] of all.entries()) {
        const before = all.slice(0, n)
        const [last, own] = [before.at(-1), before.findLast((one) => one.tab === tab)]
        const [seconds, { watchedSeconds, percent }] = [secondsIn(viewing.union), viewing.watched]
        counted(viewing, report, tab)

        for (const earlier of [last, own]) {
          const stretch = earlier && watchedBetween(earlier, report)
          if (stretch) union = withStretch(union, stretch)
        }
        expect(viewing.union).toEqual(union)
        expect(viewing.stretches).toEqual(union)
        expect(viewing.watched.watchedSeconds).toBeGreaterThanOrEqual(watchedSeconds)
        expect(viewing.watched.watchedSeconds).toBeLessThanOrEqual(LENGTH)
        expect(viewing.watched.percent).toBeGreaterThanOrEqual(percent)
        expect(viewing.watched.percent).toBeLessThanOrEqual(100)
        // No more than the tab can have played since its own last report, or the viewer's.
        const grown = secondsIn(viewing.union) - seconds
        expect(grown).toBeLessThanOrEqual(Math.max(mayBe(own, report), mayBe(last, report)) + 1e-6)
      }
    }),
  ))

test('[COURSE-30] two tabs that both play watch everything that either plays, and no stretch ends', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 60 }), (passed) => {
      const viewing = viewingOf()
      counted(viewing, { timestamp: 0, progress: 0, at: 0 }, 'one')
      expect(counted(viewing, { timestamp: 300, progress: 50, at: 0 }, 'two')).toBe(true) // it begins elsewhere
      let at = 0
      for (const ms of passed) {
        at += ms
        expect(counted(viewing, { timestamp: at / 1000, progress: 0, at }, 'one')).toBe(false)
        expect(counted(viewing, { timestamp: 300 + at / 1000, progress: 50, at }, 'two')).toBe(false)
      }
      expect(viewing.union).toEqual([
        [0, at / 1000],
        [300, 300 + at / 1000],
      ])
    }),
  ))

test('[COURSE-30] [COURSE-31] of one tab each report follows the one before, and a seek ends a stretch', () =>
  fc.assert(
    fc.property(reportsOf('one'), (all) => {
      const viewing = viewingOf()
      let union: readonly Stretch[] = []
      for (const [n, { tab, ...report }] of all.entries()) {
        const last = all[n - 1]
        const stretch = last && watchedBetween(last, report)
        if (stretch) union = withStretch(union, stretch)
        const isSeek = last !== undefined && !stretch && last.timestamp !== report.timestamp
        expect(counted(viewing, report, tab)).toBe(isSeek)
        expect(viewing.union).toEqual(union)
      }
    }),
  ))

test('[COURSE-30] of many tabs the eight that reported last are known', () => {
  const viewing = viewingOf(null)
  const places = Array.from({ length: 9 }, (_, n) => ({ tab: `t${n}`, timestamp: n * 50, progress: 0 }))
  for (const { tab, ...place } of places) counted(viewing, { ...place, at: 0 }, tab)
  expect([...viewing.tabs.keys()]).toEqual(places.slice(1).map(({ tab }) => tab))
  expect(counted(viewing, { timestamp: 51, progress: 0, at: 0 }, 't1')).toBe(false)
  expect(counted(viewing, { timestamp: 1, progress: 0, at: 0 }, 't0')).toBe(true) // forgotten: in the place of t2
  expect([...viewing.tabs.keys()].slice(-2)).toEqual(['t1', 't0'])
  expect(viewing.tabs.size).toBe(8)
})
