/** A socket of this node, as far as its client can be felt at the other end. */
export interface Line {
  /** When the client was last heard, milliseconds since 1970. */
  heardAt(): number
  /** Asks it for a sign of life. Resolves to whether one came within `withinMs`. */
  answers(withinMs: number): Promise<boolean>
  /** Ends it, as lost; its owner was seen at `seenAt`, if that is later than this line heard them. */
  cut(seenAt: number): void
}

/**
 * Whether somebody is really at the other end of the connections that count as open: one whose network is gone counts as open until
 * it misses a ping, half a minute later, and one of a node that died until its lease is over. `holder` is a person, as in leases.
 * Adapters: this node alone (below), all nodes over Redis.
 */
export interface Pulse {
  open(holder: string, socket: string, line: Line): void
  close(holder: string, socket: string): void
  /**
   * Feels for the holder's connections on all nodes, but for the socket `except`. `alive` as soon as one answers, and also when nobody
   * can know (Redis away). Otherwise when one of them was last heard; null when there is none. With `cutSeenAt` silent ones are then cut: their
   * owner has left, and was seen until `cutSeenAt`. Never rejects.
   */
  others(holder: string, except: string | null, cutSeenAt?: number): Promise<Felt>
  stop(): Promise<void>
}

export type Felt = 'alive' | number | null

/** A phone on a bad network answers within one or two seconds. */
export const ANSWER_MS = 3_000

/** The connections of this node. */
export function pulseHere(): Pulse {
  const lines = new Map<string, Map<string, Line>>()

  return {
    open(holder, socket, line) {
      const theirs = lines.get(holder)
      if (theirs) theirs.set(socket, line)
      else lines.set(holder, new Map([[socket, line]]))
    },
    close(holder, socket) {
      const theirs = lines.get(holder)
      theirs?.delete(socket)
      if (theirs?.size === 0) lines.delete(holder)
    },
    async others(holder, except, cutSeenAt) {
      const theirs = [...(lines.get(holder) ?? [])].flatMap(([socket, line]) => (socket === except ? [] : [line]))
      if (theirs.length === 0) return null
      const { promise, resolve } = Promise.withResolvers<Felt>()
      const silent = theirs.map(async (line) => {
        if (await line.answers(ANSWER_MS)) resolve('alive')
      })
      void Promise.all(silent).then(() => resolve(Math.max(...theirs.map((line) => line.heardAt())))) // lines do not reject
      const felt = await promise
      if (felt !== 'alive' && cutSeenAt !== undefined) for (const line of theirs) line.cut(cutSeenAt)
      return felt
    },
    async stop() {},
  }
}

/** The later one, with `alive` above all. */
export function latestFelt(one: Felt, other: Felt): Felt {
  if (one === 'alive' || other === 'alive') return 'alive'
  if (one === null || other === null) return one ?? other
  return Math.max(one, other)
}
