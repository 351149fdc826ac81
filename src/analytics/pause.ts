import type { Clock } from '../clock.ts'

const LONGEST_MS = 60_000

/**
 * How long to wait after so many failures in a row, milliseconds: 1000, 2000, … 60000, each between half and all of it,
 * so that nodes do not come back in step.
 */
export const backOffMs = (failures: number): number =>
  Math.min(1_000 * 2 ** Math.min(failures, 10), LONGEST_MS) * (0.5 + Math.random() / 2)

/** Waits; returns at once when `signal` is or gets aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = clock.after(ms, resolve)
  const leave = (): void => {
    timer.cancel()
    resolve()
  }
  signal.addEventListener('abort', leave)
  return promise.finally(() => signal.removeEventListener('abort', leave))
}
