import type { EventSchema, Role } from '../kernel.ts'

/**
 * Only the edges of somebody's presence, in the stream `presence-<org>.<id>`; who is connected right now is told by
 * leases. A connection that is lost and comes back before `until` (milliseconds since 1970) is the same presence going
 * on.
 */
export type PresenceEvent =
  | { readonly type: 'CameOnline'; readonly role: Role; readonly at: number }
  /** `at`: when it was lost. Histories of the first days have no `at`, here and below. */
  | { readonly type: 'ConnectionLost'; readonly until: number; readonly at?: number }
  /** `role`: of the token they came back with, which may be a newer one. */
  | { readonly type: 'CameBack'; readonly role: Role; readonly at?: number }
  /**
   * `since`: when the presence that ends began, which tells it from others. `at`: when it really ended; for a loss, the
   * time of the loss.
   */
  | { readonly type: 'WentOffline'; readonly reason: OfflineReason; readonly since?: number; readonly at?: number }

/** `left`: closed their last connection; `grace-over`: lost and not back in time; `disabled`: Lyceum sent them away. */
export type OfflineReason = 'left' | 'grace-over' | 'disabled'

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const presenceEvents: Record<PresenceEvent['type'], EventSchema> = {
  CameOnline: plain,
  ConnectionLost: plain,
  CameBack: plain,
  WentOffline: plain,
}
