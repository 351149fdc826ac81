import type { Audience } from '../contracts/notice.ts'

/** The way out to this node's clients. Fire and forget: a client that misses something is told everything when it comes back. */
export interface Outlet {
  push(to: Audience, name: string, data: object): void
  /** From now on all sockets of this person on this node hear what is pushed to the lesson; after `leave` they do not; after `empty` nobody does. */
  enter(org: string, id: string, lesson: string): void
  leave(org: string, id: string, lesson: string): void
  empty(lesson: string): void
  /** Closes all sockets of one person on this node, telling them why. */
  dismiss(org: string, id: string, why: string): void
}
