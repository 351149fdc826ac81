import { setTimeout as delay } from 'node:timers/promises'

/**
 * How long to wait after so many failures in a row, milliseconds: 25, 50, … 2000, each between half and all of it, so
 * that nodes do not come back in step.
 */
export const backOffMs = (failures: number): number =>
  Math.min(25 * 2 ** Math.min(failures, 10), 2_000) * (0.5 + Math.random() / 2)

/** Waits, or returns at once when `signal` is aborted. */
export async function backOff(failures: number, signal: AbortSignal): Promise<void> {
  await delay(backOffMs(failures), undefined, { signal }).catch(() => {})
}
