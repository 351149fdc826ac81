import { nextTurn } from '../slices.ts'
import { hashOf, type Placed } from './segment-format.ts'
import type { Owner } from './segment-index.ts'
import { type LostText, readSpots } from './segment-read.ts'
import type { Segments } from './segments.ts'

/** One event as it stands in the files: its text, or why it cannot be had and, where that is known, whose it was. */
export type StoredEvent =
  | { readonly kind: 'whole'; readonly placed: Placed; readonly text: string }
  | {
      readonly kind: 'lost'
      readonly position: number
      readonly why: string
      readonly owner: Owner | undefined
      readonly name?: string
    }

const AT_ONCE = 512

/** All events of a log in their order, some at a time, read from its files and checked one by one. */
export async function* everyEvent(segments: Segments): AsyncGenerator<readonly StoredEvent[]> {
  for (const segment of segments.list) {
    const count = segment.index.count()
    for (let from = 0; from < count; from += AT_ONCE) {
      const spots = segments.lookUp(segment, (index) => index.spots(from, AT_ONCE))
      const texts = readSpots(segments.files, segment, spots)
      yield texts.map((found, nth): StoredEvent => {
        const position = segment.first + from + nth
        if (!('text' in found)) {
          const owner = found.place ?? segments.lookUp(segment, (index) => index.ownerOf(from + nth))
          return lostEvent(position, found, owner)
        }
        const { s, r, i, a } = JSON.parse(found.text) as Readonly<{ s: string; r: number; i: string; a: number }>
        const placed = { stream: s, revision: r, id: i, at: a, position: BigInt(position) }
        return { kind: 'whole', placed, text: found.text }
      })
      await nextTurn()
    }
  }
}

const lostEvent = (position: number, { why, name }: LostText, owner: Owner | undefined): StoredEvent => ({
  ...{ kind: 'lost', position, why, owner },
  ...(name === undefined ? {} : { name }),
})

/** Names of streams that were seen, for those of which only the hash is known. */
export interface SeenStreams {
  /** Undefined: it is the stream's next event. Otherwise the revision that should have come. */
  see(placed: Placed): number | undefined
  /** Passes over an event of which only this is known. */
  pass(owner: Owner): void
  nameOf(owner: Owner): string
  count(): number
}

/** Remembers some 150 bytes for each stream. */
export function seenStreams(): SeenStreams {
  const next = new Map<string, number>()
  const names = new Map<string, string>()
  return {
    see({ stream, revision }) {
      const hash = hashOf(stream)
      const due = next.get(hash) ?? 0
      next.set(hash, revision + 1)
      names.set(hash, stream)
      return due === revision ? undefined : due
    },
    pass({ hash, revision }) {
      next.set(hash, revision + 1)
    },
    nameOf: ({ hash }) =>
      names.get(hash) ?? `a stream whose name is lost (${Buffer.from(hash, 'latin1').toString('hex')})`,
    count: () => next.size,
  }
}
