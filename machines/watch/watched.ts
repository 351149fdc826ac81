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

/** A report is recorded at most 15 s after it came (COURSE-31): what is older by more was told by a wrong clock. */
const LATE_MS = 20_000

/**
 * Where somebody is, of what was known and what is recorded: the one that was said later. Nodes record what they heard
 * in their own time, so what is recorded last may be the older one.
 */
export function laterOf<P extends Place>(known: P | null, recorded: P): P {
  const isOlder = known !== null && recorded.at < known.at && known.at - recorded.at < LATE_MS
  return isOlder ? known : recorded
}

/** A player may run at double speed, and reports jitter by so many seconds. */
const SPEED = 2
const SLACK_S = 2

/**
 * What was watched between two reports that follow each other, of a viewer or of one of their tabs; undefined: nothing,
 * as by a seek. The later one is ahead by no more than a player can have played in the time between them: a clock that
 * was put back counts as no time.
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

/** To the millisecond, so that fractions do not add up to less than they are. */
export const secondsIn = (union: readonly Stretch[]): number =>
  union.reduce((sum, [from, to]) => sum + Math.round((to - from) * 1000), 0) / 1000

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
  const seconds = Math.min(secondsIn(union), durationSeconds ?? Number.POSITIVE_INFINITY)
  return {
    watchedSeconds: Math.max(before.watchedSeconds, Math.floor(seconds)),
    percent: Math.max(before.percent, percentOf(seconds, durationSeconds, highest)),
  }
}

/**
 * Whole seconds, of the video's length; all of it is all of it, also where its length is no whole number. Where nobody
 * knows the length, the most that was ever reported. To one decimal.
 */
function percentOf(seconds: number, durationSeconds: number | null, highest: number): number {
  if (durationSeconds === null) return highest
  return seconds >= durationSeconds ? 100 : Math.round((Math.floor(seconds) / durationSeconds) * 1000) / 10
}

/** Whoever has seen so much has seen it: few watch the credits. */
export const COMPLETE_PERCENT = 90
