/**
 * What somebody has watched of a video: the union of the stretches that they watched, in seconds of the video. Pure.
 */

/** `[from, to)` with `from < to`. */
export type Stretch = readonly [from: number, to: number]

/** Where somebody is in a video (`timestamp`, seconds of the video), and when they said so (`at`, milliseconds). */
export interface Place {
  readonly timestamp: number
  readonly at: number
}

/** A player may run at double speed, and reports jitter by so many seconds. */
const SPEED = 2
const SLACK_S = 2

/**
 * What was watched between two reports of one viewer that follow each other; undefined: nothing, as by a seek. The
 * later one is ahead by no more than a player can have played in the time between them: a clock that was put back
 * counts as no time.
 */
export function watchedBetween(earlier: Place, later: Place): Stretch | undefined {
  const ahead = later.timestamp - earlier.timestamp
  const passedS = Math.max(0, later.at - earlier.at) / 1000
  return ahead > 0 && ahead <= passedS * SPEED + SLACK_S ? [earlier.timestamp, later.timestamp] : undefined
}

/** The union: sorted stretches that do not touch. The same array when it holds the stretch already. */
export function withStretch(union: readonly Stretch[], stretch: Stretch): readonly Stretch[] {
  let [from, to] = stretch
  if (union.some(([a, b]) => a <= from && to <= b)) return union
  const before: Stretch[] = []
  const after: Stretch[] = []
  for (const one of union) {
    const [a, b] = one
    if (b < from) before.push(one)
    else if (a > to) after.push(one)
    else {
      from = Math.min(from, a)
      to = Math.max(to, b)
    }
  }
  return [...before, [from, to], ...after]
}

/** Whole seconds. Milliseconds are summed, so that fractions do not add up to less than they are. */
export const secondsIn = (union: readonly Stretch[]): number =>
  Math.floor(union.reduce((sum, [from, to]) => sum + Math.round((to - from) * 1000), 0) / 1000)

/** What somebody has watched, as it is told: whole seconds, and percent. */
export interface Watched {
  readonly watchedSeconds: number
  readonly percent: number
}

/** What it comes to. Nothing is taken back, also where a length becomes known later, or another one. */
export function watchedAfter(
  before: Watched,
  union: readonly Stretch[],
  durationSeconds: number | null,
  highest: number,
): Watched {
  const seconds = Math.min(secondsIn(union), Math.floor(durationSeconds ?? Number.POSITIVE_INFINITY))
  const watchedSeconds = Math.max(before.watchedSeconds, seconds)
  return { watchedSeconds, percent: Math.max(before.percent, percentOf(watchedSeconds, durationSeconds, highest)) }
}

/** Of the video's length; where that is unknown, the most that was ever reported. To one decimal. */
const percentOf = (watchedSeconds: number, durationSeconds: number | null, highest: number): number =>
  durationSeconds === null
    ? highest
    : Math.min(100, Math.round((watchedSeconds / Math.max(1, Math.floor(durationSeconds))) * 1000) / 10)

/** Whoever has seen so much has seen it: few watch the credits. */
export const COMPLETE_PERCENT = 90
