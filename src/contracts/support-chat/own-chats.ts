import type { ChatEvent } from '../../../machines/chat/events.ts'
import type { Party } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import type { Log, StreamOptions } from '../../log/log.ts'

/**
 * Whether a chat is of somebody's organisation, and a visitor's own. What is not is answered like what does not exist,
 * and as fast: an id says nothing of its organisation, so the chat's first event is looked for, and nothing more of it
 * is read. Rejects with LogUnavailable.
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
    const opened = await firstOf(log, room)
    if (opened && isOf(opened, by)) return true
    // That a chat was never there is made certain, or one that was deleted in the store would be none: another look.
    await firstOf(log, opened ? NOBODYS : room, { isCertain: true })
    return false
  } catch (error) {
    if (error instanceof StreamDamaged) return true // whoever goes on finds out whose it may have been
    throw error
  }
}

/** No chat is called so: looked for in place of one that is not the asker's, which is as certain as it can be. */
const NOBODYS = 'nobodys'

type Opened = Extract<ChatEvent, { readonly type: 'ChatOpened' }>

async function firstOf(log: Pick<Log, 'read'>, room: string, how: StreamOptions = {}): Promise<Opened | undefined> {
  for await (const [first] of log.read(streamName('chat', room), { ...how, limit: 1 }))
    return first?.event as Opened | undefined // chats begin with it
  return undefined
}

const isOf = ({ org, visitorId }: { readonly org: string; readonly visitorId: string }, { id, ...by }: Party) =>
  org === by.org && (by.role !== 'visitor' || visitorId === id)
