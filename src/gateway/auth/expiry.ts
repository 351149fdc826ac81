import type { Clock, Timer } from '../../clock.ts'

/**
 * Runs once, when a token that was taken just now is over: `goodUntil`, milliseconds since 1970. That is when the clock
 * says so, wherever it was stepped to, or when as much has elapsed as was left of it: no step back lengthens it for
 * whoever stays connected.
 */
export function untilExpiry(clock: Clock, goodUntil: number, run: () => void): Timer {
  const cancel = (): void => {
    shown.cancel()
    elapsed.cancel()
  }
  const over = (): void => {
    cancel()
    run()
  }
  const shown = clock.at(goodUntil, over)
  const elapsed = clock.after(goodUntil - clock.now(), over)
  return { cancel }
}
