import type { Command, Role } from '../kernel.ts'

/**
 * Sent by the node that sees a person's sockets, never by a client. `Leave` means that the last connection of all nodes
 * is gone: `closed` by the client (or, by `system`: the person was disabled), or `lost` in any other way, which leaves
 * them `graceMs` milliseconds (0 = none) to come back; `seenAt` is until when they were there, if that was earlier.
 * `Return`: they are back from a loss that nobody had noticed, last seen at `lostAt`. `Expire` asks whether the grace
 * is over.
 */
export type PresenceCommand = Command &
  (
    | { readonly type: 'Arrive'; readonly role: Role }
    | { readonly type: 'Leave'; readonly how: 'closed' | 'lost'; readonly graceMs: number; readonly seenAt?: number }
    | { readonly type: 'Return'; readonly role: Role; readonly graceMs: number; readonly lostAt: number }
    | { readonly type: 'Expire' }
  )
