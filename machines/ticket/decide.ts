import { type Command, type Decision, refuse, unreachable } from '../kernel.ts'
import type { LogIn } from '../person/log-in.ts'
import type { TicketEvent } from './events.ts'
import type { TicketState } from './machine.ts'

export type TicketCommand = Command &
  (
    | ({ readonly type: 'IssueTicket'; readonly openUntil: number; readonly goodUntil: number } & LogIn)
    /** By whoever holds it; who that is says the ticket. */
    | { readonly type: 'UseTicket' }
  )

/** Refusals: `bad-ticket`, for one that was never issued, was not used in time, or is over: which, is not told. */
export function decide(state: TicketState, command: TicketCommand): Decision<TicketEvent> {
  const { by, at } = command
  switch (command.type) {
    case 'IssueTicket': {
      const { openUntil, goodUntil, loggedInAt, passwordVersion } = command
      if (!state.matches('unknown')) return refuse('bad-ticket')
      const logIn = { loggedInAt, ...(passwordVersion === undefined ? {} : { passwordVersion }) }
      return [{ type: 'TicketIssued', org: by.org, personId: by.id, role: by.role, openUntil, goodUntil, ...logIn, at }]
    }
    case 'UseTicket': {
      const { openUntil, goodUntil } = state.context
      if (state.matches('unknown') || at >= goodUntil) return refuse('bad-ticket')
      if (state.matches('used')) return []
      return at >= openUntil ? refuse('bad-ticket') : [{ type: 'TicketUsed', at }]
    }
    default:
      return unreachable(command)
  }
}
