import type { ChatEvent } from '../../../machines/chat/events.ts'
import { isStaff, type Recorded, type Role } from '../../../machines/kernel.ts'
import { ANONYMOUS } from '../../../machines/presence/anonymous.ts'
import { CHAT_STREAM } from '../../../projections/chats.ts'
import { PRESENCE_STREAM } from '../../../projections/online.ts'
import { PERSON_STREAM } from '../../../projections/people.ts'
import type { JsonText } from '../../delivery/json-text.ts'
import type { Notice } from '../../delivery/notice.ts'
import type { ProfileCache } from '../../delivery/profile-cache.ts'
import { type PresenceWire, teacherLogin } from '../presence/inbound.ts'
import { type PersonFacts, type StaffUser, staffUser, type VisitorUser, visitorUser } from '../shared/people.ts'
import type { Desk } from './desk.ts'
import { chatNotices, presenceNotices, renamedNotices, type Somebody } from './notices.ts'
import { type Shown, staffInit, staffInitText, topFlagged } from './opening.ts'
import type { StaffInit, SupportChatWire } from './wire.ts'

/** A notice of any contract. */
export type Announced = Notice<SupportChatWire> | Notice<PresenceWire>

/** The people whom the notices about an event name, as ids within `org`. */
export function namedBy(desk: Desk, recorded: Recorded): { readonly org: string; readonly ids: readonly string[] } {
  const { stream } = recorded
  if (stream.startsWith(PRESENCE_STREAM)) {
    const [org = '', id = ''] = stream.slice(PRESENCE_STREAM.length).split('.')
    return { org, ids: org === ANONYMOUS ? [] : [id] }
  }
  if (!stream.startsWith(CHAT_STREAM)) return { org: '', ids: [] }
  const chat = desk.chats.get(stream.slice(CHAT_STREAM.length))
  const event = recorded.event as ChatEvent
  if (!chat) return { org: '', ids: [] }
  if ('staffId' in event) return { org: chat.org, ids: [event.staffId] }
  return { org: chat.org, ids: event.type === 'ChatClosed' && chat.staffId !== null ? [chat.staffId] : [] }
}

/**
 * Moves the desk by one event and says what is to be told to whom. The directory holds everybody whom `namedBy` names.
 */
export function announce(desk: Desk, profiles: ProfileCache, recorded: Recorded): readonly Announced[] {
  const { stream } = recorded
  if (stream.startsWith(CHAT_STREAM))
    return announceChat(desk, profiles, stream.slice(CHAT_STREAM.length), recorded as Recorded<ChatEvent>)
  if (stream.startsWith(PRESENCE_STREAM)) {
    const [org = '', id = ''] = stream.slice(PRESENCE_STREAM.length).split('.')
    return announcePresence(desk, profiles, org, id, recorded)
  }
  if (stream.startsWith(PERSON_STREAM)) {
    const [org = '', id = ''] = stream.slice(PERSON_STREAM.length).split('.')
    const { before, after } = profiles.hear(recorded)
    const row = desk.presence(org, id)
    const who = row && after && before !== after ? somebody(profiles, org, id, row.role) : undefined
    return who ? renamedNotices(org, recorded, who) : []
  }
  return []
}

function announceChat(
  desk: Desk,
  profiles: ProfileCache,
  room: string,
  recorded: Recorded<ChatEvent>,
): readonly Notice<SupportChatWire>[] {
  const { before, after } = desk.moveChat(room, recorded)
  if (!after || before === after) return []
  return chatNotices({
    room,
    recorded,
    before,
    after,
    staff: staffOf(profiles, after.org),
    flagged: () => topFlagged(desk.office(after.org).flagged),
  })
}

function announcePresence(
  desk: Desk,
  profiles: ProfileCache,
  org: string,
  id: string,
  recorded: Recorded,
): readonly Announced[] {
  const { before, after } = desk.movePresence(org, id, recorded)
  const role = (after ?? before)?.role
  const who = role === undefined || before === after ? undefined : somebody(profiles, org, id, role)
  const notices: Announced[] = who ? [...presenceNotices({ org, id, recorded, before, after, who })] : []
  if (role === 'teacher' && after && !before)
    notices.push(teacherLogin(org, id, recorded, profiles.get(org, id)?.profile ?? {}))
  if (!after && !isStaff(role ?? 'visitor')) profiles.forget(org, id)
  return notices
}

/** What a staff member of this organisation is told on arrival. */
export function openingOf(desk: Desk, profiles: ProfileCache, org: string, position: bigint): StaffInit {
  return staffInit(shownOf(desk, profiles, org, position))
}

/** The same as JSON. */
export function openingTextOf(desk: Desk, profiles: ProfileCache, org: string, position: bigint): JsonText<StaffInit> {
  return staffInitText(shownOf(desk, profiles, org, position))
}

function shownOf(desk: Desk, profiles: ProfileCache, org: string, position: bigint): Shown {
  return { ...desk.office(org), position, staff: staffOf(profiles, org), visitor: visitorOf(profiles, org) }
}

function somebody(profiles: ProfileCache, org: string, id: string, role: Role): Somebody | undefined {
  if (isStaff(role)) return { kind: 'staff', user: staffOf(profiles, org)(id) }
  return role === 'visitor' ? { kind: 'visitor', user: visitorOf(profiles, org)(id) } : undefined
}

const staffOf =
  (profiles: ProfileCache, org: string) =>
  (id: string): StaffUser => {
    const row = profiles.get(org, id)
    return row ? objectOf(staffUsers, row, () => staffUser(org, id, row)) : staffUser(org, id, stranger('agent'))
  }
const visitorOf =
  (profiles: ProfileCache, org: string) =>
  (id: string): VisitorUser => {
    const row = profiles.get(org, id)
    return row ? objectOf(visitorUsers, row, () => visitorUser(id, row)) : visitorUser(id, stranger('visitor'))
  }

// A row is one person's for ever, and a new one when anything changes: so are the objects that stand for it on the
// wire.
const staffUsers = new WeakMap<PersonFacts, StaffUser>()
const visitorUsers = new WeakMap<PersonFacts, VisitorUser>()

function objectOf<U>(known: WeakMap<PersonFacts, U>, row: PersonFacts, make: () => U): U {
  let object = known.get(row)
  if (object === undefined) {
    object = make()
    known.set(row, object)
  }
  return object
}

/**
 * Stands for a person of whom nothing is recorded: only histories that were written by other programs have such people.
 */
const stranger = (role: Role): PersonFacts => ({ role, profile: {}, createdAt: 0, updatedAt: null, disabled: false })
