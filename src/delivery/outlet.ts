import type { Audience, RoomName } from './notice.ts'
import type { PlacedNotice } from './placed-notice.ts'

/**
 * The way out to this node's clients. Fire and forget: a client that misses something is told everything when it comes
 * back. Everything takes effect at once.
 */
export interface Outlet {
  /** `told`: the last notice that this tells; without, it tells how something stands. */
  push(to: Audience, name: string, data: object, told?: PlacedNotice): void
  /** Connections in this room of the default namespace. */
  size(room: RoomName): number
  /** The oldest notice that a pace still holds back from this room; undefined = none any more. */
  holdsBack(room: string, oldest: PlacedNotice | undefined): void
  /** Every connection of the default namespace that is in the room `of` is in the room `into` as well. */
  join(of: RoomName, into: RoomName): void
  /** Every connection of the default namespace that is in the room `of` leaves these rooms. */
  leave(of: RoomName, rooms: readonly RoomName[]): void
  /** Closes all connections of one person on this node, telling them why. */
  disconnectUser(org: string, id: string, why: string): void
  /** The same, but as a lost connection: whoever has a newer token comes back, and goes on. */
  hangUpUser(org: string, id: string, why: string): void
}
