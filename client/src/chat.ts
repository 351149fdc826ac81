import { messageOf } from './desk.ts'
import type { Events } from './events.ts'
import { newest } from './newest.ts'

/** The chat that a visitor has open; null = none. */
export type Chat = Events['visitor_init']['chat']

/** A visitor's chat after a push; it starts with `visitor_init`. */
export function chatAfter(chat: Chat, name: string, data: Events[keyof Events]): Chat {
  if (name === 'own_chat_opened') {
    const opened = data as Events['own_chat_opened']
    return { room: opened.room, staff: null, messages: [messageOf(opened, null)] }
  }
  if (!chat || chat.room !== (data as { readonly room?: unknown }).room) return chat
  switch (name) {
    case 'own_msg':
      return { ...chat, messages: newest([...chat.messages, messageOf(data as Events['own_msg'], null)]) }
    case 'staff_send': {
      const message = data as Events['staff_send']
      return { ...chat, messages: newest([...chat.messages, messageOf(message, message.user)]) }
    }
    case 'staff_join_room':
    case 'staff_being_taken_over_chat':
      return { ...chat, staff: (data as Events['staff_join_room']).user }
    case 'staff_return_chat':
      return { ...chat, staff: null }
    case 'staff_leave':
    case 'own_chat_closed':
      return null
    default:
      return chat
  }
}
