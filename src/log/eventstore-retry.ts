import { setTimeout as delay } from 'node:timers/promises'
import { type BackOff, backOffMs } from '../back-off.ts'
import { denial, explained, failureOf, NoAnswer } from './eventstore-errors.ts'
import { LogUnavailable, NoSuchPosition } from './log.ts'

/** How long a caller waits for an unreliable server, milliseconds. */
export interface Patience {
  /** For one attempt. */
  readonly attemptMs: number
  /** For all attempts of one call together. */
  readonly totalMs: number
}

export interface Persistence {
  /** In words, for errors: `append to chat-1`. */
  readonly doing: string
  readonly patience: Patience
  readonly closed: AbortSignal
  /** Told of every passing failure, before the next attempt, and of every denial. */
  failed(error: unknown, rebuild: boolean): void
}

const BACK_OFF: BackOff = { firstMs: 25, longestMs: 1_000 }

/**
 * Calls `attempt` until it succeeds, fails for good, or the patience is used up (LogUnavailable). The server or the
 * client may never answer at all, so the timer here is our own. `attempt` gets its own limit in milliseconds and must
 * be harmless to repeat. Resolves to what `attempt` gives; a no of the server's is rethrown as the client gave it.
 */
export async function persist<T>(
  attempt: (limitMs: number) => Promise<T>,
  { doing, patience, closed, failed }: Persistence,
): Promise<T> {
  const until = performance.now() + patience.totalMs
  for (let tries = 0; ; tries++) {
    const leftMs = until - performance.now()
    const limitMs = Math.max(1, Math.min(patience.attemptMs, leftMs))
    let last: unknown
    try {
      closed.throwIfAborted()
      return await limited(attempt(limitMs), limitMs, doing, closed)
    } catch (error) {
      if (closed.aborted) throw new LogUnavailable(`${doing}: the log was closed meanwhile`, { cause: error })
      const failure = failureOf(error)
      if (failure.kind === 'conflict' || failure.kind === 'too-large' || failure.kind === 'missing') throw error
      if (failure.kind === 'deleted') throw error
      if (failure.kind === 'no-position') throw new NoSuchPosition(`${doing}: there is no event at this position`)
      if (failure.kind === 'lasting') throw explained(doing, error)
      failed(error, failure.kind === 'passing' && failure.rebuild)
      // Somebody must do something first, which takes longer than anybody's patience.
      if (failure.kind === 'denied') throw new LogUnavailable(denial(doing, failure.what), { cause: error })
      last = error
    }
    const pauseMs = backOffMs(tries, BACK_OFF)
    if (performance.now() + pauseMs >= until) {
      throw new LogUnavailable(`${doing}: no answer from EventStoreDB within ${patience.totalMs} ms; ask again later`, {
        cause: last,
      })
    }
    await delay(pauseMs, undefined, { signal: closed }).catch(() => {}) // closed: the next turn says so
  }
}

/**
 * The client's own deadline starts late (not before discovery) or is ignored: 250 ms of grace so that it may speak
 * first.
 */
export async function limited<T>(work: Promise<T>, limitMs: number, doing: string, closed: AbortSignal): Promise<T> {
  const { promise: giveUp, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new NoAnswer(`${doing}: no answer within ${Math.round(limitMs)} ms`)),
    limitMs + 250,
  )
  const abort = (): void => reject(closed.reason)
  const others = waitingOn(closed).add(abort)
  try {
    return await Promise.race([work, giveUp])
  } finally {
    clearTimeout(timer)
    others.delete(abort)
  }
}

/** A signal looks through all of its listeners to add one: so many as there are calls under way share one. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

function waitingOn(signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal)
  if (known) return known
  const all = new Set<() => void>()
  waiting.set(signal, all)
  signal.addEventListener('abort', () => {
    for (const abort of all) abort()
  })
  return all
}
