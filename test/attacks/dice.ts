/** Chance that comes again: the same seed throws the same. */
export interface Dice {
  /** From 0 to below 1. */
  next(): number
  /** A whole number from 0 to below this. */
  below(limit: number): number
  pick<T>(of: readonly T[]): T
  bytes(length: number): Buffer
}

/** Mulberry32, by Tommy Ettinger (public domain): 32 bits of state are enough for garbage. */
export function dice(seed: number): Dice {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    ...{ next, below },
    pick: (of) => of[below(of.length)] as (typeof of)[number], // nobody picks of nothing
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
