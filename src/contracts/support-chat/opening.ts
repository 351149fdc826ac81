import { isStaff } from '../../../machines/kernel.ts'
import { personIn } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import { type JsonText, jsonText, remembered, type Texts } from '../../delivery/json-text.ts'
import type { StaffUser, VisitorUser } from '../shared/people.ts'
import type { Users } from './users.ts'
import { type FlaggedChat, flaggedChat, ownChat, queuedChat, type StaffInit } from './wire.ts'

const FLAGGED_SHOWN = 15

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
export function staffInit({ unclaimed, flagged, own, online, pos, users }: Shown): JsonText<StaffInit> {
  const staff: string[] = []
  const visitors: string[] = []
  for (const [person, { role }] of online) {
    const { id } = personIn(person)
    if (isStaff(role)) staff.push(textOf(users.staff(id)))
    else if (role === 'visitor') visitors.push(textOf(users.visitor(id)))
  }
  const queued: string[] = []
  for (const [room, chat] of byOpening(unclaimed)) queued.push(queuedText(room, chat))
  const served = byOpening(own).map(([room, chat]) => ownChat(room, chat))
  return jsonText(
    `{"online_users":[${staff.join()}],"online_visitors":[${visitors.join()}],"unclaimed_chats":[${queued.join()}],` +
      `"flagged_chats":${JSON.stringify(topFlagged(flagged))},` +
      `"own_chats":${JSON.stringify(served)},"pos":"${pos}"}`,
  )
}

/** In the order in which the chats were opened: one that was returned to the queue has its old place there. */
const byOpening = (rows: ReadonlyMap<string, ChatRow>): readonly (readonly [string, ChatRow])[] =>
  [...rows].sort(([a, one], [b, other]) => one.openedAt - other.openedAt || (a < b ? -1 : 1))

const texts: Texts = new WeakMap()
const textOf = (user: StaffUser | VisitorUser): string => remembered(texts, user, () => JSON.stringify(user))
/** A row is one chat's, and a new one after each of its events. */
const queuedText = (room: string, chat: ChatRow): string =>
  remembered(texts, chat, () => JSON.stringify(queuedChat(room, chat)))

/** The most recently flagged chats, newest first. */
export function topFlagged(flagged: ReadonlyMap<string, ChatRow>): readonly FlaggedChat[] {
  return [...flagged]
    .sort(([, a], [, b]) => ((a.flaggedAt ?? '') < (b.flaggedAt ?? '') ? 1 : -1))
    .slice(0, FLAGGED_SHOWN)
    .map(([room, chat]) => flaggedChat(room, chat))
}
