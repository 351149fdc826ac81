import { idIn, isOf, type PersonRef, personIn, personName } from '../../machines/stream.ts'
import { keyedQueue } from '../keyed-queue.ts'
import { StreamDamaged } from '../log/damaged.ts'
import { type Log, type Recorded, UnreadableEvent } from '../log/log.ts'
import { nextTurn } from '../slices.ts'
import { ALL_NOTICES, type Cursor } from './cursor.ts'
import type { KeptStreams } from './kept-streams.ts'
import { type Notifier, openNotifier } from './notifier.ts'
import { onlineModel } from './online-model.ts'
import type { Hearer, Past, PastStream } from './past.ts'
import { PastProfiles } from './past-profiles.ts'
import { cursorAfter, type PlacedNotice } from './placed-notice.ts'
import { ProfileCache } from './profile-cache.ts'
import type { Stay } from './subscriptions.ts'

/** A notice that somebody has missed, with the cursor of whoever has heard it. */
export interface Missed {
  readonly name: string
  readonly data: object
  readonly cursor: string
  /** The data as it goes out, where it is not all of it; null: it is not told. To be asked for one by one. */
  readonly complete?: () => Promise<object | null>
}

export interface CatchUpOptions {
  readonly log: Log
  /** Of the same log. */
  readonly kept: KeptStreams
  readonly pasts: readonly Past[]
  /** Something cannot be read and is not told, live or now. */
  readonly onError: (error: unknown) => void
}

/** Who was away, and what they have missed. */
export interface Absence {
  readonly hearer: Hearer
  /** Where they hear what is told to these rooms; default: `/` alone. */
  readonly namespaces?: readonly string[]
  /** The rooms that they were in all the time. */
  readonly rooms: readonly string[]
  /** Of those among them that they were not in all the time: when they were. */
  readonly stays?: ReadonlyMap<string, Stay>
  /** Whether the rooms count that they entered and left (`Past.move`). */
  readonly moves: boolean
  /** What they have heard; null = nothing. */
  readonly after: Cursor | null
  /** Position of the last event that is told again. */
  readonly upTo: bigint
  /** False as soon as nobody waits for it any more: what is not told yet is not looked for. */
  readonly isWanted: () => boolean
}

/**
 * Tells somebody again what was told to them, from the log: the streams that concern them are read, moved by the code
 * that moves the models of this node, and what reaches their rooms is theirs. It costs what happened in those streams,
 * whatever else the log holds. Pages come in order; each holds what a bounded number of events tell. Rejects with
 * LogUnavailable, and with ViewsUnavailable where a list says which streams concern them.
 */
export type CatchUp = (absence: Absence) => AsyncGenerator<readonly Missed[]>

/** Events that are held at once: whoever was away for very long is told in several passes. */
const MAX_HELD = 4_000
/** Events per turn of the event loop. */
const PER_TURN = 50
const READ_AT_ONCE = 16

export function openCatchUp({ log, kept, pasts, onError }: CatchUpOptions): CatchUp {
  /** One pass of a person at a time: whoever asks for everything, again and again, keeps only themselves waiting. */
  const turns = keyedQueue()

  return async function* catchUp(absence) {
    const { hearer, rooms, after, upTo, isWanted } = absence
    const from = after?.position ?? -1n
    if (from > upTo) return
    const found = await Promise.all(pasts.map((past) => past.streams(hearer, from, upTo, rooms)))
    const streams = new Map(found.flat().map((stream) => [stream.name, stream]))
    for (let next: Cursor | null | undefined = after; next !== undefined && isWanted(); ) {
      const rest = { ...absence, after: next }
      const page: Page = await turns.run(personName(hearer.party), () => pass(rest, [...streams.values()]))
      if (page.missed.length > 0) yield page.missed
      next = page.next
    }
  }

  async function pass(
    { hearer, namespaces = ['/'], rooms, stays, moves, after, upTo, isWanted }: Absence,
    streams: readonly PastStream[],
  ): Promise<Page> {
    const fresh = { online: onlineModel(log), profiles: new ProfileCache(log), streams: namesOf(streams) }
    const named = new PastProfiles((name) => kept.read({ name }, null))
    let at = -1n
    const notifier = openNotifier({ profiles: { get: (person) => named.at(at).get(person) }, onError })
    const itsFeeds = pasts.map((past) => ({ past, feeds: past.feeds(fresh, hearer) }))
    const feeds = itsFeeds.flatMap((one) => one.feeds)
    const pastOf = new Map(itsFeeds.flatMap((one) => one.feeds.map((feed) => [feed, one.past] as const)))
    const models = new Set([fresh.online, fresh.profiles, ...feeds.map(({ model }) => model)])
    for (const model of models) notifier.add(model, feeds)
    const inRooms = new Set(rooms)
    const wasIn = (room: string, position: bigint): boolean => {
      const stay = stays?.get(room)
      return stay === undefined || (position > stay.after && (stay.before === null || position < stay.before))
    }

    /** False for what cannot be read: it is no news, live or now. */
    const prepare = async (recorded: Recorded, names: boolean): Promise<boolean> => {
      try {
        for (const model of notifier.missing(recorded)) await model.load(recorded)
        if (names) for (const person of peopleIn(notifier, recorded)) await named.fetch(person)
        return true
      } catch (error) {
        if (!(error instanceof UnreadableEvent || error instanceof StreamDamaged)) throw error
        onError(error)
        return false
      }
    }
    const move = (recorded: Recorded, tells: boolean): readonly Told[] => {
      const told: Told[] = []
      for (const { feed, change, notices } of notifier.move(recorded, tells)) {
        const past = pastOf.get(feed)
        if (moves) past?.move?.(change, hearer, inRooms)
        told.push(...notices.map((notice) => ({ ...notice, past })))
      }
      return told
    }

    const held = heldEvents()
    const read = (stream: PastStream) => kept.read(stream, after)
    const isTold = (recorded: Recorded): boolean => after !== null && !isNews(recorded, after)
    for (let n = 0; n < streams.length && isWanted(); n += READ_AT_ONCE) {
      for (const batches of await Promise.all(streams.slice(n, n + READ_AT_ONCE).map(read))) {
        let isFirst = true
        for await (const batch of batches) {
          const [first] = batch
          // Where reading begins in the midst of a stream its models load what was before.
          if (isFirst && first && !isTold(first) && first.position <= upTo) await prepare(first, false)
          isFirst &&= first === undefined
          for (const [nth, recorded] of batch.entries()) {
            if (recorded.position > upTo) break
            if (nth > 0 && nth % PER_TURN === 0) await nextTurn()
            if (!isTold(recorded)) held.add(recorded)
            else if (await prepare(recorded, false)) move(recorded, false)
          }
        }
      }
      await nextTurn()
    }
    if (!isWanted()) return { missed: [], next: undefined }

    const missed: (Missed & { readonly key: string | null })[] = []
    const { events, last } = held.take()
    for (const [n, recorded] of events.entries()) {
      if (n % PER_TURN === 0) await nextTurn()
      if (!(await prepare(recorded, true))) continue
      at = recorded.position
      const already = recorded.position === after?.position ? after.notices : 0
      for (const told of move(recorded, true)) {
        const { to, name, data, latest } = told.notice
        if (told.number <= already || !namespaces.includes(to.namespace ?? '/')) continue
        if (!inRooms.has(to.room) || !wasIn(to.room, recorded.position)) continue
        if (to.except?.some((room) => inRooms.has(room))) continue
        const complete = told.past?.completing?.(name, data)
        const key = latest ? `${name} ${to.room}` : null
        missed.push({ name, data, cursor: cursorAfter(told), key, ...(complete ? { complete } : {}) })
      }
    }
    return { missed: onlyLatest(missed), next: last }
  }
}

/** A notice, and whose it is. */
type Told = PlacedNotice & { readonly past: Past | undefined }

/** Whom the notices of an event name. */
const peopleIn = (notifier: Notifier, recorded: Recorded): readonly PersonRef[] =>
  isOf('person', recorded) ? [personIn(idIn('person', recorded.stream) ?? '')] : notifier.people(recorded)

/** What one pass tells; `next`: there is more after it. */
interface Page {
  readonly missed: readonly Missed[]
  readonly next: Cursor | undefined
}

const namesOf = (streams: readonly PastStream[]): ReadonlySet<string> => new Set(streams.map(({ name }) => name))

const isNews = ({ position }: Recorded, after: Cursor): boolean =>
  position > after.position || (position === after.position && after.notices < ALL_NOTICES)

/** The earliest of all that are added, as many as are held at once. */
function heldEvents() {
  let events: Recorded[] = []
  let last: Recorded | undefined
  const sort = (): void => void events.sort((a, b) => (a.position < b.position ? -1 : 1))
  const cut = (): void => {
    sort()
    if (events.length <= MAX_HELD) return
    events = events.slice(0, MAX_HELD)
    last = events.at(-1)
  }
  return {
    add(recorded: Recorded): void {
      if (last && recorded.position > last.position) return
      events.push(recorded)
      if (events.length >= 2 * MAX_HELD) cut()
    },
    /** `last`: there is more after it. */
    take(): { readonly events: readonly Recorded[]; readonly last: Cursor | undefined } {
      cut()
      return { events, last: last && { position: last.position, digits: 0n, notices: ALL_NOTICES } }
    },
  }
}

/** Of notices that take each other's place only the last one stays. */
function onlyLatest(missed: readonly (Missed & { readonly key: string | null })[]): readonly Missed[] {
  const latest = new Map<string, Missed>()
  for (const one of missed) if (one.key !== null) latest.set(one.key, one)
  return missed.filter((one) => one.key === null || latest.get(one.key) === one)
}
