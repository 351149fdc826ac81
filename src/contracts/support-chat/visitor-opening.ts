import type { Newest } from '../../../projections/chat-transcript.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Node, Opening } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import { orDamage } from '../../runtime/damaged-entities.ts'
import { openChatsOf } from './chats-model.ts'
import { transcriptOf } from './transcript.ts'
import { usersOf } from './users.ts'
import type { VisitorInit } from './wire.ts'

/** As much of a transcript as a visitor is told at once. The client has the same bound (`client/src/newest.ts`). */
const NEWEST: Newest = { messages: 1_000, characters: 256 * 1024 }

/**
 * Makes `visitor_init` ready: the chat that the visitor has open, as this node has pushed it, with what was said.
 * Rejects with LogUnavailable.
 */
export function visitorOpening(
  { party: { org, id }, emit }: Connection,
  chats: LiveModel<ChatRow>,
  { log, entities, profiles, follower }: Pick<Node, 'log' | 'entities' | 'profiles' | 'follower'>,
): Opening | Promise<Opening> {
  const openChat = (): readonly [string, ChatRow] | undefined => [...chats.list(openChatsOf(org, id))][0]
  const tell = (chat: VisitorInit['chat']): true => {
    emit('visitor_init', { user: usersOf(profiles, org).visitor(id), chat, pos: follower.pos() } satisfies VisitorInit)
    return true
  }
  const open = openChat()
  if (!open) return () => openChat() === undefined && tell(null)
  const [room, row] = open
  const read = async () => {
    await entities.state('chat', room) // tells of damage, which reading the end of it may not come upon
    return transcriptOf(log, room, row, { newest: NEWEST })
  }
  return orDamage(read()).then((then) => () => {
    if (then instanceof StreamDamaged) return tell(null) // they cannot write to it: they may open another one
    const now = openChat()
    if (now?.[0] !== room || now[1].seq !== row.seq) return false
    return tell({ room, ...then })
  })
}
