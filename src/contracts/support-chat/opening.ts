import { isStaff } from '../../../machines/kernel.ts'
import { personIn } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import { type JsonText, jsonText, remembered, type Texts } from '../../delivery/json-text.ts'
import type { StaffUser, VisitorUser } from '../shared/people.ts'
import type { Users } from './users.ts'
import { type FlaggedChat, flaggedChat, ownChat, placeOf, queuedChat, type StaffInit } from './wire.ts'

const FLAGGED_SHOWN = 15

/** So many of a list are told at once, and so much of their text; the first one always. */
interface Bounds {
  readonly items: number
  readonly characters: number
}

/** Behind so much contents chats come without, but for those that hold little: nobody is hidden by others. */
interface QueueBounds extends Bounds {
  readonly contents: number
  readonly little: number
}

const MIB = 1024 * 1024
/** Together less than whoever reads slowly may let wait: see `watchSlowReaders`. */
const BOUNDS = {
  people: { items: 10_000, characters: 4 * MIB },
  queue: { items: 10_000, characters: 12 * MIB, contents: 4 * MIB, little: 2 * 1024 },
  own: { items: 1_000, characters: MIB },
} as const

export interface OpeningBounds {
  readonly people: Bounds
  readonly queue: QueueBounds
  readonly own: Bounds
}

/** What `staff_init` is made of: one organisation's rows, all at the same position of the log. */
export interface Shown {
  readonly unclaimed: ReadonlyMap<string, ChatRow>
  readonly flagged: ReadonlyMap<string, ChatRow>
  /** Those that the staff member serves. */
  readonly own: ReadonlyMap<string, ChatRow>
  /** By `<org>.<id>`. */
  readonly online: ReadonlyMap<string, OnlineRow>
  /** Of the last event that they show. */
  readonly pos: string
  readonly users: Users
}

/** What a staff member is told on arrival. Whoever stands in it unchanged since the last time is not written again. */
export function staffInit(
  { unclaimed, flagged, own, online, pos, users }: Shown,
  bounds: OpeningBounds = BOUNDS,
): JsonText<StaffInit> {
  const staff: Item[] = []
  const visitors: Item[] = []
  for (const [person, { role }] of online) {
    const { id } = personIn(person)
    if (isStaff(role)) staff.push({ place: id, text: () => textOf(users.staff(id)) })
    else if (role === 'visitor') visitors.push({ place: id, text: () => textOf(users.visitor(id)) })
  }
  const here = { staff: peoplePage(staff, bounds.people), visitors: peoplePage(visitors, bounds.people) }
  const queue = page(byOpening(unclaimed, queuedTexts(bounds.queue)), bounds.queue)
  const served = page(
    byOpening(own, (room, chat) => JSON.stringify(ownChat(room, chat))),
    bounds.own,
  )
  return jsonText(
    `{"online_users":[${here.staff.texts.join()}],"online_users_until":${here.staff.until},` +
      `"online_visitors":[${here.visitors.texts.join()}],"online_visitors_until":${here.visitors.until},` +
      `"unclaimed_chats":[${queue.texts.join()}],"unclaimed_total":${unclaimed.size},` +
      `"unclaimed_until":${queue.until},"flagged_chats":${JSON.stringify(topFlagged(flagged))},` +
      `"own_chats":[${served.texts.join()}],"own_until":${served.until},"pos":"${pos}"}`,
  )
}

interface Item {
  readonly place: string
  text(): string
}

interface Page {
  readonly texts: readonly string[]
  /** The place of the last one, as JSON; null = these are all. */
  readonly until: string
}

/** What stands first, as much as is told at once. */
function page(items: readonly Item[], { items: most, characters }: Bounds): Page {
  const texts: string[] = []
  let left = characters
  let last: string | undefined
  for (const { place, text } of items) {
    const next = text()
    left -= next.length
    if (last !== undefined && (texts.length === most || left < 0)) return { texts, until: JSON.stringify(last) }
    texts.push(next)
    last = place
  }
  return { texts, until: 'null' }
}

/** In the order of their coming, or if those are too many, by id: nobody else's coming or going changes that order. */
function peoplePage(people: readonly Item[], bounds: Bounds): Page {
  const all = page(people, bounds)
  return all.until === 'null' ? all : page(people.toSorted(byPlace), bounds)
}

/** In the order in which the chats were opened: one that was returned to the queue has its old place there. */
const byOpening = (rows: ReadonlyMap<string, ChatRow>, textOf: (room: string, chat: ChatRow) => string): Item[] =>
  [...rows].map(([room, chat]) => ({ place: placeOf(room, chat), text: () => textOf(room, chat) })).sort(byPlace)

const byPlace = ({ place: a }: Item, { place: b }: Item): number => (a < b ? -1 : 1)

/** To be asked in the order of the queue. */
function queuedTexts({ contents, little }: QueueBounds): (room: string, chat: ChatRow) => string {
  let left = contents
  return (room, chat) => {
    const isLong = (chat.waitingWeight ?? 0) > little
    if (isLong && left <= 0) return briefText(room, chat)
    const text = queuedText(room, chat)
    if (isLong) left -= text.length
    return text
  }
}

const texts: Texts = new WeakMap()
const briefs: Texts = new WeakMap()
const textOf = (user: StaffUser | VisitorUser): string => remembered(texts, user, () => JSON.stringify(user))
/** A row is one chat's, and a new one after each of its events. */
const queuedText = (room: string, chat: ChatRow): string =>
  remembered(texts, chat, () => JSON.stringify(queuedChat(room, chat)))

const briefText = (room: string, chat: ChatRow): string =>
  remembered(briefs, chat, () => JSON.stringify(queuedChat(room, { ...chat, waiting: undefined })))

/** The most recently flagged chats, newest first. */
export function topFlagged(flagged: ReadonlyMap<string, ChatRow>): readonly FlaggedChat[] {
  return [...flagged]
    .sort(([, a], [, b]) => ((a.flaggedAt ?? '') < (b.flaggedAt ?? '') ? 1 : -1))
    .slice(0, FLAGGED_SHOWN)
    .map(([room, chat]) => flaggedChat(room, chat))
}
