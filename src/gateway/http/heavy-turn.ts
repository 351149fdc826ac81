import type { ServerResponse } from 'node:http'
import type { Context } from 'hono'
import { type Party, Refusal } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import { httpRefusals } from '../refusals.ts'
import { refused } from './errors.ts'
import type { HeavyAnswers } from './heavy-answers.ts'

/** Answers a heavy route when it is its asker's turn; the turn is over when all of it was taken, or they are gone. */
export type HeavyTurn = (
  c: Context,
  by: Pick<Party, 'org' | 'id'>,
  outgoing: ServerResponse,
  answer: () => Promise<Response>,
) => Promise<Response>

export const heavyTurn =
  (answers: HeavyAnswers): HeavyTurn =>
  async (c, by, outgoing, answer) => {
    const gone = new AbortController()
    outgoing.once('close', () => gone.abort())
    if (outgoing.destroyed) gone.abort()
    const turn = await answers.begin(by.org, personName(by), gone.signal)
    if (turn instanceof Refusal) return refused(c, turn, httpRefusals)
    if (gone.signal.aborted) turn()
    else gone.signal.addEventListener('abort', turn)
    return answer()
  }
