import type { Audience } from '../contracts/notice.ts'

/** The way out to this node's clients. Fire and forget: a client that misses something is told everything when it comes back. */
export interface Outlet {
  push(to: Audience, name: string, data: object): void
  /** Closes all sockets of one person on this node, telling them why. */
  dismiss(org: string, id: string, why: string): void
}
