import { systemClock } from '../../clock.ts'

/** How often something may happen to one key. */
export interface Limit {
  /** True, and it counts, by default as one; or the milliseconds after which it would be let through. */
  take(key: string, count?: number): true | number
}

/** Steady `perSecond`, and up to `burst` at once after a pause. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * A token bucket for each key, kept in this process: n nodes let n times as much through.
 *
 * Ours and not a library's, because this stands before every command: it answers without a promise (so that a socket's
 * commands keep their order) in some 0.1 µs, and has no fixed windows, at whose border twice the rate would pass.
 */
export function tokenBuckets({ perSecond, burst }: Rate, elapsed = systemClock.elapsed): Limit {
  const perMs = perSecond / 1000
  // A bucket that was left alone for so long is full, as a new one is.
  const buckets = generations<Bucket>(burst / perMs)

  return {
    take(key, count = 1) {
      const now = elapsed()
      const bucket = buckets.of(key, now) ?? { tokens: burst, at: now }
      buckets.touch(key, bucket)
      bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * perMs)
      bucket.at = now
      if (bucket.tokens < count) return Math.ceil((count - bucket.tokens) / perMs)
      bucket.tokens -= count
      return true
    },
  }
}

interface Bucket {
  tokens: number
  /** When `tokens` was true, by elapsed time. */
  at: number
}

/**
 * Two generations of keys are enough to forget, and no timer or list of ages: what nobody touched for a whole one, of
 * `forgetMs`, is dropped with its map.
 */
function generations<T>(forgetMs: number) {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let turnedAt = 0

  return {
    of(key: string, now: number): T | undefined {
      if (now - turnedAt >= forgetMs) {
        old = young
        young = new Map()
        turnedAt = now
      }
      return young.get(key) ?? old.get(key)
    },
    touch: (key: string, one: T): void => void young.set(key, one),
  }
}

/**
 * How often somebody may be wrong where being right costs nothing: a class that comes through one address is right a
 * thousand times at once.
 */
export interface GuessLimit {
  /** Milliseconds until the next guess is heard; 0 = now. */
  blockedMs(key: string): number
  failed(key: string): void
}

/** At most `failures` in a window of `windowSeconds` that opens with the first one. */
export function guessLimit(failures: number, windowSeconds: number, elapsed = systemClock.elapsed): GuessLimit {
  const windowMs = windowSeconds * 1000
  const windows = generations<Window>(windowMs)
  const open = (key: string): Window | undefined => {
    const now = elapsed()
    const window = windows.of(key, now)
    return window && now < window.endsAt ? window : undefined
  }

  return {
    blockedMs(key) {
      const window = open(key)
      return window && window.failures >= failures ? Math.ceil(window.endsAt - elapsed()) : 0
    },
    failed(key) {
      const window = open(key) ?? { failures: 0, endsAt: elapsed() + windowMs }
      window.failures += 1
      windows.touch(key, window)
    },
  }
}

interface Window {
  failures: number
  readonly endsAt: number
}
