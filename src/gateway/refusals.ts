import type { Refusals } from '../delivery/refusals.ts'
import { OUTDATED } from './auth/accounts.ts'

/** HTTP says 410 where it was deleted. */
const DAMAGED = [
  409,
  'this was {how} in the store, so nothing can be changed in it; what can be read of it is still shown, and the log ' +
    'lines tell an operator what to do',
] as const

/** What machinery itself refuses over HTTP, whatever the contract. */
export const httpRefusals = {
  'account-disabled': [401, 'this account is disabled: ask an admin of your organisation'],
  'bad-request': [400, '{why}'],
  'body-cut-off': [400, 'the body ended before all of it had come'],
  'body-too-slow': [400, 'the body did not come within {seconds} s'],
  'client-id-reused': [409, 'this Idempotency-Key was used for another request: use a new one'],
  'cursor-unknown': [
    409,
    'expected the pos of a push of this installation; this one is of another log, of a part that was lost, or of the ' +
      'future: forget what you know, and ask how it stands',
  ],
  'heavy-answers': [
    429,
    'this takes long to answer, and too many such answers are under way for you or for this server: ask for one at a ' +
      'time, and again in {seconds} s',
  ],
  'malformed-json': [400, 'the body is not JSON: {why}'],
  'token-outdated': [401, OUTDATED],
  'too-large': [413, 'this is more than the {limit} bytes that are taken at once'],
  'too-much-under-way': [503, 'too much is being sent to this server at once: try again in a moment'],
  'too-many-requests': [429, 'too many requests: try again in {seconds} s'],
  busy: [503, 'too many others are changing the same thing: try again'],
  damaged: DAMAGED,
  internal: [503, 'this is our fault and has been written down: try again later'], // 500 was not promised to clients
  overloaded: [503, 'too much is waiting already: try again in a moment'],
  unavailable: [503, 'storage does not answer: send the same request with the same Idempotency-Key again'],
} as const satisfies Refusals

/** What machinery itself refuses on sockets. The statuses are those that HTTP would answer with. */
export const socketRefusals = {
  'account-disabled': [401, 'this account is disabled: ask an admin of your organisation'],
  'bad-request': [400, '{why}'],
  'client-id-reused': [409, 'this client_id was used for something else; take a new one for each call'],
  'hub-looks-on': [403, 'a connection with product_type=manager only listens; connect without it to take part'],
  'rate-limited': [429, 'too many requests; try again in {seconds} s'],
  'token-needed': [401, 'without a token you may only join a lesson by its code'],
  'too-large': [413, 'this is more than the log takes at once'],
  busy: [503, 'too many are changing this chat at once; try again'],
  damaged: DAMAGED,
  draining: [503, 'this server is stopping; reconnect and repeat'],
  internal: [503, 'something broke on our side; it has been logged'],
  overloaded: [503, 'too much waits for this chat; try again in a moment'],
  unavailable: [
    503,
    'the log did not answer in time, so this may or may not have happened; repeat it with the same client_id',
  ],
} as const satisfies Refusals
