import { assign, type SnapshotFrom, setup } from 'xstate'
import type { TicketEvent } from './events.ts'

export interface TicketContext {
  readonly org: string
  readonly personId: string
  readonly role: string
  readonly openUntil: number
  readonly goodUntil: number
}

/** unknown -> issued -> used. */
export const ticketMachine = setup({
  types: { context: {} as TicketContext, events: {} as TicketEvent },
  actions: {
    issue: assign((_, { org, personId, role, openUntil, goodUntil }: TicketContext) => ({
      ...{ org, personId, role, openUntil, goodUntil },
    })),
  },
}).createMachine({
  id: 'ticket',
  context: { org: '', personId: '', role: '', openUntil: 0, goodUntil: 0 },
  initial: 'unknown',
  states: {
    unknown: { on: { TicketIssued: { target: 'issued', actions: { type: 'issue', params: ({ event }) => event } } } },
    issued: { on: { TicketUsed: 'used' } },
    used: {},
  },
})

export type TicketState = SnapshotFrom<typeof ticketMachine>
