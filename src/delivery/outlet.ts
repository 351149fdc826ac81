import type { Audience } from './notice.ts'

/**
 * The way out to this node's clients. Fire and forget: a client that misses something is told everything when it comes
 * back.
 */
export interface Outlet {
  push(to: Audience, name: string, data: object): void
  /** All sockets of this person on this node stand at the lesson's door. */
  enter(org: string, id: string, lesson: string): void
  /** Whoever stands at the door is in: hears what is pushed to the lesson. */
  admit(lesson: string): void
  leave(org: string, id: string, lesson: string): void
  /** Nobody is in any more. */
  empty(lesson: string): void
  /** Closes all sockets of one person on this node, telling them why. */
  disconnectUser(org: string, id: string, why: string): void
}
