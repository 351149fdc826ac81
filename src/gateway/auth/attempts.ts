import type { Clock } from '../../clock.ts'
import { keepNewest } from '../../keep-newest.ts'
import { keyedQueue } from '../../keyed-queue.ts'

/** Attempts at something secret, one after another for each key, the slower the more of them have failed. */
export interface Attempts {
  /**
   * Runs it when its turn has come, and tells what came of it; or the milliseconds after which it is worth another try,
   * when too many wait before it. It must not reject for what somebody has tried.
   */
  run<T>(key: string, attempt: () => Promise<T>, hasFailed: (outcome: T) => boolean): Promise<T | number>
}

export interface AttemptsOptions {
  readonly clock: Clock
  /** Failures in a row that cost nothing. */
  readonly free: number
  /** How long the first one that costs something keeps the next attempt waiting; doubled by each that follows. */
  readonly firstMs: number
  readonly mostMs: number
  /** Attempts of a key that wait. */
  readonly waiting: number
}

interface Tried {
  readonly failures: number
  /** Of the last failure, by elapsed time. */
  readonly at: number
}

/** Without an attempt for so long, everything is forgotten. */
const FORGET_MS = 3_600_000
/** Keys that are remembered: whoever wants to be forgotten by trying others needs as many hashes of passwords. */
const MOST_KEYS = 100_000

/**
 * The right answer is heard, too, in its turn: a limit that refuses would keep out whoever is right, for as long as
 * somebody behind the same proxy goes on being wrong.
 */
export function attempts({ clock, free, firstMs, mostMs, waiting: most }: AttemptsOptions): Attempts {
  const tried = new Map<string, Tried>()
  const waiting = new Map<string, number>()
  const turns = keyedQueue()

  const delayAfter = (key: string): number => {
    const its = tried.get(key)
    if (its === undefined || its.failures < free) return 0
    const since = clock.elapsed() - its.at
    return since >= FORGET_MS ? 0 : Math.min(mostMs, firstMs * 2 ** (its.failures - free))
  }

  const failed = (key: string): void => {
    const before = tried.get(key)
    const at = clock.elapsed()
    const isOld = before === undefined || at - before.at >= FORGET_MS
    tried.delete(key) // the newest is the last
    tried.set(key, { failures: isOld ? 1 : before.failures + 1, at })
    keepNewest(tried, MOST_KEYS)
  }

  const inTurn = async <T>(key: string, attempt: () => Promise<T>, hasFailed: (outcome: T) => boolean): Promise<T> => {
    const delayMs = delayAfter(key)
    const leftMs = delayMs === 0 ? 0 : (tried.get(key)?.at ?? 0) + delayMs - clock.elapsed()
    if (leftMs > 0) await new Promise<void>((resolve) => void clock.after(leftMs, resolve))
    const outcome = await attempt()
    if (hasFailed(outcome)) failed(key)
    else tried.delete(key)
    return outcome
  }

  return {
    async run(key, attempt, hasFailed) {
      const before = waiting.get(key) ?? 0
      if (before > most) return Math.max(1, before * delayAfter(key))
      waiting.set(key, before + 1)
      try {
        return await turns.run(key, () => inTurn(key, attempt, hasFailed))
      } finally {
        const left = (waiting.get(key) ?? 1) - 1
        if (left === 0) waiting.delete(key)
        else waiting.set(key, left)
      }
    },
  }
}
