import type { Clock } from './clock.ts'

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
