import type { MessageObject, VisitorInit } from '../../src/contracts/support-chat/wire.ts'
import type { Push } from './honest-client.ts'

/** What a visitor's client holds: `visitor_init` without what no push changes. */
export type VisitorHeld = VisitorInit['chat']

/** The smallest honest client of a visitor; a push that comes twice changes nothing. */
export function honestVisitor(init: VisitorInit) {
  let held = init.chat
  const applied = new Set<string>()
  return {
    apply({ name, data }: Push): void {
      const key = `${name} ${data.id}`
      if (applied.has(key)) return
      applied.add(key)
      held = after(held, name, data)
    },
    held: (): VisitorHeld => held,
  }
}

function after(held: VisitorHeld, name: string, data: Push['data']): VisitorHeld {
  if (name === 'own_chat_opened') return { room: data.room, staff: null, messages: [messageOf(data, null)] }
  if (!held || held.room !== data.room) return held
  switch (name) {
    case 'own_msg':
      return { ...held, messages: [...held.messages, messageOf(data, null)] }
    case 'staff_send':
      return { ...held, messages: [...held.messages, messageOf(data, data.user)] }
    case 'staff_join_room':
    case 'staff_being_taken_over_chat':
      return { ...held, staff: data.user }
    case 'staff_return_chat':
      return { ...held, staff: null }
    case 'staff_leave':
    case 'own_chat_closed':
      return null
    default:
      return held
  }
}

const messageOf = (data: Push['data'], sender: MessageObject['sender']): MessageObject => ({
  id: data.id,
  chat_id: data.room,
  sender,
  content: data.content,
  type_id: 1,
  sequence_num: data.sequence_num,
  created_at: Math.floor(data.at / 1000),
  updated_at: null,
})
