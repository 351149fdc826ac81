import { admit } from './admit.ts'
import type { Codec } from './codec.ts'
import { FEED_BATCH, followings } from './following.ts'
import { type Appended, type Log, LogUnavailable, type Recorded, WrongRevision } from './log.ts'
import { decodeRow, type Row } from './record.ts'

export interface MemoryLogOptions {
  readonly codec: Codec
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * The log without a disk, for tests and demonstrations: gone with the process. Every event passes through the codec
 * both ways, so writers and readers never share an object. Positions have gaps like EventStoreDB's, so that nobody
 * computes with them.
 */
export function memoryLog({ codec, now }: MemoryLogOptions): Log {
  const rows: Row[] = []
  const streams = new Map<string, Row[]>()
  let closed = false

  const decode = (row: Row): Recorded => decodeRow(codec, row)

  const feed = followings({
    end: () => rows.at(-1)?.position ?? -1n,
    slice(after, upTo) {
      const first = indexOf(rows, after + 1n)
      return rows.slice(first, Math.min(first + FEED_BATCH, indexOf(rows, upTo + 1n))).map(decode)
    },
    idAt(position) {
      const found = rows[indexOf(rows, position)]
      return found?.position === position ? found.id : undefined
    },
  })

  async function* batches(found: readonly Row[]): AsyncGenerator<readonly Recorded[]> {
    for (let next = 0; next < found.length; next += FEED_BATCH) {
      if (closed) throw new LogUnavailable('the log was closed while it was read')
      yield found.slice(next, next + FEED_BATCH).map(decode)
    }
  }

  return {
    async append(stream, expected, events, at = now()) {
      const encoded = admit(codec, stream, expected, events)
      if (closed) throw new LogUnavailable('the log is closed: nothing can be appended')
      const written = streams.get(stream) ?? []
      if (expected !== written.length - 1) {
        const before = written.slice(expected + 1, expected + 1 + events.length)
        if (before.length < events.length || before.some((row, index) => row.id !== events[index]?.id)) {
          throw new WrongRevision(stream, expected, written.length - 1)
        }
        return appended(before)
      }
      const added: Row[] = []
      for (const [index, one] of encoded.entries()) {
        const position: bigint = (added.at(-1) ?? rows.at(-1))?.position ?? 0n
        // `encoded` was made from `events`, index by index.
        const { id } = events[index]!
        added.push({
          ...one,
          id,
          stream,
          revision: expected + 1 + index,
          position: position + BigInt(one.data.length + 1),
          at,
        })
      }
      rows.push(...added)
      streams.set(stream, written)
      written.push(...added)
      feed.wake()
      return appended(added)
    },

    async *read(stream, { from, backwards = false, limit = Number.POSITIVE_INFINITY } = {}) {
      const all = streams.get(stream) ?? []
      const found = backwards ? all.slice(0, (from ?? all.length) + 1).reverse() : all.slice(from ?? 0)
      yield* batches(found.slice(0, limit))
    },

    async *readAll({ from, backwards = false, limit = Number.POSITIVE_INFINITY } = {}) {
      const border = from === undefined ? undefined : indexOf(rows, from)
      const found = backwards ? rows.slice(0, border).reverse() : rows.slice(border)
      yield* batches(found.slice(0, limit))
    },

    follow: (options) => feed.follow(options),

    async close() {
      closed = true
      await feed.close()
    },
  }
}

function appended(rows: readonly Row[]): Appended {
  // An append holds at least one event (`admit`).
  const last = rows.at(-1)!
  return { revision: last.revision, position: last.position }
}

/** Index of the first row at or behind `position` (binary search). */
function indexOf(rows: readonly Row[], position: bigint): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle]!.position < position) low = middle + 1
    else high = middle
  }
  return low
}
