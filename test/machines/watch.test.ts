import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import type { WatchCommand } from '../../machines/watch/commands.ts'
import { decide } from '../../machines/watch/decide.ts'
import type { WatchEvent } from '../../machines/watch/events.ts'
import { watchMachine } from '../../machines/watch/machine.ts'
import {
  type Place,
  type Stretch,
  secondsIn,
  type Watched,
  watchedAfter,
  watchedBetween,
  withStretch,
} from '../../machines/watch/watched.ts'
import { scenario } from '../support/given.ts'

/** In milliseconds, so that sums are exact. */
const stretch = fc
  .tuple(fc.nat(600_000), fc.integer({ min: 1, max: 60_000 }))
  .map<Stretch>(([from, length]) => [from / 1000, (from + length) / 1000])
const unionOf = (all: readonly Stretch[]) => all.reduce<readonly Stretch[]>(withStretch, [])
/** By looking at every millisecond's border: slow, and surely right. */
function measured(all: readonly Stretch[]): number {
  const borders = [...new Set(all.flat())].sort((a, b) => a - b)
  let ms = 0
  for (const [n, from] of borders.entries()) {
    const to = borders[n + 1]
    if (to !== undefined && all.some(([a, b]) => a <= from && to <= b)) ms += Math.round((to - from) * 1000)
  }
  return ms / 1000
}

describe('[COURSE-30] the union of stretches', () => {
  test('is what any second is in that was watched, in whatever order it came', () =>
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (all, random) => {
        const shuffled = all.map((one) => [random.next().value as number, one] as const).sort(([a], [b]) => a - b)
        expect(secondsIn(unionOf(all))).toBe(measured(all))
        expect(unionOf(shuffled.map(([, one]) => one))).toEqual(unionOf(all))
        expect(unionOf([...all, ...all])).toEqual(unionOf(all))
      }),
    ))

  test('is sorted, and its stretches do not touch', () =>
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 30 }), (all) => {
        const union = unionOf(all)
        for (const [n, [from, to]] of union.entries()) {
          expect(from).toBeLessThan(to)
          expect(to).toBeLessThan(union[n + 1]?.[0] ?? Number.POSITIVE_INFINITY)
        }
      }),
    ))
})

/** Reports of one viewer, of any of their tabs, as the server hears them: its clock may be put back, too. */
const reports = fc.array(
  fc.record<Place>({
    timestamp: fc.oneof(
      fc.nat(600),
      fc.double({ min: 0, max: 600, noNaN: true }).map((t) => Math.round(t * 1000) / 1000),
    ),
    at: fc.integer({ min: 0, max: 700_000 }),
  }),
  { maxLength: 60 },
)
const inOrder = fc.boolean()

test('[COURSE-30] what was watched never shrinks, and is no longer than the video or a player can play', () =>
  fc.assert(
    fc.property(reports, inOrder, fc.option(fc.integer({ min: 1, max: 600 })), (all, sorted, duration) => {
      const heard = sorted ? [...all].sort((a, b) => a.at - b.at) : all
      let union: readonly Stretch[] = []
      let watched: Watched = { watchedSeconds: 0, percent: 0 }
      let mayBe = 0
      for (const [n, report] of heard.entries()) {
        const last = heard[n - 1]
        const seen = last && watchedBetween(last, report)
        if (seen) {
          expect(seen).toEqual([last.timestamp, report.timestamp])
          mayBe += (Math.max(0, report.at - last.at) / 1000) * 2 + 2
          union = withStretch(union, seen)
        }
        const after = watchedAfter(watched, union, duration, 10)
        expect(after.watchedSeconds).toBeGreaterThanOrEqual(watched.watchedSeconds)
        expect(after.percent).toBeGreaterThanOrEqual(watched.percent)
        expect(after.watchedSeconds).toBeLessThanOrEqual(Math.min(duration ?? 600, mayBe + 1e-6))
        expect(after.percent).toBeLessThanOrEqual(100)
        watched = after
      }
    }),
  ))

test.each<readonly [Place, Place, Stretch | undefined]>([
  [{ timestamp: 10, at: 0 }, { timestamp: 12, at: 0 }, [10, 12]], // 2 s of slack
  [{ timestamp: 10, at: 0 }, { timestamp: 12.001, at: 0 }, undefined],
  [{ timestamp: 10, at: 0 }, { timestamp: 14, at: 1_000 }, [10, 14]], // at double speed
  [{ timestamp: 10, at: 0 }, { timestamp: 14.001, at: 1_000 }, undefined],
  [{ timestamp: 10, at: 0 }, { timestamp: 10, at: 5_000 }, undefined], // a pause
  [{ timestamp: 10, at: 0 }, { timestamp: 9, at: 5_000 }, undefined], // back
  [{ timestamp: 10, at: 9_000 }, { timestamp: 12, at: 0 }, [10, 12]], // the clock was put back: no time has passed
  [{ timestamp: 10, at: 9_000 }, { timestamp: 13, at: 0 }, undefined],
])('[COURSE-30] from %j to %j is watched: %j', (earlier, later, expected) => {
  expect(watchedBetween(earlier, later)).toEqual(expected)
})

const given = scenario<typeof watchMachine, WatchCommand, WatchEvent>(watchMachine, decide)
const at = 1_700_000_000_000
const by: Party = { id: 'stu', org: 'acme', role: 'student' }
const of = { courseId: 'c', videoId: 'v' } as const
const viewing = { org: 'acme', ...of, viewerId: 'stu', at }
const joined: WatchEvent = { type: 'ViewerJoined', ...viewing, presence: 1 }
const left: WatchEvent = { type: 'ViewerLeft', ...viewing }
const join = (presence = 1): WatchCommand => ({ type: 'JoinVideo', ...of, presence, by, at })
const leave: WatchCommand = { type: 'LeaveVideo', ...of, by, at }
const made = (stretches: readonly Stretch[], durationSeconds: number | null, highest = 20): WatchCommand => ({
  ...{ type: 'MakeProgress', ...of, durationSeconds, stretches, named: [], highest, by, at },
  last: { timestamp: 30, progress: 20, at },
})
const progress = (stretches: readonly Stretch[], watchedSeconds: number, percent: number): WatchEvent => ({
  ...{ type: 'ProgressMade', ...viewing, stretches, timestamp: 30, progress: 20, reportedAt: at },
  ...{ watchedSeconds, percent },
})

describe('[COURSE-26] somebody comes beside a video', () => {
  test('once in a presence', () => {
    given().when(join()).yields(joined)
    given(joined).when(join()).yields()
    given(joined)
      .when(join(2))
      .yields({ ...joined, presence: 2 })
  })
  test('and leaves it once', () => {
    given().when(leave).yields()
    given(joined).when(leave).yields(left)
    given(joined, left).when(leave).yields()
    given(joined, left).when(join()).yields(joined)
  })
})

describe('[COURSE-30] progress', () => {
  test('counts each second once, of the length of the video', () => {
    given()
      .when(made([[0, 30]], 120))
      .yields(progress([[0, 30]], 30, 25))
    given(progress([[0, 30]], 30, 25))
      .when(made([[10, 40.5]], 120))
      .yields(progress([[10, 40.5]], 40, 33.3))
  })
  test('of a video whose length nobody knows is the most that was ever reported', () => {
    given()
      .when(made([[0, 30]], null, 40))
      .yields(progress([[0, 30]], 30, 40))
  })
  test('is not taken back by a length that was learned later', () => {
    given(progress([[0, 30]], 30, 90))
      .when(made([], 300))
      .yields(progress([], 30, 90))
    given(progress([[0, 30]], 30, 25))
      .when(made([[0, 30]], 10))
      .yields(progress([[0, 30]], 30, 100))
  })
})
