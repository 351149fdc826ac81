import type { EventSchema } from '../kernel.ts'

/**
 * What opens a stream of events in place of a token, in the stream `ticket-<SHA-256 of it>`: whoever reads the log has
 * no tickets. Times in milliseconds since 1970.
 */
export type TicketEvent =
  | {
      readonly type: 'TicketIssued'
      readonly org: string
      readonly personId: string
      readonly role: string
      /** Until when it opens a stream for the first time, and goes on with it. */
      readonly openUntil: number
      readonly goodUntil: number
      /** Of the log-in that asked for it, see `LogIn`; those of older releases do not say. */
      readonly loggedInAt?: number
      readonly passwordVersion?: number
      readonly at: number
    }
  | { readonly type: 'TicketUsed'; readonly at: number }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const ticketEvents: Readonly<Record<TicketEvent['type'], EventSchema>> = {
  TicketIssued: plain,
  TicketUsed: plain,
}
