import type { Clock } from '../../src/clock.ts'
import { instants } from '../../src/instants.ts'

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time on and runs what becomes due on the way, in the order of its time, each at its own time. Does not await
   * what it starts.
   */
  advance(ms: number): void
  /** Sets the wall clock forward or back: nothing has elapsed. */
  step(ms: number): void
  /** Timers that wait: 0 when everything that was started has been cancelled or has run. */
  pending(): number
}

/** @param start milliseconds since 1970 */
export function manualClock(start = 1_700_000_000_000): ManualClock {
  let elapsed = 0
  let wall = start
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>()
  const now = (): number => wall + elapsed
  const after: Clock['after'] = (ms, run) => {
    const timer = { at: elapsed + Math.max(0, ms), run }
    waiting.add(timer)
    return { cancel: () => void waiting.delete(timer) }
  }

  const real = instants({ now, after })
  const forInstants = new Set<object>()

  return {
    now,
    elapsed: () => elapsed,
    after,
    at(instant, run) {
      const one = {}
      forInstants.add(one)
      const timer = real(instant, () => {
        forInstants.delete(one)
        run()
      })
      return {
        cancel() {
          forInstants.delete(one)
          timer.cancel()
        },
      }
    },
    advance(ms) {
      const end = elapsed + ms
      for (;;) {
        // Sorting is stable: timers of the same time run in the order in which they were started.
        const next = [...waiting].sort((a, b) => a.at - b.at)[0]
        if (next === undefined || next.at > end) break
        waiting.delete(next)
        elapsed = next.at
        next.run()
      }
      elapsed = end
    },
    step(ms) {
      wall += ms
    },
    // All that wait for instants have one timer together.
    pending: () => waiting.size + Math.max(0, forInstants.size - 1),
  }
}
