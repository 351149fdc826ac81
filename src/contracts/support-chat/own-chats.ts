import type { ChatEvent } from '../../../machines/chat/events.ts'
import type { Party } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import type { Log } from '../../log/log.ts'

/**
 * Whether a chat is of somebody's organisation, and a visitor's own. What is not is answered like what does not exist,
 * and as fast: an id says nothing of its organisation, so the chat's first event is looked for, and nothing more is
 * read. Rejects with LogUnavailable.
 */
export type IsOurs = (room: string, by: Party) => true | Promise<boolean>

/** Memory is believed about chats of the asker only: about others it would answer faster than the log. */
export const ownChats =
  ({ log, chats }: { readonly log: Pick<Log, 'read'>; readonly chats: Pick<LiveModel<ChatRow>, 'get'> }): IsOurs =>
  (room, by) => {
    const row = chats.get(room)
    return row && isOf(row, by) ? true : firstIsOurs(log, room, by)
  }

async function firstIsOurs(log: Pick<Log, 'read'>, room: string, by: Party): Promise<boolean> {
  try {
    for await (const [first] of log.read(streamName('chat', room), { limit: 1 })) {
      const opened = first?.event as Extract<ChatEvent, { readonly type: 'ChatOpened' }> // chats begin with it
      return isOf(opened, by)
    }
    return false
  } catch (error) {
    if (error instanceof StreamDamaged) return true // whoever goes on finds out whose it may have been
    throw error
  }
}

const isOf = ({ org, visitorId }: { readonly org: string; readonly visitorId: string }, { id, ...by }: Party) =>
  org === by.org && (by.role !== 'visitor' || visitorId === id)
