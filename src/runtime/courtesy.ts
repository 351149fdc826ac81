import { setTimeout as pause } from 'node:timers/promises'

/** Somebody else has written within this time: then they may be trying to write again, and lose each time. */
const CONTENDED_MS = 10_000
const LONGEST_GAP_MS = 500

/**
 * Of two nodes that write to one room without a pause the one that is nearer to the log would win every time: it knows
 * of its own append first, and makes the next one before the other can decide again. So whoever has just written leaves
 * a gap, as long as others write as well; whoever has just lost leaves none.
 */
export class Courtesy {
  #othersAt = Number.NEGATIVE_INFINITY
  #appendedAt = Number.NEGATIVE_INFINITY
  #appendMs = 0

  /** Another node has written. */
  othersWrote(): void {
    this.#othersAt = performance.now()
  }

  /** We have, which took so long. */
  appended(ms: number): void {
    this.#appendedAt = performance.now()
    this.#appendMs = ms
  }

  /** Undefined where nobody has to wait. */
  gap(): Promise<unknown> | undefined {
    const now = performance.now()
    if (now - this.#othersAt > CONTENDED_MS) return undefined
    // The other one has to read what we have appended, and to make its own append: two to four times what ours took.
    const ms = this.#appendedAt + Math.min(LONGEST_GAP_MS, (2 + 2 * Math.random()) * this.#appendMs) - now
    return ms > 0 ? pause(ms) : undefined
  }
}
