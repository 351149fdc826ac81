import { type EventStoreDBClient, jsonEvent, type Position } from '@eventstore/db-client'
import { admit } from './admit.ts'
import type { Codec, Encoded } from './codec.ts'
import { connection } from './eventstore-client.ts'
import { lastBefore, lastDeliverable, standingIn } from './eventstore-end.ts'
import { failureOf } from './eventstore-errors.ts'
import { fromStored, positionOf, type StoredEvent } from './eventstore-event.ts'
import { followAll } from './eventstore-follow.ts'
import { allPage, PAGE, type Span, streamPage } from './eventstore-pages.ts'
import { type Patience, persist } from './eventstore-retry.ts'
import {
  type Appended,
  AppendTooLarge,
  type Following,
  type FollowOptions,
  type Log,
  LogUnavailable,
  type Proposed,
  type ReadOptions,
  type Recorded,
  WrongRevision,
} from './log.ts'

export interface EventStoreOptions {
  /** `esdb://…`, `esdb+discover://…` or `kurrentdb…`: see docs of EventStoreDB. TLS is on unless `?tls=false`. */
  readonly url: string
  readonly codec: Codec
  /** False for streams of other programs in the same database. Default: every stream may be ours, metadata decides. */
  ours?(stream: string): boolean
  /**
   * Told of everything that went wrong and is tried again (`doing` in words): for the log lines and metrics of the
   * operator.
   */
  onTrouble?(doing: string, error: unknown): void
  /** Default: 5 s for one attempt, 10 s for all attempts of a call. */
  readonly patience?: Patience
}

const PATIENCE: Patience = { attemptMs: 5000, totalMs: 10_000 }

/**
 * The log in EventStoreDB 22.6 – 24.10 or KurrentDB 25/26, through `@eventstore/db-client` 6.2.1. Connects with the
 * first call, so a server that is down does not keep us from starting. Rejects when `url` cannot be understood.
 */
export async function openEventStoreLog(options: EventStoreOptions): Promise<Log> {
  const { codec, ours = () => true, onTrouble = () => {}, patience = PATIENCE } = options
  const server = connection(options.url)
  const closing = new AbortController()
  const recorded = fromStored(codec, ours)
  const followings = new Set<Following>()
  /** Followings that do not know yet where "from now on" begins: our own appends wait, so that they come after it. */
  const beginnings = new Set<Promise<unknown>>()

  /** Repeats a harmless call on whatever client is current. */
  function call<T>(doing: string, attempt: (client: EventStoreDBClient, limitMs: number) => Promise<T>): Promise<T> {
    let client = server.client()
    return persist(
      (limitMs) => {
        client = server.client()
        return attempt(client, limitMs)
      },
      {
        doing,
        patience,
        closed: closing.signal,
        failed(error, rebuild) {
          if (rebuild) server.rebuild(client)
          onTrouble(doing, error)
        },
      },
    )
  }

  const pageOfStream = (stream: string, span: Span<bigint>): Promise<StoredEvent[]> =>
    call(`reading ${stream}`, (client, limitMs) => streamPage(client, stream, span, limitMs))
  const pageOfAll = (span: Span<Position>): Promise<StoredEvent[]> =>
    call('reading the whole log', (client, limitMs) => allPage(client, span, limitMs))

  async function append(stream: string, expected: number, events: readonly Proposed[]): Promise<Appended> {
    const messages = admit(codec, stream, expected, events).map((one, i) => message(events[i]!.id, one)) // same length
    const expectedRevision = expected === -1 ? 'no_stream' : BigInt(expected)
    try {
      const answer = await call(`append to ${stream}`, async (client, limitMs) => {
        if (beginnings.size > 0) await Promise.all(beginnings)
        return client.appendToStream(stream, messages, { expectedRevision, deadline: limitMs })
      })
      if (Number(answer.nextExpectedRevision) !== expected + events.length) {
        throw new Error(
          `${stream} was deleted or rewritten in EventStoreDB: its numbering no longer follows from what we appended`,
        )
      }
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind === 'conflict') throw new WrongRevision(stream, expected, failure.actual)
      if (failure.kind === 'too-large') throw new AppendTooLarge(failure.limitBytes, sizeOf(codec, events))
      throw error
    }
    return placesOf(stream, expected + 1, events.length)
  }

  /** The answer to an append tells the last position only, and no time: both are read back. */
  function placesOf(stream: string, first: number, count: number): Promise<Appended> {
    return call(`reading back ${stream}`, async (client, limitMs) => {
      const written = await streamPage(client, stream, { from: BigInt(first), backwards: false, count }, limitMs)
      const last = written.at(-1)
      // Appends go to the leader, this read perhaps to a follower that is a moment behind.
      if (written.length < count || last === undefined)
        throw new LogUnavailable(`${stream} is not yet visible on the node that we read from`)
      return {
        revision: Number(last.revision),
        positions: written.map((one) => positionOf(one).commit),
        at: last.created.getTime(),
      }
    })
  }

  async function* read(
    stream: string,
    { from, backwards = false, limit = Infinity }: ReadOptions<number> = {},
  ): AsyncIterable<readonly Recorded[]> {
    if (backwards && from !== undefined && from < 0) return
    let next: bigint | 'start' | 'end' = from === undefined ? (backwards ? 'end' : 'start') : BigInt(Math.max(0, from))
    for (let left = limit; left > 0; ) {
      const count = Math.min(PAGE, left)
      const stored: readonly StoredEvent[] = await pageOfStream(stream, { from: next, backwards, count })
      const batch = stored.map(recorded).filter((one) => one !== null)
      left -= batch.length
      if (batch.length > 0) yield batch
      const last = stored.at(-1)
      if (last === undefined || stored.length < count || (backwards && last.revision === 0n)) return
      next = last.revision + (backwards ? -1n : 1n)
    }
  }

  async function* readAll({
    from,
    backwards = false,
    limit = Infinity,
  }: ReadOptions<bigint> = {}): AsyncIterable<readonly Recorded[]> {
    let next: Position | 'start' | 'end' =
      from === undefined ? (backwards ? 'end' : 'start') : { commit: from, prepare: from }
    // Forwards a page begins with the event that ended the page before.
    let again = false
    for (let left = limit; left > 0; ) {
      // System events and those of other programs are among them: a few more than wanted.
      const count = Math.min(PAGE, left + 32)
      const stored: readonly StoredEvent[] = await pageOfAll({ from: next, backwards, count })
      const fresh = again ? stored.slice(1) : stored
      const batch = fresh
        .map(recorded)
        .filter((one) => one !== null)
        .slice(0, left)
      left -= batch.length
      if (batch.length > 0) yield batch
      const last = stored.at(-1)
      if (last === undefined || stored.length < count) return
      next = positionOf(last)
      again = !backwards
    }
  }

  function follow(options: FollowOptions): Following {
    if (closing.signal.aborted) throw new LogUnavailable('the log is closed: nothing can be followed any more')
    const first = Promise.withResolvers<void>()
    if (options.after === 'end') beginnings.add(first.promise)
    const begun = (): void => {
      beginnings.delete(first.promise)
      first.resolve()
    }
    const following = followAll(
      {
        client: server.client,
        fromStored: recorded,
        end: () => lastBefore(pageOfAll, 'end').finally(begun),
        lastBefore: (place) => lastBefore(pageOfAll, place),
        standing: (spot) => standingIn(pageOfAll, spot),
        lastDeliverable: (floor) => lastDeliverable(pageOfAll, floor),
        broken(error, client) {
          if (closing.signal.aborted) return
          const failure = failureOf(error)
          if (failure.kind === 'passing' && failure.rebuild) server.rebuild(client)
          onTrouble('following the log', error)
        },
      },
      {
        ...options,
        failed(error) {
          followings.delete(handle)
          options.failed?.(error)
        },
      },
    )
    const stop = async (): Promise<void> => {
      followings.delete(handle)
      begun()
      await following.stop()
    }
    const handle: Following = { stop }
    followings.add(handle)
    return handle
  }

  return {
    append,
    read,
    readAll,
    follow,
    async close() {
      closing.abort()
      await Promise.all([...followings].map((following) => following.stop()))
      await server.close()
    },
  }
}

/**
 * The client makes JSON of `data` itself, where a failure would end the process: it gets what the codec's JSON says,
 * nothing else.
 */
function message(id: string, { type, data, meta }: Encoded) {
  return jsonEvent({ id, type, data: JSON.parse(data), metadata: new TextEncoder().encode(meta) })
}

function sizeOf(codec: Codec, events: readonly Proposed[]): number {
  return events
    .map((event) => codec.encode(event))
    .reduce((sum, { data, meta }) => sum + Buffer.byteLength(data) + Buffer.byteLength(meta), 0)
}
