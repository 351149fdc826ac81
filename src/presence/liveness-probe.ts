/** The client at the other end of a socket of this node, as far as it can be felt. */
export interface Peer {
  /** When the client was last heard, milliseconds since 1970. */
  heardAt(): number
  /** Asks it for a sign of life. Resolves to whether one came within `withinMs`. */
  answers(withinMs: number): Promise<boolean>
}

/**
 * Whether somebody is really at the other end of the connections that count as open: one whose network is gone counts
 * as open until it misses a ping, half a minute later, and one of a node that died until its lease is over. Silence
 * proves nothing (a tab may be busy), so it ends nothing: it tells an arrival that is a return from one that is not.
 * `holder` is a person, as in leases. Adapters: this node alone (below), all nodes over Redis.
 */
export interface LivenessProbe {
  open(holder: string, socket: string, peer: Peer): void
  close(holder: string, socket: string): void
  /**
   * Feels for the holder's connections on all nodes, but for the socket `except`. `alive` as soon as one answers, and
   * also when nobody can know (Redis away). Otherwise when one of them was last heard; null when there is none. Never
   * rejects.
   */
  probe(holder: string, except: string | null): Promise<ProbeResult>
  stop(): Promise<void>
}

export type ProbeResult = 'alive' | number | null

/** A phone on a bad network answers within one or two seconds. */
export const ANSWER_MS = 3_000

/** The connections of this node. */
export function localProbe(): LivenessProbe {
  const peers = new Map<string, Map<string, Peer>>()

  return {
    open(holder, socket, peer) {
      const theirs = peers.get(holder)
      if (theirs) theirs.set(socket, peer)
      else peers.set(holder, new Map([[socket, peer]]))
    },
    close(holder, socket) {
      const theirs = peers.get(holder)
      theirs?.delete(socket)
      if (theirs?.size === 0) peers.delete(holder)
    },
    async probe(holder, except) {
      const theirs = [...(peers.get(holder) ?? [])].flatMap(([socket, peer]) => (socket === except ? [] : [peer]))
      if (theirs.length === 0) return null
      const { promise, resolve } = Promise.withResolvers<ProbeResult>()
      const silent = theirs.map(async (peer) => {
        if (await peer.answers(ANSWER_MS)) resolve('alive')
      })
      // peers do not reject
      void Promise.all(silent).then(() => resolve(Math.max(...theirs.map((peer) => peer.heardAt()))))
      return promise
    },
    async stop() {},
  }
}

/** The later one, with `alive` above all. */
export function latestResult(one: ProbeResult, other: ProbeResult): ProbeResult {
  if (one === 'alive' || other === 'alive') return 'alive'
  if (one === null || other === null) return one ?? other
  return Math.max(one, other)
}
