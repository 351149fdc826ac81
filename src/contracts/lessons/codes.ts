import { randomInt } from 'node:crypto'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { type Guesser, guesses } from '../../gateway/auth/guesses.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Entities } from '../../runtime/entities.ts'
import { CODE_ALPHABET, normalCode } from '../shared/codes.ts'

/**
 * The codes that lead to lessons. There are 31^8 = 8.5e11 of them, and an address gets 60 wrong ones a minute, and one
 * more from each participant that it brings for the first time: with a thousand lessons open at once, guessing without
 * a pause for a year, it finds one of them with a chance of 1 in 13.
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
  // Participants come for nothing, so whoever has been wrong is a guesser for an hour.
  const tries = guesses({ firstSeconds: 3_600 })
  /** What a code leads to never changes. */
  const known = new Map<string, string>()

  const keep = (code: string, lessonId: string): void => {
    known.set(code, lessonId)
    keepNewest(known, KNOWN)
  }

  const lessonOf = (code: string): Promise<string | Refusal> =>
    entities.judged('joincode', code, ({ state }) => state.context.lessonId ?? refuse('no-such-code'))

  const look = async (code: string, from: Guesser): Promise<string | Refusal> => {
    const ms = await tries.blockedMs(from, known.has(code))
    if (ms > 0) return refuse('rate-limited', { seconds: String(Math.ceil(ms / 1000)) })
    const lessonId = known.get(code) ?? (await lessonOf(code))
    if (lessonId instanceof Refusal) await tries.wrong(from)
    else keep(code, lessonId)
    return lessonId
  }

  return {
    async reserve(lessonId, by, at) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const code = Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')
        const answer = await entities.ask('joincode', code, { type: 'ReserveJoinCode', lessonId, by, at })
        if (!(answer instanceof Refusal)) {
          keep(code, lessonId)
          return code
        }
        if (answer.code !== 'code-taken') return answer
      }
      return refuse('busy')
    },
    async find(typed, from) {
      const code = normalCode(typed, CODE_LENGTH)
      if (code === null) return refuse('no-such-code') // tells nothing that is not known
      return tries.inTurn(from, () => look(code, from))
    },
    wrong: tries.wrong,
  }
}
