import { createHash, randomBytes } from 'node:crypto'
import { type Party, Refusal } from '../../../machines/kernel.ts'
import type { LogIn } from '../../../machines/person/log-in.ts'
import type { Entities } from '../../runtime/entities.ts'

/** What opens a stream of events in an address, where a token would be read by whoever reads addresses. */
export interface Tickets {
  /** `goodUntil`: of the token that asks for it, milliseconds since 1970. `logIn`: what it tells of the log-in. */
  issue(by: Party, goodUntil: number, logIn: LogIn): Promise<string | Refusal>
  /** Whose it is, until when. To be asked whenever a stream begins. */
  use(ticket: string): Promise<Holder | Refusal>
}

export interface Holder {
  readonly party: Party
  /** Milliseconds since 1970. */
  readonly goodUntil: number
  /** What is known of the log-in behind it. */
  readonly logIn: LogIn | undefined
}

/** In seconds: a page opens its stream at once. */
export const OPEN_WITHIN_S = 60
const PREFIX = 'st_'

export const isTicket = (text: string): boolean => /^st_[\w-]{43}$/.test(text)

export function tickets(entities: Pick<Entities, 'ask' | 'state'>, now: () => number): Tickets {
  // Whoever reads the log has no tickets.
  const nameOf = (ticket: string): string => createHash('sha256').update(ticket).digest('hex')
  return {
    async issue(by, goodUntil, { loggedInAt, passwordVersion }) {
      const ticket = PREFIX + randomBytes(32).toString('base64url')
      const at = now()
      const openUntil = at + OPEN_WITHIN_S * 1_000
      const logIn = { loggedInAt, ...(passwordVersion === undefined ? {} : { passwordVersion }) }
      const command = { type: 'IssueTicket', openUntil, goodUntil, ...logIn, by, at } as const
      const answer = await entities.ask('ticket', nameOf(ticket), command)
      return answer instanceof Refusal ? answer : ticket
    },
    async use(ticket) {
      const by: Party = { id: 'system', org: 'system', role: 'system' }
      const answer = await entities.ask('ticket', nameOf(ticket), { type: 'UseTicket', by, at: now() })
      if (answer instanceof Refusal) return answer
      const { context } = (await entities.state('ticket', nameOf(ticket))).state
      const { org, personId: id, role, goodUntil, logIn } = context
      return { party: { org, id, role: role as Party['role'] }, goodUntil, logIn }
    },
  }
}
