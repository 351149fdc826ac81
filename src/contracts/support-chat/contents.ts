import { streamName } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { eventRef } from '../../delivery/notice.ts'
import { keyedQueue } from '../../keyed-queue.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import { transcriptOf } from './transcript.ts'
import { usersOf } from './users.ts'
import { ownChat, type SupportChatWire } from './wire.ts'

export interface ContentsParts extends Pick<Node, 'log' | 'profiles'> {
  readonly chats: LiveModel<ChatRow>
}

/** A chat in which so much happens between reading and telling is told by its pushes. */
const MAX_ROUNDS = 10

/** Tells somebody again what is in a chat that they serve. Rejects with LogUnavailable. */
export type TellContents = (room: string, to: Connection) => Promise<void>

/**
 * Whoever claims a chat that they serve already is told again what is in it: a reloaded page has nothing. A page asks
 * for it once; whoever asks again and again is told one after another, and as fast as they read.
 */
export function contentsAgain(parts: ContentsParts): TellContents {
  const perConnection = keyedQueue()
  return (room, to) =>
    perConnection.run(to.id, async () => {
      await to.drained()
      if (to.isOpen()) await tellContents(room, to, parts)
    })
}

/** It is what this node has pushed by then, so that it fits the pushes before and after it. */
async function tellContents(
  room: string,
  { party: { org, id }, emit }: Connection,
  { log, profiles, chats }: ContentsParts,
): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const row = chats.get(room)
    if (row?.staffId !== id) return // handed on meanwhile, or told by a push that is under way
    const { messages } = await transcriptOf(log, room, row, { asClaimed: true })
    const last = await recordedAt(log, streamName('chat', room), row.seq)
    if (!last || chats.get(room)?.seq !== row.seq) continue
    const staff = usersOf(profiles, org).staff(id)
    const about: SupportChatWire['own_chat_claimed'] = {
      ...eventRef(last),
      ...ownChat(room, row),
      staff,
      from_queue: false,
      contents: messages,
      contents_total: row.messages,
    }
    return emit('own_chat_claimed', about)
  }
}
