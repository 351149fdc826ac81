/** Time as a port: what waits is tested without waiting (`test/support/clock.ts`). */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Runs once, not before `ms` milliseconds are over (0 or less: as soon as possible). Whoever starts a timer cancels
   * it.
   */
  after(ms: number, run: () => void): Timer
}

export interface Timer {
  /** Harmless when it has run or was cancelled already. */
  cancel(): void
}

/** Node holds a delay in 31 bits and fires at once when it is longer. */
const LONGEST_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      timer = leftMs > LONGEST_MS ? setTimeout(() => wait(leftMs - LONGEST_MS), LONGEST_MS) : setTimeout(run, leftMs)
    }
    wait(ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
