import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import {
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  type EventStoreDBClient,
  excludeSystemEvents,
  type Position,
} from '@eventstore/db-client'
import { type BackOff, backOffMs } from '../back-off.ts'
import { covers, type Place, type Spot, spotOf } from './eventstore-end.ts'
import type { FromStored } from './eventstore-event.ts'
import { AnotherPast, type Following, type FollowOptions, LogUnavailable, type Recorded } from './log.ts'
import { REPLICA_LAG_MS, type Standing } from './standing.ts'

export interface Source {
  client(): EventStoreDBClient
  /** Aborted when nothing more is to be expected of this client. */
  givenUp(client: EventStoreDBClient): AbortSignal
  fromStored: FromStored
  /** Where a following begins that wants only what comes from now on; null = the log is empty. */
  end(): Promise<Spot | null>
  lastBefore(place: Position): Promise<Spot | null>
  /** Whether the log still holds a record. */
  standing(spot: Spot): Promise<Standing>
  /** The last place that a subscription will deliver, or `floor` when nothing comes after it. */
  lastDeliverable(floor: Place): Promise<Place>
  /** Told of every break (`client` = the one in use then) before the following is resumed. */
  broken(error: unknown, client: EventStoreDBClient): void
}

/** At most so many events in one call of `each`. */
const BATCH = 512
/**
 * Events read ahead while `each` is busy, twice (before and after decoding); then HTTP/2 flow control stops the server.
 */
const READ_AHEAD = 512
/** Checkpoints come every so many windows of 32 events that the server has looked at, delivered or not. */
const CHECKPOINT_WINDOWS = 10
const BACK_OFF: BackOff = { firstMs: 50, longestMs: 2_000 }

/** Supervises catch-up subscriptions to `$all`: each one begins where the last one stopped delivering, until `stop`. */
export function followAll(source: Source, { after, each, caughtUp, failed }: FollowOptions): Following {
  const stopping = new AbortController()
  const { signal } = stopping
  const cursor: Cursor = { spot: null }

  let underWay: Promise<void> = Promise.resolve()

  const handled = async (act: () => void | Promise<void>): Promise<void> => {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    underWay = promise
    try {
      await act()
    } catch (error) {
      throw new EndOfFollowing(error)
    } finally {
      resolve()
    }
  }

  async function run(): Promise<void> {
    if (typeof after === 'object')
      cursor.spot = { place: { commit: after.position, prepare: after.position }, id: after.id }
    let known = after !== 'end'
    let tries = 0
    let aheadSince: number | null = null
    /** A place is no proof: beyond the end a subscription is silent, and another log has other events there. */
    const prove = async ({ spot }: Cursor): Promise<void> => {
      const standing = spot === null ? 'stands' : await source.standing(spot)
      if (spot === null || standing === 'stands') {
        aheadSince = null
        return
      }
      aheadSince ??= performance.now()
      if (standing === 'ahead' && performance.now() - aheadSince < REPLICA_LAG_MS)
        throw new LogUnavailable('the log does not reach (yet) what it has told before')
      throw new EndOfFollowing(new AnotherPast({ position: spot.place.commit, id: spot.id }))
    }
    const handlers: Handlers = {
      each: (batch) => handled(() => each(batch)),
      caughtUp: () => handled(() => caughtUp?.()),
      confirmed() {
        tries = 0
      },
    }
    while (!signal.aborted) {
      let client = source.client()
      try {
        if (known) await prove(cursor)
        else cursor.spot = await source.end()
        known = true
        client = source.client() // the one that has just answered: the other may have been given up for it
        await session(source, client, cursor, signal, handlers)
      } catch (error) {
        if (error instanceof EndOfFollowing) {
          stopping.abort()
          failed?.(error.cause)
          return
        }
        if (signal.aborted) return
        source.broken(error, client)
        await delay(backOffMs(tries++, BACK_OFF), undefined, { signal }).catch(() => {}) // stopped
      }
    }
  }

  void run() // rejects only when `failed` itself throws, and that must be heard
  return {
    // Nothing is handed out once the signal is set, so that only the call that has begun is waited for, never a server.
    stop() {
      stopping.abort()
      return underWay
    },
  }
}

/**
 * How far a following has come: everything up to this record was handed out, or is none of our business. Null = the
 * start.
 */
interface Cursor {
  spot: Spot | null
}

const placeOf = ({ spot }: Cursor): Place => spot?.place ?? 'start'

interface Handlers {
  each(batch: readonly Recorded[]): Promise<void>
  caughtUp(): Promise<void>
  confirmed(): void
}

/** Ends a following for good: a handler failed, an event cannot be decoded, or the log has another past. */
class EndOfFollowing extends Error {
  constructor(cause: unknown) {
    super('a following ended', { cause })
  }
}

/** One subscription, from `cursor` until it breaks (rejects) or `signal` is aborted (resolves). */
async function session(
  source: Source,
  client: EventStoreDBClient,
  cursor: Cursor,
  signal: AbortSignal,
  handlers: Handlers,
): Promise<void> {
  const seen: Seen = { checkpoint: 'start', caughtUp: false, goal: null, broken: null }
  const bell = doorbell()
  const subscription = subscribe(client, placeOf(cursor), seen, handlers, bell.ring)
  // A checkpoint is a place without a record's id: the record before it proves as much.
  let asked: Place = 'start'
  let isOver = false
  const moveTo = async (checkpoint: Position): Promise<void> => {
    asked = checkpoint
    const spot = await source.lastBefore(checkpoint).catch(() => null) // then the next one
    // Once the subscription is broken the answer may be another log's.
    if (spot && !isOver && !covers(placeOf(cursor), spot.place)) cursor.spot = spot
  }
  signal.addEventListener('abort', bell.ring)
  const givenUp = source.givenUp(client)
  const leave = (): void => {
    seen.broken ??= { error: new LogUnavailable('the server no longer answers, and is looked for again') }
    bell.ring()
  }
  givenUp.addEventListener('abort', leave)
  if (givenUp.aborted) leave()
  try {
    // Servers before 23.10 never say that we caught up, so we look ourselves how far "everything so far" reaches.
    source.lastDeliverable(placeOf(cursor)).then(
      (place) => {
        seen.goal = place
        bell.ring()
      },
      (error: unknown) => {
        seen.broken ??= { error }
        bell.ring()
      },
    )
    let announced = false
    while (!signal.aborted) {
      // Noted before the buffer is emptied: what the server said by now is true of what we find in it, and of nothing
      // later.
      const { checkpoint, caughtUp, broken } = seen
      const { batch, spot, empty, poison } = drain(subscription, source)
      if (batch.length > 0) await handlers.each(batch)
      if (poison !== null) throw new EndOfFollowing(poison.error)
      cursor.spot = spot ?? cursor.spot
      if (empty && checkpoint !== 'start' && !covers(placeOf(cursor), checkpoint) && !covers(asked, checkpoint))
        void moveTo(checkpoint) // does not reject
      if (!announced && ((empty && caughtUp) || (seen.goal !== null && covers(placeOf(cursor), seen.goal)))) {
        announced = true
        await handlers.caughtUp()
      }
      if (empty) {
        if (broken !== null) throw broken.error
        await bell.rung()
      }
      // The client decodes one event per microtask: one turn later everything of a packet is there, and makes one
      // batch. And a long way to catch up must not keep sockets waiting.
      await nextTurn()
    }
  } finally {
    isOver = true
    signal.removeEventListener('abort', bell.ring)
    givenUp.removeEventListener('abort', leave)
    // Without it the server's side stays open. Not awaited: it may hang on a channel that is still being discovered.
    void subscription.unsubscribe().catch(() => {})
    subscription.destroy()
  }
}

/** What the subscription has told us besides events. */
interface Seen {
  checkpoint: Place
  caughtUp: boolean
  goal: Place | null
  broken: { readonly error: unknown } | null
}

function subscribe(
  client: EventStoreDBClient,
  place: Place,
  seen: Seen,
  handlers: Handlers,
  ring: () => void,
): AllStreamSubscription {
  const broke = (error: unknown): void => {
    seen.broken ??= { error }
    ring()
  }
  const filter = excludeSystemEvents({
    checkpointInterval: CHECKPOINT_WINDOWS,
    // It must not throw or reject: the client would crash the process and stall this subscription in silence.
    checkpointReached: (_subscription, position) => {
      seen.checkpoint = position
      ring()
    },
  })
  return client
    .subscribeToAll({ fromPosition: place, filter }, { highWaterMark: READ_AHEAD })
    .on('readable', ring)
    .on('confirmation', handlers.confirmed)
    .on('caughtUp', () => {
      seen.caughtUp = true
      ring()
    })
    .on('error', broke)
    .on('end', () => broke(new Error('the server ended the subscription')))
    .on('close', () => broke(new Error('the subscription was closed')))
}

interface Drained {
  readonly batch: readonly Recorded[]
  /** The last event looked at, ours or not; null = none. */
  readonly spot: Spot | null
  /** Nothing more has arrived so far. */
  readonly empty: boolean
  /** Why the event after the batch cannot be decoded. */
  readonly poison: { readonly error: unknown } | null
}

/** Takes what has arrived, at most one batch. */
function drain(subscription: AllStreamSubscription, source: Source): Drained {
  const batch: Recorded[] = []
  let spot: Spot | null = null
  while (batch.length < BATCH) {
    // object mode: one event, or null when the buffer is empty
    const resolved = subscription.read() as AllStreamResolvedEvent | null
    if (resolved === null) return { batch, spot, empty: true, poison: null }
    if (resolved.event === undefined) continue
    spot = spotOf(resolved.event)
    try {
      const recorded = source.fromStored(resolved.event)
      if (recorded !== null) batch.push(recorded)
    } catch (error) {
      return { batch, spot, empty: false, poison: { error } }
    }
  }
  return { batch, spot, empty: false, poison: null }
}

/** `rung` resolves once it was rung since the last time: no ring is lost, many count as one. */
function doorbell(): { ring(): void; rung(): Promise<void> } {
  let ringing = false
  let answer: (() => void) | null = null
  return {
    ring() {
      ringing = true
      answer?.()
    },
    async rung() {
      if (!ringing) await new Promise<void>((resolve) => (answer = resolve))
      ringing = false
      answer = null
    },
  }
}
