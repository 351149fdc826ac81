import type { Log, Recorded } from '../log/log.ts'
import type { Cursor } from './cursor.ts'
import type { PastStream } from './past.ts'

/** To be read with `for await`; a batch may grow while it is read. */
export type Batches = AsyncIterable<readonly Recorded[]> | Iterable<readonly Recorded[]>

/**
 * Streams as they were read for somebody who came back, kept for the next one: when a network breaks or a server
 * starts, many come back at once, and they have missed the same. What is recorded later is added by the node's
 * follower.
 */
export interface KeptStreams {
  /**
   * The events of a stream from where its past matters after this cursor, or from its beginning, in their order;
   * everything that the follower has told is among them. Rejects with LogUnavailable.
   */
  read(stream: PastStream, after: Cursor | null): Promise<Batches>
  /** To be told of every event that is recorded, before anybody is told that it was followed. */
  onEvent(recorded: Recorded): void
}

/** Longer streams are read each time. */
const MAX_EACH = 1_000
/** Events that are kept in all; the streams that were wanted last. */
const MAX_EVENTS = 50_000
const MAX_STREAMS = 5_000

interface Kept {
  /** In their order, without a gap; `long`: too many to keep. */
  events: Recorded[] | 'long'
  /** What is recorded while the others are read; null = they are read. */
  later: Recorded[] | null
  /** What happened before this position does not matter to whoever has heard it; -1 = all of the stream is here. */
  since: bigint
  reading: Promise<void>
}

export function keptStreams(log: Pick<Log, 'read'>): KeptStreams {
  /** In the order of their last use. */
  const kept = new Map<string, Kept>()
  let count = 0

  const isKept = (name: string, one: Kept): boolean => kept.get(name) === one

  const drop = (name: string): void => {
    count -= kept.get(name)?.events.length ?? 0
    kept.delete(name)
  }

  const bound = (): void => {
    for (const name of kept.keys()) {
      if (count <= MAX_EVENTS && kept.size <= MAX_STREAMS) return
      drop(name)
    }
  }

  const load = async (one: Kept, { name, from, since }: Begin): Promise<void> => {
    one.since = since
    const events: Recorded[] = []
    for await (const batch of log.read(name, { from })) {
      events.push(...batch)
      if (events.length > MAX_EACH) break
    }
    for (const recorded of one.later ?? []) if (isNext(events, recorded)) events.push(recorded)
    one.later = null
    one.events = events.length > MAX_EACH ? 'long' : events
    if (isKept(name, one)) count += one.events.length
    bound()
  }

  const begin = (stream: PastStream, after: Cursor | null): Kept => {
    drop(stream.name)
    const one: Kept = { events: [], later: [], since: -1n, reading: Promise.resolve() }
    kept.set(stream.name, one)
    one.reading = startOf(log, stream, after).then((from) => load(one, from))
    one.reading.catch(() => isKept(stream.name, one) && drop(stream.name)) // whoever waits is told by the promise
    return one
  }

  const found = async (stream: PastStream, after: Cursor | null): Promise<Kept> => {
    for (;;) {
      const one = kept.get(stream.name) ?? begin(stream, after)
      await one.reading
      if (one.since < (after?.position ?? 0n)) return one
      if (isKept(stream.name, one)) drop(stream.name) // it begins too late; otherwise somebody has begun another one
    }
  }

  return {
    async read(stream, after) {
      const { name } = stream
      const one = await found(stream, after)
      if (isKept(name, one)) {
        kept.delete(name)
        kept.set(name, one)
      }
      return one.events === 'long' ? log.read(name, await startOf(log, stream, after)) : [one.events]
    },
    onEvent(recorded) {
      const { stream } = recorded
      const one = kept.get(stream)
      if (!one || one.events === 'long') return
      if (one.later) return void (one.later.length < MAX_EACH ? one.later.push(recorded) : drop(stream))
      if (recorded.revision < revisionAfter(one.events, recorded)) return
      if (!isNext(one.events, recorded) || one.events.length >= MAX_EACH) return drop(stream)
      one.events.push(recorded)
      count++
      bound()
    },
  }
}

const revisionAfter = (events: readonly Recorded[], { revision }: Recorded): number =>
  (events.at(-1)?.revision ?? revision - 1) + 1

const isNext = (events: readonly Recorded[], recorded: Recorded): boolean =>
  recorded.revision === revisionAfter(events, recorded)

interface Begin {
  readonly name: string
  readonly from: number
  readonly since: bigint
}

/** From which revision the stream's past matters, and to whom: see `Kept`. */
async function startOf(log: Pick<Log, 'read'>, { name, endsPast }: PastStream, after: Cursor | null): Promise<Begin> {
  if (!endsPast || after === null) return { name, from: 0, since: -1n }
  for await (const batch of log.read(name, { backwards: true }))
    for (const recorded of batch)
      if (recorded.position < after.position && endsPast(recorded))
        return { name, from: recorded.revision + 1, since: recorded.position }
  return { name, from: 0, since: -1n }
}
