import type { Command, Role } from '../kernel.ts'

/**
 * Sent by the node that sees a person's sockets, never by a client. `Leave` means that the last connection of all nodes
 * is gone: `closed` by the client (or, by `system`: the person was disabled), or `lost` in any other way, which leaves
 * them `graceMs` milliseconds (0 = none) to come back; `seenAt` is until when they were there, if that was earlier.
 * `Expire`: the grace of the loss that may come back until `until` is over, as has elapsed for whoever asks.
 */
export type PresenceCommand = Command &
  (
    | { readonly type: 'Arrive'; readonly role: Role }
    | { readonly type: 'Leave'; readonly how: 'closed' | 'lost'; readonly graceMs: number; readonly seenAt?: number }
    | Return
    | { readonly type: 'Expire'; readonly until: number }
  )

/** They are back at `backAt` from a loss that nobody had noticed, last seen at `lostAt`. */
export type Return = Command & {
  readonly type: 'Return'
  readonly role: Role
  readonly graceMs: number
  readonly lostAt: number
  readonly backAt: number
  /** When they had last come back, as it was recorded then: whoever has recorded this return since was first. */
  readonly backBefore: number | null
}
