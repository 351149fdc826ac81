import type { Clock } from '../../src/clock.ts'

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time on and runs what becomes due on the way, in the order of its time, each at its own time. Does not await
   * what it starts.
   */
  advance(ms: number): void
  /** Timers that wait: 0 when everything that was started has been cancelled or has run. */
  pending(): number
}

/** @param start milliseconds since 1970 */
export function manualClock(start = 1_700_000_000_000): ManualClock {
  let now = start
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>()

  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + Math.max(0, ms), run }
      waiting.add(timer)
      return { cancel: () => void waiting.delete(timer) }
    },
    advance(ms) {
      const end = now + ms
      for (;;) {
        // Sorting is stable: timers of the same time run in the order in which they were started.
        const next = [...waiting].sort((a, b) => a.at - b.at)[0]
        if (next === undefined || next.at > end) break
        waiting.delete(next)
        now = next.at
        next.run()
      }
      now = end
    },
    pending: () => waiting.size,
  }
}
