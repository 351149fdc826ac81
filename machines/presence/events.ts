import type { EventSchema, Role } from '../kernel.ts'

/**
 * Only the edges of somebody's presence, in the stream `presence-<org>.<id>`; who is connected right now is told by leases.
 * A connection that is lost and comes back before `until` (milliseconds since 1970) is the same presence going on.
 */
export type PresenceEvent =
  | { readonly type: 'CameOnline'; readonly role: Role; readonly at: number }
  | { readonly type: 'ConnectionLost'; readonly until: number }
  /** `role`: of the token they came back with, which may be a newer one. */
  | { readonly type: 'CameBack'; readonly role: Role }
  | { readonly type: 'WentOffline'; readonly reason: OfflineReason }

/** `left`: closed their last connection; `grace-over`: lost and not back in time; `disabled`: Lyceum sent them away. */
type OfflineReason = 'left' | 'grace-over' | 'disabled'

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const presenceEvents: Record<PresenceEvent['type'], EventSchema> = {
  CameOnline: plain,
  ConnectionLost: plain,
  CameBack: plain,
  WentOffline: plain,
}
