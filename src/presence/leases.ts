/**
 * Who is connected right now, on any node: one lease per socket, each with a time to live that its node renews while
 * the socket is open, so that a dead node's people are found within `ttlMs`. Leases hold no history: the edges (came
 * online, lost, went offline) are recorded in the log by the presence machine. `person` is `<org>.<id>`. Adapters:
 * memory (one node), Redis; one suite for both: `test/presence/suite.ts`. Rejects with LeasesUnavailable; what `hold`
 * took or `release` gave back counts nevertheless, on all nodes as soon as the leases are available again.
 */
export interface Leases {
  /** Takes or renews the lease of one socket; resolves to the number of live leases of that person on all nodes. */
  hold(person: string, socket: string): Promise<number>
  /**
   * Gives one lease back; resolves to the number of live leases that the person has left. Unknown leases are no error.
   */
  release(person: string, socket: string): Promise<number>
  /** Live leases of each of these people, in the same order. */
  count(people: readonly string[]): Promise<readonly number[]>
  /** What other nodes hold of this person, and what they let expire within the last ten minutes. */
  elsewhere(person: string): Promise<readonly Lease[]>
  /** Stops renewing and gives all leases of this node back. */
  close(): Promise<void>
}

export interface Lease {
  readonly node: string
  readonly socket: string
  /** Milliseconds since 1970. */
  readonly renewedAt: number
  readonly live: boolean
}

/**
 * Whether somebody is connected elsewhere cannot be known now: do nothing that cannot be taken back, look again later.
 */
export class LeasesUnavailable extends Error {
  override readonly name = 'LeasesUnavailable'
}
