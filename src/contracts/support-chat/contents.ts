import type { Connection } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import { eventRef } from '../../delivery/notice.ts'
import { chatAt } from './past.ts'
import { usersOf } from './users.ts'
import { ownChat, type SupportChatWire } from './wire.ts'

/**
 * Whoever claims a chat that they serve already is told again what is in it, all of it: a reloaded page has nothing.
 * Rejects with LogUnavailable.
 */
export async function tellContents(
  room: string,
  { party: { org, id }, emit }: Connection,
  { log, profiles }: Pick<Node, 'log' | 'profiles'>,
): Promise<void> {
  const chat = await chatAt(log, room)
  if (!chat || chat.row.staffId !== id) return // handed on meanwhile
  const staff = usersOf(profiles, org).staff(id)
  const about: SupportChatWire['own_chat_claimed'] = {
    ...eventRef(chat.last),
    ...ownChat(room, chat.row),
    staff,
    contents: chat.messages,
  }
  emit('own_chat_claimed', about)
}
