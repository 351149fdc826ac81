import { RateLimiterMemory } from 'rate-limiter-flexible'
import { keepNewest } from '../../keep-newest.ts'

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
 * How often somebody may be wrong: each failure makes the next attempt wait longer. An attempt counts when it begins,
 * so that many guesses at once do not slip through.
 */
export interface FailureLimit {
  /** True, or the milliseconds until the next attempt is heard. `now` in milliseconds. */
  begin(key: string, now: number): true | number
  /** It was no failure after all, and those before are forgotten. */
  succeeded(key: string): void
}

export interface GrowingDelay {
  /** Failures in a row that cost nothing. */
  readonly free: number
  /** After the first one that does; doubled by each that follows. */
  readonly firstMs: number
  readonly mostMs: number
}

/** Without an attempt for so long, everything is forgotten. */
const FORGET_MS = 3_600_000
/** Keys that are remembered: whoever wants to be forgotten by trying others needs as many hashes of passwords. */
const MOST_KEYS = 100_000

export function growingDelay({ free, firstMs, mostMs }: GrowingDelay): FailureLimit {
  const failures = new Map<string, { readonly count: number; readonly at: number; readonly until: number }>()
  return {
    begin(key, now) {
      const before = failures.get(key)
      const known = before !== undefined && now - before.at < FORGET_MS ? before : undefined
      if (known !== undefined && now < known.until) return known.until - now
      const count = (known?.count ?? 0) + 1
      const waitMs = count < free ? 0 : Math.min(mostMs, firstMs * 2 ** (count - free))
      failures.delete(key) // the newest is the last
      failures.set(key, { count, at: now, until: now + waitMs })
      keepNewest(failures, MOST_KEYS)
      return true
    },
    succeeded: (key) => void failures.delete(key),
  }
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
