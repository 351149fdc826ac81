import { instants } from './instants.ts'

/**
 * Time as a port: what waits is tested without waiting (`test/support/clock.ts`). There are two times. The wall clock
 * says what is recorded, and may be stepped by an hour in either direction at any moment (NTP, a VM that was resumed);
 * elapsed time only ever goes on.
 */
export interface Clock {
  /**
   * The wall clock, milliseconds since 1970: for what is recorded, and to compare with what was recorded or stands in a
   * token. The difference of two says nothing about how long something took.
   */
  now(): number
  /** Milliseconds since some beginning of this process: for how long something takes. No step moves it. */
  elapsed(): number
  /**
   * Runs once, not before `ms` milliseconds have elapsed (0 or less: as soon as possible). Whoever starts a timer
   * cancels it.
   */
  after(ms: number, run: () => void): Timer
  /** Runs once, when the wall clock shows `instant` or later: also where it was stepped there, within a second. */
  at(instant: number, run: () => void): Timer
}

/** The instant, by the wall clock as it is set now, at which so much had elapsed. */
export const instantOf = (clock: Pick<Clock, 'now' | 'elapsed'>, elapsed: number): number =>
  Math.round(clock.now() - (clock.elapsed() - elapsed))

export interface Timer {
  /** Harmless when it has run or was cancelled already. */
  cancel(): void
}

/** Node holds a delay in 31 bits and fires at once when it is longer. */
const LONGEST_MS = 2 ** 31 - 1

const after: Clock['after'] = (ms, run) => {
  let timer: NodeJS.Timeout
  const wait = (leftMs: number): void => {
    timer = leftMs > LONGEST_MS ? setTimeout(() => wait(leftMs - LONGEST_MS), LONGEST_MS) : setTimeout(run, leftMs)
  }
  wait(ms)
  return { cancel: () => clearTimeout(timer) }
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after,
  at: instants({ now: Date.now, after }),
}
