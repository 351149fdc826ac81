import { guessLimit } from '../../gateway/auth/limits.ts'
import { keyedQueue } from '../../keyed-queue.ts'

/** Who tries a code: the student (`<org>.<id>`) and the address that they come from. */
export interface Guesser {
  readonly student: string
  readonly address: string
}

/**
 * How often somebody may be wrong about a check-in code. Right ones cost nothing: a school comes through one address,
 * all at once.
 */
export interface CheckInGuesses {
  /**
   * One attempt of this student at a time, so that many guesses at once do not slip through before the first has
   * failed.
   */
  inTurn<T>(from: Guesser, attempt: () => Promise<T>): Promise<T>
  /** Milliseconds until the next attempt is heard; 0 = now. */
  blockedMs(from: Guesser): Promise<number>
  wrong(from: Guesser): Promise<void>
}

const PER_STUDENT = 5
const PER_ADDRESS = 60
const WINDOW_SECONDS = 60

/**
 * A student may be wrong 5 times a minute. From an address with 60 wrong codes in a minute only those are heard who
 * have not been wrong in theirs: a dozen pupils who guess must not keep the whole school out, and still nobody there
 * has more than one guess a minute.
 */
export function checkInGuesses(): CheckInGuesses {
  const turns = keyedQueue()
  const students = guessLimit(PER_STUDENT, WINDOW_SECONDS)
  const firsts = guessLimit(1, WINDOW_SECONDS)
  const addresses = guessLimit(PER_ADDRESS, WINDOW_SECONDS)

  return {
    inTurn: ({ student }, attempt) => turns.run(student, attempt),
    async blockedMs({ student, address }) {
      const own = await students.blockedMs(student)
      if (own > 0) return own
      return Math.min(await firsts.blockedMs(student), await addresses.blockedMs(address))
    },
    async wrong({ student, address }) {
      await Promise.all([students.failed(student), firsts.failed(student), addresses.failed(address)])
    },
  }
}
