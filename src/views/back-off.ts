import { setTimeout as delay } from 'node:timers/promises'
import { type BackOff, backOffMs } from '../back-off.ts'

/** Between attempts to reach the store or the log. */
export const VIEW_BACK_OFF: BackOff = { firstMs: 25, longestMs: 2_000 }

/** Waits, or returns at once when `signal` is aborted. */
export async function backOff(failures: number, signal: AbortSignal): Promise<void> {
  await delay(backOffMs(failures, VIEW_BACK_OFF), undefined, { signal }).catch(() => {})
}
