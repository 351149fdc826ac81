import { assign, type SnapshotFrom, setup } from 'xstate'
import type { LogIn } from '../person/log-in.ts'
import type { TicketEvent } from './events.ts'

export interface TicketContext {
  readonly org: string
  readonly personId: string
  readonly role: string
  readonly openUntil: number
  readonly goodUntil: number
  /** Of tickets of this release. */
  readonly logIn?: LogIn
}

type Issued = Extract<TicketEvent, { type: 'TicketIssued' }>

/** unknown -> issued -> used. */
export const ticketMachine = setup({
  types: { context: {} as TicketContext, events: {} as TicketEvent },
  actions: {
    issue: assign((_, { org, personId, role, openUntil, goodUntil, loggedInAt, passwordVersion }: Issued) => ({
      ...{ org, personId, role, openUntil, goodUntil },
      ...(loggedInAt === undefined
        ? {}
        : { logIn: { loggedInAt, ...(passwordVersion === undefined ? {} : { passwordVersion }) } }),
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
