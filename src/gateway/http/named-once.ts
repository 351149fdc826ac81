import type { Context } from 'hono'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { derivedId } from '../../runtime/ids.ts'
import { httpRefusals } from '../refusals.ts'
import { refused } from './errors.ts'

/** Answers a write once for each `Idempotency-Key`; `answer` gets the call that the key names, if there is one. */
export type NamedOnce = (c: Context, by: Party, answer: (call: Call) => Promise<Response>) => Promise<Response>

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/
const KEY_SHAPE = 'Idempotency-Key must be 1 to 128 printable ASCII characters'

/**
 * One `Idempotency-Key` of one person names one request, whatever it writes to: a reuse for another one is refused. The
 * entities below make a repeat of what they recorded harmless; this remembers, for keys that were answered with
 * success, which request they named, so that a repeat of what changed nothing changes nothing, either. (Passwords are
 * left out: a quick digest of one must not be in the log.) A crash after the write and before this note leaves only the
 * reuse unnoticed.
 */
export function namedOnce(entities: Pick<Entities, 'ask' | 'remembered'>, now: () => number): NamedOnce {
  return async (c, by, answer) => {
    const clientId = c.req.header('Idempotency-Key')
    if (clientId === undefined) return answer({})
    if (!IDEMPOTENCY_KEY.test(clientId)) return refused(c, refuse('bad-request', { why: KEY_SHAPE }), httpRefusals)
    const call = { clientId, payload: [c.req.method, c.req.path, withoutPasswords(c.get('body') as string)] }
    const id = derivedId(`request ${personName(by)} ${clientId}`)
    const command = { type: 'NameRequest', by, at: now() } as const
    const known = await entities.remembered('request', id, command, call)
    if (known instanceof Refusal) return refused(c, known, httpRefusals)
    const response = await answer({ clientId, repeated: known !== undefined })
    if (response.ok && !known) await entities.ask('request', id, command, call)
    return response
  }
}

const withoutPasswords = (text: string): unknown =>
  // its shape and its depth were checked before
  text === '' ? null : JSON.parse(text, (key, value: unknown) => (key.includes('password') ? undefined : value))
