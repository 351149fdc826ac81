import type { Context } from 'hono'
import { Refusal } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import { httpRefusals } from '../refusals.ts'
import { refused } from './errors.ts'
import type { HeavyAnswers } from './heavy-answers.ts'
import type { HttpEnv } from './middleware.ts'

/** Answers a heavy route when it is its asker's turn; the turn is over when all of it was taken, or they are gone. */
export type HeavyTurn = (c: Context<HttpEnv>, answer: () => Promise<Response>) => Promise<Response>

export const heavyTurn =
  (answers: HeavyAnswers): HeavyTurn =>
  async (c, answer) => {
    const { outgoing } = c.env
    const identity = c.get('identity')
    const gone = new AbortController()
    const isGone = (): void => gone.abort()
    outgoing.once('close', isGone)
    if (outgoing.destroyed) isGone()
    const turn = await answers.begin(identity.org, personName(identity), gone.signal)
    if (turn instanceof Refusal) return refused(c, turn, httpRefusals)
    if (gone.signal.aborted) turn()
    else gone.signal.addEventListener('abort', turn)
    return answer()
  }
