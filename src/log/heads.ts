/**
 * Where a stream ends; `position` is -1n when it was read from the disk (it is durable, and its exact place does not
 * matter).
 */
export interface Head {
  readonly revision: number
  readonly position: bigint
}

export interface Heads {
  get(stream: string): Head
  /** `durable` = position up to which the disk knows all. */
  set(stream: string, head: Head, durable: bigint): void
  /** What was pending will not be durable: the disk is asked again. */
  forget(streams: Iterable<string>): void
}

/**
 * The revision of each stream's last event, pending ones included: what expected revisions are checked against. Keeps
 * the streams that were most recently written, or asked for first, and reads the others from the disk; never drops a
 * stream with pending events, which the disk does not know yet.
 */
export function openHeads(lastRevision: (stream: string) => number, maxStreams = 65_536): Heads {
  const heads = new Map<string, Head>()
  let durable = -1n
  // A Map iterates in the order of insertion: set anew, a stream becomes the newest.
  const keep = (stream: string, head: Head): void => {
    heads.delete(stream)
    heads.set(stream, head)
    for (const [oldest, { position }] of heads) {
      if (heads.size <= maxStreams || position > durable) return
      heads.delete(oldest)
    }
  }

  return {
    get(stream) {
      const known = heads.get(stream)
      if (known) return known
      // Whoever asks is about to read the stream or to append to it, and will ask again.
      const head = { revision: lastRevision(stream), position: -1n }
      keep(stream, head)
      return head
    },
    set(stream, head, upTo) {
      durable = upTo
      keep(stream, head)
    },
    forget(streams) {
      for (const stream of streams) heads.delete(stream)
    },
  }
}
