/** How waits grow from one failure to the next, milliseconds. */
export interface BackOff {
  readonly firstMs: number
  readonly longestMs: number
}

/**
 * How long to wait after so many failures in a row (0 = the first): it doubles up to the longest. Each wait is between
 * half and all of it ("equal jitter": M. Brooker, "Exponential Backoff And Jitter", 2015), so that many who wait do not
 * come back in step.
 */
export const backOffMs = (failures: number, { firstMs, longestMs }: BackOff): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures, 16)) * (0.5 + Math.random() / 2)
