import { systemClock } from '../../clock.ts'
import { keyedQueue } from '../../keyed-queue.ts'
import { guessLimit } from './limits.ts'

/** Who tries a code: the person (`<org>.<id>`) and the address that they come from. */
export interface Guesser {
  readonly person: string
  readonly address: string
}

/**
 * How often somebody may be wrong about a code. Right ones cost nothing: a school comes through one address, all at
 * once.
 */
export interface Guesses {
  /**
   * One attempt of this person at a time, so that many guesses at once do not slip through before the first has failed.
   */
  inTurn<T>(from: Guesser, attempt: () => Promise<T>): Promise<T>
  /**
   * Milliseconds until the next attempt is heard; 0 = now. `isKnown`: the code is one that others have been right with.
   */
  blockedMs(from: Guesser, isKnown?: boolean): Promise<number>
  wrong(from: Guesser): Promise<void>
}

const PER_PERSON = 5
const PER_ADDRESS = 60
const WINDOW_SECONDS = 60

/**
 * A person may be wrong 5 times a minute. From an address with 60 wrong codes in a minute only those are heard who have
 * not been wrong within `firstSeconds`, and with a known code those who have been so less than 5 times: a dozen who
 * guess must not keep the whole school out, and still nobody there has more than a guess in that time. It is long where
 * people cost nothing.
 */
export function guesses({ firstSeconds }: { readonly firstSeconds: number }, elapsed = systemClock.elapsed): Guesses {
  const turns = keyedQueue()
  const people = guessLimit(PER_PERSON, WINDOW_SECONDS, elapsed)
  const firsts = guessLimit(1, firstSeconds, elapsed)
  const known = guessLimit(PER_PERSON, firstSeconds, elapsed)
  const addresses = guessLimit(PER_ADDRESS, WINDOW_SECONDS, elapsed)

  return {
    inTurn: ({ person }, attempt) => turns.run(person, attempt),
    async blockedMs({ person, address }, isKnown = false) {
      const own = people.blockedMs(person)
      if (own > 0) return own
      return Math.min((isKnown ? known : firsts).blockedMs(person), addresses.blockedMs(address))
    },
    async wrong({ person, address }) {
      for (const limit of [people, firsts, known]) limit.failed(person)
      addresses.failed(address)
    },
  }
}
