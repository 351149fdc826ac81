import { randomInt } from 'node:crypto'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { guessLimit } from '../../gateway/auth/limits.ts'
import { keepNewest } from '../../keep-newest.ts'
import { keyedQueue } from '../../keyed-queue.ts'
import type { Entities } from '../../runtime/entities.ts'
import { CODE_ALPHABET, normalCode } from '../shared/codes.ts'

/** Who tries a code. */
export interface Guesser {
  readonly socket: string
  readonly address: string
}

/**
 * The codes that lead to lessons. There are 31^8 = 8.5e11 of them, and an address gets 60 wrong ones a minute: with a
 * thousand lessons open at once, guessing without a pause for a year, it finds one of them with a chance of 1 in 27; a
 * single connection gets 5 a minute.
 */
export interface LessonCodes {
  /** A new code that leads to this lesson and to no other, ever; or why none could be had. */
  reserve(lessonId: string, by: Party, at: number): Promise<string | Refusal>
  /**
   * The lesson that a code leads to, open or not. Refusals: `no-such-code`, and `rate-limited` after too many of those.
   */
  find(typed: string, from: Guesser): Promise<string | Refusal>
  /** The code led to a lesson that cannot be joined: to whoever guesses, that is a wrong code. */
  wrong(from: Guesser): Promise<void>
}

const CODE_LENGTH = 8
const ATTEMPTS = 5
const KNOWN = 10_000

export function lessonCodes(entities: Pick<Entities, 'ask' | 'judged'>): LessonCodes {
  const limits = (['socket', 'address'] as const).map((by) => ({ by, limit: guessLimit(by === 'socket' ? 5 : 60, 60) }))
  const turns = keyedQueue()
  /** What a code leads to never changes. */
  const known = new Map<string, string>()

  const blocked = async (from: Guesser): Promise<Refusal | null> => {
    for (const { by, limit } of limits) {
      const ms = await limit.blockedMs(from[by])
      if (ms > 0) return refuse('rate-limited', { seconds: String(Math.ceil(ms / 1000)) })
    }
    return null
  }

  const wrong = async (from: Guesser): Promise<void> => {
    for (const { by, limit } of limits) await limit.failed(from[by])
  }

  const lessonOf = (code: string): Promise<string | Refusal> =>
    entities.judged('joincode', code, ({ state }) => state.context.lessonId ?? refuse('no-such-code'))

  const look = async (code: string, from: Guesser): Promise<string | Refusal> => {
    const no = await blocked(from)
    if (no) return no
    const lessonId = known.get(code) ?? (await lessonOf(code))
    if (lessonId instanceof Refusal) {
      await wrong(from)
      return lessonId
    }
    known.set(code, lessonId)
    keepNewest(known, KNOWN)
    return lessonId
  }

  return {
    async reserve(lessonId, by, at) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const code = Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')
        const answer = await entities.ask('joincode', code, { type: 'ReserveJoinCode', lessonId, by, at })
        if (!(answer instanceof Refusal)) return code
        if (answer.code !== 'code-taken') return answer
      }
      return refuse('busy')
    },
    async find(typed, from) {
      const code = normalCode(typed, CODE_LENGTH)
      if (code === null) return refuse('no-such-code') // tells nothing that is not known
      // One after another for each address, so that many guesses at once do not slip through before the first has
      // failed.
      return known.has(code) ? look(code, from) : turns.run(from.address, () => look(code, from))
    },
    wrong,
  }
}
