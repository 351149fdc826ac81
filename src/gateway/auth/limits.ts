import { RateLimiterMemory } from 'rate-limiter-flexible'

/** How often something may happen to one key. */
export interface Limit {
  /**
   * True, and it counts, by default as one; or the milliseconds after which it would be let through. `now` in
   * milliseconds.
   */
  take(key: string, now: number, count?: number): true | number
}

/** Steady `perSecond`, and up to `burst` at once after a pause. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * A token bucket for each key, kept in this process: n nodes let n times as much through.
 *
 * Ours and not the library's, because this stands before every command: it answers without a promise (so that a
 * socket's commands keep their order) in some 0.1 µs, and has no fixed windows, at whose border twice the rate would
 * pass.
 */
export function tokenBuckets({ perSecond, burst }: Rate): Limit {
  const perMs = perSecond / 1000
  const fullAfterMs = burst / perMs
  // A bucket that was left alone for `fullAfterMs` is full, as a new one is. So two generations are enough, and no
  // timer or list of ages: what nobody touched for a whole generation is dropped with its map.
  let young = new Map<string, Bucket>()
  let old = new Map<string, Bucket>()
  let turnedAt = 0

  return {
    take(key, now, count = 1) {
      if (now - turnedAt >= fullAfterMs) {
        old = young
        young = new Map()
        turnedAt = now
      }
      let bucket = young.get(key)
      if (bucket === undefined) {
        bucket = old.get(key) ?? { tokens: burst, at: now }
        young.set(key, bucket)
      }
      bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs)
      bucket.at = now
      if (bucket.tokens < count) return Math.ceil((count - bucket.tokens) / perMs)
      bucket.tokens -= count
      return true
    },
  }
}

interface Bucket {
  tokens: number
  /** When `tokens` was true, milliseconds. */
  at: number
}

/**
 * How often somebody may be wrong where being right costs nothing: a class that comes through one address is right a
 * thousand times at once.
 */
export interface GuessLimit {
  /** Milliseconds until the next guess is heard; 0 = now. */
  blockedMs(key: string): Promise<number>
  failed(key: string): Promise<void>
}

/**
 * At most `failures` in a window of `windowSeconds` that opens with the first one. Guesses of one key must come one
 * after another.
 */
export function guessLimit(failures: number, windowSeconds: number): GuessLimit {
  const limiter = new RateLimiterMemory({ points: failures, duration: windowSeconds })
  return {
    async blockedMs(key) {
      const state = await limiter.get(key)
      return state !== null && state.consumedPoints >= failures ? state.msBeforeNext : 0
    },
    async failed(key) {
      await limiter.penalty(key)
    },
  }
}
