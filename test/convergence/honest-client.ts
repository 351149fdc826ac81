import type { FlaggedChat, QueuedChat, RoomObject, StaffInit } from '../../src/contracts/support-chat/wire.ts'

/** What a staff client holds: `staff_init` without its position. */
export type Held = Omit<StaffInit, 'pos'>

/** One push as it came. */
export interface Push {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: a client reads what it was promised
  readonly data: any
}

/**
 * The smallest honest client: it starts with `staff_init`, applies each push as its documentation says, and remembers
 * which it has applied (a name and the event's `id`), so that a push that comes twice changes nothing.
 */
export function honestClient(init: StaffInit) {
  let held = withoutPosition(init)
  const applied = new Set<string>()
  return {
    apply({ name, data }: Push): void {
      const key = `${name} ${data.id}`
      if (applied.has(key)) return
      applied.add(key)
      held = after(held, name, data)
    },
    held: (): Held => held,
  }
}

export const withoutPosition = ({ pos: _, ...held }: StaffInit): Held => held

function after(held: Held, name: string, data: Push['data']): Held {
  const { online_users, online_visitors, unclaimed_chats, own_chats: own } = held
  switch (name) {
    case 'staff_goes_online':
      return { ...held, online_users: put(online_users, data.user) }
    case 'staff_goes_offline':
      return { ...held, online_users: online_users.filter(({ id }) => id !== data.user.id) }
    case 'visitor_goes_online':
      return { ...held, online_visitors: put(online_visitors, data.user) }
    case 'visitor_goes_offline':
      return { ...held, online_visitors: online_visitors.filter(({ id }) => id !== data.user.id) }
    case 'append_unclaimed_chats':
      return { ...held, unclaimed_chats: queued(unclaimed_chats, data) }
    case 'visitor_unclaimed_msg':
      return {
        ...held,
        unclaimed_chats: inRoom(unclaimed_chats, data.room, (chat) => ({
          ...chat,
          contents: [...chat.contents, data.content],
        })),
      }
    case 'own_chat_claimed': {
      const { user, room, state, unread, unread_since } = data
      const own_chats = inOrder([...without(own, room.id), { user, room, state, unread, unread_since }])
      return { ...held, own_chats, unclaimed_chats: unclaimed_chats.filter((chat) => chat.room.id !== room.id) }
    }
    case 'visitor_send':
      return {
        ...held,
        own_chats: inRoom(own, data.room, (chat) => ({
          ...chat,
          unread: chat.unread + 1,
          unread_since: chat.unread_since ?? data.at,
        })),
      }
    case 'own_msg':
      return { ...held, own_chats: inRoom(own, data.room, (chat) => ({ ...chat, unread: 0, unread_since: null })) }
    case 'own_chat_closed':
    case 'own_chat_returned':
    case 'visitor_leave':
    case 'staff_being_taken_over_chat':
      return { ...held, own_chats: without(own, data.room) }
    case 'staff_claim_chat':
      return { ...held, unclaimed_chats: unclaimed_chats.filter(({ room }) => room.id !== data.room.id) }
    case 'visitor_leave_queue':
      return { ...held, unclaimed_chats: unclaimed_chats.filter(({ room }) => room.id !== data.room) }
    case 'chat_has_changed_priority':
    case 'chat_has_changed_priority_for_supervisor': {
      const room: RoomObject = data.room
      const flagged_chats: readonly FlaggedChat[] = data.flagged_chats
      return {
        ...held,
        flagged_chats,
        own_chats: inRoom(own, room.id, (chat) => ({ ...chat, room })),
        unclaimed_chats: inRoom(unclaimed_chats, room.id, (chat) => ({ ...chat, room })),
      }
    }
    default:
      return held // nothing of what staff_init tells
  }
}

/** In its old place when it is there already: online again is also how a new name is told. */
function put<T extends { readonly id: string }>(list: readonly T[], one: T): readonly T[] {
  return list.some(({ id }) => id === one.id) ? list.map((old) => (old.id === one.id ? one : old)) : [...list, one]
}

/** A chat that was returned has its old place. */
const queued = (chats: readonly QueuedChat[], { user, room, contents }: QueuedChat): readonly QueuedChat[] =>
  inOrder([...without(chats, room.id), { user, room, contents }])

interface InRoom {
  readonly room: RoomObject
}

const inOrder = <Chat extends InRoom>(chats: readonly Chat[]): readonly Chat[] =>
  [...chats].sort(({ room: a }, { room: b }) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))

const without = <Chat extends InRoom>(chats: readonly Chat[], id: string): readonly Chat[] =>
  chats.filter(({ room }) => room.id !== id)

const inRoom = <Chat extends InRoom>(
  chats: readonly Chat[],
  id: string,
  change: (chat: Chat) => Chat,
): readonly Chat[] => chats.map((chat) => (chat.room.id === id ? change(chat) : chat))
