import type { Log, Recorded } from '../log/log.ts'
import { PARTLY } from '../log/readable.ts'
import { weightOf } from '../log/weight.ts'
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
   * everything that the follower has told is among them. What cannot be read is left out. Rejects with LogUnavailable.
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
/** What they hold, about, in bytes. */
const MAX_WEIGHT = 32 * 1024 * 1024

interface Kept {
  /** In their order, without a gap; null = too many to keep. */
  events: Recorded[] | null
  /** What is recorded while the others are read; null = they are read. */
  later: Recorded[] | null
  /** What happened before this position does not matter to whoever has heard it; -1 = all of the stream is here. */
  since: bigint
  reading: Promise<void>
  /** Of the events. */
  weight: number
}

export function keptStreams(log: Pick<Log, 'read'>): KeptStreams {
  /** In the order of their last use. */
  const kept = new Map<string, Kept>()
  let count = 0
  let weight = 0

  const isKept = (name: string, one: Kept): boolean => kept.get(name) === one

  const drop = (name: string): void => {
    const one = kept.get(name)
    count -= one?.events?.length ?? 0
    weight -= one?.weight ?? 0
    kept.delete(name)
  }

  const bound = (): void => {
    for (const name of kept.keys()) {
      if (count <= MAX_EVENTS && weight <= MAX_WEIGHT && kept.size <= MAX_STREAMS) return
      drop(name)
    }
  }

  const load = async (one: Kept, stream: PastStream, after: Cursor | null): Promise<void> => {
    const { events, since } = await pastOf(log, stream, after)
    one.since = since
    for (const recorded of one.later ?? []) if (isNext(events, recorded)) events.push(recorded)
    one.later = null
    one.events = events.length > MAX_EACH ? null : events
    if (!isKept(stream.name, one)) return
    count += one.events?.length ?? 0
    one.weight = sumOf(one.events ?? [])
    weight += one.weight
    if (one.events === null && stream.endsPast) drop(stream.name) // whoever has missed less may find it short
    bound()
  }

  const begin = (stream: PastStream, after: Cursor | null): Kept => {
    drop(stream.name)
    const one: Kept = { events: [], later: [], since: -1n, reading: Promise.resolve(), weight: 0 }
    kept.set(stream.name, one)
    one.reading = load(one, stream, after)
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
      return one.events ? [one.events] : log.read(name, { ...PARTLY, from: await startOf(log, stream, after) })
    },
    onEvent(recorded) {
      const { stream } = recorded
      const one = kept.get(stream)
      if (!one?.events) return
      if (one.later) return void (one.later.length < MAX_EACH ? one.later.push(recorded) : drop(stream))
      if (recorded.revision < revisionAfter(one.events, recorded)) return
      if (!isNext(one.events, recorded) || one.events.length >= MAX_EACH) return drop(stream)
      one.events.push(recorded)
      count++
      one.weight += weightOf(recorded)
      weight += weightOf(recorded)
      bound()
    },
  }
}

const sumOf = (events: readonly Recorded[]): number => events.reduce((sum, one) => sum + weightOf(one), 0)

const revisionAfter = (events: readonly Recorded[], { revision }: Recorded): number =>
  (events.at(-1)?.revision ?? revision - 1) + 1

const isNext = (events: readonly Recorded[], recorded: Recorded): boolean =>
  recorded.revision === revisionAfter(events, recorded)

/** What is read to be kept: more than MAX_EACH events when it is too much. */
interface ReadPast {
  readonly events: Recorded[]
  readonly since: bigint
}

/** The whole of a short stream; of a long one what came after the earliest event at hand that ends its past. */
async function pastOf(log: Pick<Log, 'read'>, stream: PastStream, after: Cursor | null): Promise<ReadPast> {
  const { name, endsPast } = stream
  const events: Recorded[] = []
  if (!endsPast || after === null) {
    for await (const batch of log.read(name, PARTLY)) if (events.push(...batch) > MAX_EACH) break
    return { events, since: -1n }
  }
  for await (const batch of log.read(name, { backwards: true })) {
    const oldest = batch.at(-1)
    const ends = batch.findLast((recorded) => recorded.position < after.position && endsPast(recorded))
    if (oldest?.revision !== 0 && ends) {
      events.push(...batch.filter(({ revision }) => revision > ends.revision))
      return { events: events.reverse(), since: ends.position }
    }
    if (events.push(...batch) > MAX_EACH) break
  }
  return { events: events.reverse(), since: -1n }
}

/** From which revision a long stream's past matters. */
async function startOf(log: Pick<Log, 'read'>, { name, endsPast }: PastStream, after: Cursor | null): Promise<number> {
  if (!endsPast || after === null) return 0
  for await (const batch of log.read(name, { backwards: true }))
    for (const recorded of batch)
      if (recorded.position < after.position && endsPast(recorded)) return recorded.revision + 1
  return 0
}
