import type { Clock, Timer } from '../clock.ts'

export interface Expiry {
  /** Looks no later than `at` (milliseconds since 1970), whatever `due` said before. */
  lookBy(at: number): void
  /** Looks again at all that is due, now. */
  look(): void
  stop(): void
}

export interface ExpiryOptions {
  readonly clock: Clock
  /** Nothing expires earlier, milliseconds since 1970. */
  notBefore(): number
  due(): Iterable<{ readonly person: string; readonly until: number }>
  /** Must not reject. */
  expire(people: readonly string[]): Promise<void>
}

/** `due` may lag behind what was recorded: who is still listed after their time is asked for again, but not at once. */
const AGAIN_MS = 1_000

/** Thousands may be lost at once, and every run reads them all: not one run for each. */
const PAUSE_MS = 50

/**
 * One timer for the earliest of all due times. What is due is read anew each time: the timer itself holds no history.
 */
export function expiry({ clock, notBefore, due, expire }: ExpiryOptions): Expiry {
  let next = Number.POSITIVE_INFINITY
  let timer: Timer | undefined
  let stopped = false

  async function run(): Promise<void> {
    next = Number.POSITIVE_INFINITY
    const now = clock.now()
    const over = now < notBefore() ? [] : [...due()].filter(({ until }) => until <= now)
    await expire(over.map(({ person }) => person))
    look()
  }

  function look(): void {
    const now = clock.now()
    for (const { until } of due()) lookBy(Math.max(until > now ? until : now + AGAIN_MS, now + PAUSE_MS, notBefore()))
  }

  function lookBy(at: number): void {
    if (stopped || at >= next) return
    next = at
    timer?.cancel()
    timer = clock.after(at - clock.now(), () => void run()) // `expire` does not reject
  }

  return {
    lookBy,
    look,
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}
