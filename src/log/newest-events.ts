import type { Checkpoint, Recorded } from './log.ts'
import { weightOf } from './weight.ts'

export interface NewestBounds {
  /** Events. */
  readonly number: number
  /** Bytes, about. */
  readonly weight: number
}

/**
 * The newest events, bounded by their number and by what they hold, whichever is reached first. Up to twice as much
 * between two cuts: a cut costs a copy.
 */
export class NewestEvents {
  readonly #bounds: NewestBounds
  #events: Recorded[] = []
  #weights: number[] = []
  #weight = 0

  constructor(bounds: NewestBounds) {
    this.#bounds = bounds
  }

  get all(): readonly Recorded[] {
    return this.#events
  }

  push(recorded: Recorded): void {
    const weight = weightOf(recorded)
    this.#events.push(recorded)
    this.#weights.push(weight)
    this.#weight += weight
  }

  /** Cuts what is too much, and at least the first `least`: the last one that was cut, undefined = none was. */
  cut(least = 0): Checkpoint | undefined {
    const { number, weight } = this.#bounds
    const isTooMuch = this.#events.length > 2 * number || this.#weight > 2 * weight
    let count = isTooMuch ? Math.max(least, this.#events.length - number) : least
    let left = this.#weight - this.#weights.slice(0, count).reduce((sum, one) => sum + one, 0)
    if (isTooMuch) while (left > weight) left -= this.#weights[count++] ?? left
    const last = this.#events[count - 1]
    if (!last) return undefined
    this.#events = this.#events.slice(count)
    this.#weights = this.#weights.slice(count)
    this.#weight = left
    return { position: last.position, id: last.id }
  }

  clear(): void {
    this.#events = []
    this.#weights = []
    this.#weight = 0
  }
}
