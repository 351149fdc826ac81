import type { Recorded } from './log.ts'

/** Index of the first event behind `position`, null = the beginning, of events in their order (binary search). */
export function firstAfter(events: readonly Recorded[], position: bigint | null): number {
  if (position === null) return 0
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // `middle` is below `high`, which is at most the length.
    if ((events[middle] as Recorded).position <= position) low = middle + 1
    else high = middle
  }
  return low
}
