import type { EventStoreDBClient, Position } from '@eventstore/db-client'
import { systemClock } from '../clock.ts'
import { admit, sizeOf } from './admit.ts'
import type { Codec, Encoded } from './codec.ts'
import { renumbered, tombstoned } from './damaged.ts'
import { type Append, appender, type Message, type Written } from './eventstore-append.ts'
import { connection } from './eventstore-client.ts'
import { diagnose } from './eventstore-diagnosis.ts'
import { lastBefore, lastDeliverable, standingIn } from './eventstore-end.ts'
import { failureOf } from './eventstore-errors.ts'
import { fromStored, positionOf, type StoredEvent, withTime } from './eventstore-event.ts'
import { followAll } from './eventstore-follow.ts'
import { allPage, PAGE, type Span, streamPage } from './eventstore-pages.ts'
import { limited, type Patience, persist } from './eventstore-retry.ts'
import { silence } from './eventstore-silence.ts'
import { readStream } from './eventstore-stream.ts'
import { type Health, watchServer } from './eventstore-watch.ts'
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
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number
  /**
   * True for streams in which nobody but us may write; all others are none of our business. Default: every stream may
   * be ours, and the metadata of its events decides.
   */
  ours?(stream: string): boolean
  /**
   * Told of everything that went wrong and is tried again (`doing` in words): for the log lines and metrics of the
   * operator.
   */
  onTrouble?(doing: string, error: unknown): void
  /** Default: 5 s for one attempt, 10 s for all attempts of a call. */
  readonly patience?: Patience
  /** Set: opening waits for the server without end, and fails where waiting does not help. */
  readonly health?: Health
}

const PATIENCE: Patience = { attemptMs: 5000, totalMs: 10_000 }

/**
 * The log in EventStoreDB 22.6 – 24.10 or KurrentDB 25/26, through `@eventstore/db-client` 6.2.1. Connects with the
 * first call, so that without `health` it opens on a server that is down. Rejects when `url` cannot be understood.
 */
export async function openEventStoreLog(options: EventStoreOptions): Promise<Log> {
  const { codec, now = systemClock.now, ours = () => true, onTrouble = () => {}, patience = PATIENCE, health } = options
  const server = connection(options.url)
  const appends = appender(server.givenUp)
  const quiet = silence()
  const closing = new AbortController()
  const recorded = fromStored(codec, ours)
  const followings = new Set<Following>()
  /** Followings that do not know yet where "from now on" begins: our own appends wait, so that they come after it. */
  const beginnings = new Set<Promise<unknown>>()

  const attempt = async (): Promise<void> => {
    const client = server.client()
    const { attemptMs } = patience
    const reading = allPage(client, { from: 'end', backwards: true, count: 1 }, attemptMs)
    await limited(reading, attemptMs, 'a check', closing.signal).catch((error: unknown) => {
      const failure = failureOf(error)
      const rebuild = failure.kind === 'passing' && failure.rebuild
      if (quiet.failed(client, error) || rebuild) server.rebuild(client)
      throw error
    })
    quiet.answered(client)
  }
  const watch =
    health && watchServer({ ...health, attempt, diagnose: () => diagnose(server.addresses(), server.target.tls) })

  /** Repeats a harmless call on whatever client is current. */
  async function call<T>(
    doing: string,
    attempt: (client: EventStoreDBClient, limitMs: number) => Promise<T>,
  ): Promise<T> {
    let client = server.client()
    const answer = await persist(
      (limitMs) => {
        client = server.client()
        return attempt(client, limitMs)
      },
      {
        doing,
        patience: health?.isStarting() ? { ...patience, totalMs: Infinity } : patience,
        closed: closing.signal,
        failed(error, rebuild) {
          if (quiet.failed(client, error) || rebuild) server.rebuild(client)
          watch?.suspect()
          onTrouble(doing, error)
        },
      },
    )
    quiet.answered(client)
    return answer
  }

  const pageOfStream = async (stream: string, span: Span<bigint>): Promise<StoredEvent[] | null> => {
    try {
      return await call(`reading ${stream}`, (client, limitMs) => streamPage(client, stream, span, limitMs))
    } catch (error) {
      throw failureOf(error).kind === 'deleted' ? tombstoned(stream, error) : error
    }
  }
  const streams = { page: pageOfStream, fromStored: recorded, isOwn: options.ours ?? (() => false) }
  const pageOfAll = (span: Span<Position>): Promise<StoredEvent[]> =>
    call('reading the whole log', (client, limitMs) => allPage(client, span, limitMs))

  async function append(stream: string, expected: number, events: readonly Proposed[], at = now()): Promise<Appended> {
    // What nobody can follow must not be acknowledged.
    const denied = watch?.denied() ?? null
    if (denied !== null) throw new LogUnavailable(denied)
    const encoded = admit(codec, stream, expected, events)
    const messages = encoded.map((one, i) => message(events[i]!.id, one, at)) // same length
    const one: Append = { stream, expected, messages }
    try {
      const written = await call(`append to ${stream}`, async (client, limitMs) => {
        if (beginnings.size > 0) await Promise.all(beginnings)
        return appends.append(client, one, limitMs).catch((error: unknown) => decided(client, one, error, limitMs))
      })
      if (written.revision !== expected + events.length) {
        throw renumbered(stream, expected + 1)
      }
      return written
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind === 'conflict') throw new WrongRevision(stream, expected, failure.actual)
      if (failure.kind === 'deleted') throw tombstoned(stream, error)
      if (failure.kind === 'too-large') {
        const sizeBytes = encoded.reduce((sum, one) => sum + sizeOf(one), 0)
        throw new AppendTooLarge(failure.limitBytes, sizeBytes)
      }
      throw error
    }
  }

  /**
   * A leader that has lost its cluster refuses because of an event that it alone has, which nobody can read and which
   * may vanish: then nothing is decided yet, and the same append is made again. Rejects in every case.
   */
  async function decided(
    client: EventStoreDBClient,
    append: Append,
    error: unknown,
    limitMs: number,
  ): Promise<Written> {
    const failure = failureOf(error)
    if (failure.kind !== 'conflict' || failure.actual <= append.expected) throw error
    const span = { from: BigInt(failure.actual), backwards: false, count: 1 }
    const found = await streamPage(client, append.stream, span, limitMs)
    if (found !== null && found.length > 0) throw error
    // Rejects where it cannot be read because somebody has deleted or hidden it.
    for await (const _ of readStream(streams, append.stream, { limit: 1, isCertain: true })) break
    throw new LogUnavailable(`${append.stream} has an event ${failure.actual} that cannot be read yet`)
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
        givenUp: server.givenUp,
        fromStored: recorded,
        end: () => lastBefore(pageOfAll, 'end').finally(begun),
        lastBefore: (place) => lastBefore(pageOfAll, place),
        standing: (spot) => standingIn(pageOfAll, spot),
        lastDeliverable: (floor) => lastDeliverable(pageOfAll, floor),
        broken(error, client) {
          if (closing.signal.aborted) return
          const failure = failureOf(error)
          if (failure.kind === 'passing' && failure.rebuild) server.rebuild(client)
          watch?.suspect()
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

  async function close(): Promise<void> {
    watch?.stop()
    closing.abort()
    await Promise.all([...followings].map((following) => following.stop()))
    await server.close()
  }

  try {
    await watch?.begun
  } catch (error) {
    await close()
    throw error
  }
  return { append, read: (stream, options) => readStream(streams, stream, options), readAll, follow, close }
}

const utf8 = new TextEncoder()

const message = (id: string, { type, data, meta }: Encoded, at: number): Message => ({
  ...{ id, type },
  data: utf8.encode(data),
  meta: utf8.encode(withTime(meta, at)),
})
