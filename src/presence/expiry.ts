import type { Clock, Timer } from '../clock.ts'

/** Somebody whose grace is over; `until`: which loss it is of. */
export interface Expired {
  readonly person: string
  readonly until: number
}

export interface Expiry {
  /** A loss of theirs was heard of: they may come back for so long from now on. */
  lost(person: string, graceMs: number): void
  /** They are back, or gone: another loss is another one. */
  over(person: string): void
  /** Looks again at all that is due, now. */
  look(): void
  stop(): void
}

export interface ExpiryOptions {
  readonly clock: Clock
  /** Of a loss that was not told of by `lost`, from when it is seen in `due`. */
  readonly graceMs: number
  /** Nothing expires earlier, by elapsed time. */
  notBefore(): number
  /** Everybody who is lost. May lag. */
  due(): Iterable<Expired>
  /** Must not reject. */
  expire(people: readonly Expired[]): Promise<void>
}

/** `due` may lag behind what was recorded: who is still listed after their time is asked for again, but not at once. */
const AGAIN_MS = 1_000

/** Thousands may be lost at once, and every run reads them all: not one run for each. */
const PAUSE_MS = 50

/**
 * A grace is a time that elapses, from when a loss is heard of, wherever the clock is stepped meanwhile. One timer for
 * the earliest of all. Who is lost is read anew each time: what is kept here is only since when.
 */
export function expiry({ clock, graceMs, notBefore, due, expire }: ExpiryOptions): Expiry {
  /** When the grace is over, by elapsed time. */
  const ends = new Map<string, number>()
  let next = Number.POSITIVE_INFINITY
  let timer: Timer | undefined
  let stopped = false

  const endOf = (person: string): number => {
    const end = ends.get(person) ?? clock.elapsed() + graceMs
    ends.set(person, end)
    return Math.max(end, notBefore())
  }

  async function run(): Promise<void> {
    next = Number.POSITIVE_INFINITY
    const now = clock.elapsed()
    await expire([...due()].filter(({ person }) => endOf(person) <= now))
    look()
  }

  function look(): void {
    const now = clock.elapsed()
    for (const { person } of due()) {
      const end = endOf(person)
      lookBy(Math.max(end > now ? end : now + AGAIN_MS, now + PAUSE_MS))
    }
  }

  function lookBy(elapsed: number): void {
    if (stopped || elapsed >= next) return
    next = elapsed
    timer?.cancel()
    timer = clock.after(elapsed - clock.elapsed(), () => void run()) // `expire` does not reject
  }

  return {
    lost(person, leftMs) {
      ends.set(person, clock.elapsed() + leftMs)
      lookBy(endOf(person))
    },
    over: (person) => void ends.delete(person),
    look,
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}
