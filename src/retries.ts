import type { Clock, Timer } from './clock.ts'

/** What failed and is tried again in a while, until it succeeds or the node stops. */
export interface Retries {
  add(run: () => void): void
  /** Nothing runs from here on. */
  stop(): void
}

export function openRetries(clock: Clock, waitMs: number): Retries {
  const waiting = new Set<Timer>()
  let stopped = false
  return {
    add(run) {
      if (stopped) return
      const timer = clock.after(waitMs, () => {
        waiting.delete(timer)
        run()
      })
      waiting.add(timer)
    },
    stop() {
      stopped = true
      for (const timer of waiting) timer.cancel()
      waiting.clear()
    },
  }
}
