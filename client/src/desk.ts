import type { Events, FlaggedChat, MessageObject, OwnChat, QueuedChat, RoomObject } from './events.ts'
import { newestQueued } from './newest.ts'

/** What a staff client holds: `staff_init` without its position. */
export type Desk = Omit<Events['staff_init'], 'pos'>

export const deskOf = ({ pos: _, ...desk }: Events['staff_init']): Desk => desk

/** The messages of the chats that somebody serves, by room, as far as they have been told. */
export type OwnMessages = Readonly<Record<string, readonly MessageObject[]>>

/**
 * The desk after a push. It starts with `staff_init`, and is what a fresh `staff_init` would say after each push. A
 * push that comes twice is not to be applied twice: see `already.ts`.
 */
export function deskAfter(desk: Desk, name: string, data: Events[keyof Events]): Desk {
  const { online_users, online_visitors, unclaimed_chats, own_chats: own } = desk
  switch (name) {
    case 'staff_goes_online': {
      const { user } = data as Events['staff_goes_online']
      return isWithin(user.id, desk.online_users_until) ? { ...desk, online_users: put(online_users, user) } : desk
    }
    case 'staff_goes_offline':
      return { ...desk, online_users: withoutPerson(online_users, (data as Events['staff_goes_offline']).user.id) }
    case 'visitor_goes_online': {
      const { user } = data as Events['visitor_goes_online']
      return isWithin(user.id, desk.online_visitors_until)
        ? { ...desk, online_visitors: put(online_visitors, user) }
        : desk
    }
    case 'visitor_goes_offline':
      return {
        ...desk,
        online_visitors: withoutPerson(online_visitors, (data as Events['visitor_goes_offline']).user.id),
      }
    case 'append_unclaimed_chats':
      return waitsToo(desk, data as Events['append_unclaimed_chats'])
    case 'visitor_unclaimed_msg': {
      const { room, content } = data as Events['visitor_unclaimed_msg']
      const longer = (chat: QueuedChat): QueuedChat => ({
        ...chat,
        contents: newestQueued([...chat.contents, content]),
        contents_total: chat.contents_total + 1,
      })
      return { ...desk, unclaimed_chats: inRoom(unclaimed_chats, room, longer) }
    }
    case 'own_chat_claimed': {
      const { user, room, state, unread, unread_since, from_queue } = data as Events['own_chat_claimed']
      const others = without(own, room.id)
      const own_chats = isWithin(placeOf(room), desk.own_until)
        ? inOrder<OwnChat>([...others, { user, room, state, unread, unread_since }])
        : others
      return { ...(from_queue ? taken(desk, room.id) : desk), own_chats }
    }
    case 'visitor_send': {
      const { room, at } = data as Events['visitor_send']
      const unread = (chat: OwnChat): OwnChat => ({
        ...chat,
        unread: chat.unread + 1,
        unread_since: chat.unread_since ?? at,
      })
      return { ...desk, own_chats: inRoom(own, room, unread) }
    }
    case 'own_msg': {
      const read = (chat: OwnChat): OwnChat => ({ ...chat, unread: 0, unread_since: null })
      return { ...desk, own_chats: inRoom(own, (data as Events['own_msg']).room, read) }
    }
    case 'own_chat_closed':
    case 'own_chat_returned':
    case 'visitor_leave':
    case 'staff_being_taken_over_chat':
      return { ...desk, own_chats: without(own, (data as Events['visitor_leave']).room) }
    case 'staff_claim_chat':
      return taken(desk, (data as Events['staff_claim_chat']).room.id)
    case 'visitor_leave_queue':
      return taken(desk, (data as Events['visitor_leave_queue']).room)
    case 'chat_has_changed_priority':
    case 'chat_has_changed_priority_for_supervisor': {
      const { room, flagged_chats } = data as Events['chat_has_changed_priority']
      const changed = <Chat extends InRoom>(chat: Chat): Chat => ({ ...chat, room })
      return {
        ...desk,
        flagged_chats: flagged_chats as readonly FlaggedChat[],
        own_chats: inRoom(own, room.id, changed),
        unclaimed_chats: inRoom(unclaimed_chats, room.id, changed),
      }
    }
    default:
      return desk // nothing of what staff_init tells
  }
}

/** What is said in the chats that somebody serves. */
export function ownMessagesAfter(own: OwnMessages, name: string, data: Events[keyof Events]): OwnMessages {
  switch (name) {
    case 'own_chat_claimed': {
      const { room, contents } = data as Events['own_chat_claimed']
      return { ...own, [room.id]: contents }
    }
    case 'visitor_send':
      return said(own, data as Events['visitor_send'], null)
    case 'own_msg': {
      const message = data as Events['own_msg']
      return 'organisation_id' in message.user ? said(own, message, message.user) : own
    }
    case 'own_chat_closed':
    case 'own_chat_returned':
    case 'visitor_leave':
    case 'staff_being_taken_over_chat': {
      const { [(data as Events['visitor_leave']).room]: _, ...rest } = own
      return rest
    }
    default:
      return own
  }
}

function said(own: OwnMessages, data: Events['visitor_send'] | Events['own_msg'], sender: MessageObject['sender']) {
  const known = own[data.room]
  const isNew = known !== undefined && (known.at(-1)?.sequence_num ?? 0) < data.sequence_num
  return isNew ? { ...own, [data.room]: [...known, messageOf(data, sender)] } : own
}

/** The message object of a push. */
export const messageOf = (
  { id, room: chat_id, content, sequence_num, at }: Events['visitor_send'] | Events['own_msg'] | Events['staff_send'],
  sender: MessageObject['sender'],
): MessageObject => ({
  id,
  chat_id,
  sender,
  content,
  type_id: 1,
  sequence_num,
  created_at: Math.floor(at / 1000),
  updated_at: null,
})

interface InRoom {
  readonly room: RoomObject
}

/** In its old place when it is there already: online again is also how a new name is told. */
function put<T extends { readonly id: string }>(list: readonly T[], one: T): readonly T[] {
  return list.some(({ id }) => id === one.id) ? list.map((old) => (old.id === one.id ? one : old)) : [...list, one]
}

const withoutPerson = <T extends { readonly id: string }>(list: readonly T[], id: string): readonly T[] =>
  list.filter((one) => one.id !== id)

/** One more chat waits. One that was returned has its old place. */
function waitsToo(desk: Desk, { user, room, contents, contents_total }: QueuedChat): Desk {
  const unclaimed_total = desk.unclaimed_total + 1
  if (!isWithin(placeOf(room), desk.unclaimed_until)) return { ...desk, unclaimed_total }
  const others = without(desk.unclaimed_chats, room.id)
  return {
    ...desk,
    unclaimed_total,
    unclaimed_chats: inOrder([...others, { user, room, contents, contents_total }]),
  }
}

/** A chat waits no more. */
const taken = (desk: Desk, room: string): Desk => ({
  ...desk,
  unclaimed_total: desk.unclaimed_total - 1,
  unclaimed_chats: without(desk.unclaimed_chats, room),
})

/** Whether something belongs to the part of a list that was told. */
const isWithin = (place: string, until: string | null): boolean => until === null || place <= until

/** Where a chat stands in lists that go by the time of opening. */
const placeOf = ({ created_at, id }: RoomObject): string => `${String(created_at).padStart(14, '0')}/${id}`

const inOrder = <Chat extends InRoom>(chats: readonly Chat[]): readonly Chat[] =>
  [...chats].sort(({ room: a }, { room: b }) => (placeOf(a) < placeOf(b) ? -1 : 1))

const without = <Chat extends InRoom>(chats: readonly Chat[], id: string): readonly Chat[] =>
  chats.filter(({ room }) => room.id !== id)

const inRoom = <Chat extends InRoom>(chats: readonly Chat[], id: string, change: (chat: Chat) => Chat) =>
  chats.map((chat) => (chat.room.id === id ? change(chat) : chat))
