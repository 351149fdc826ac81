import type { ChatEvent } from '../../../machines/chat/events.ts'
import { streamName } from '../../../machines/stream.ts'
import { type ChatRow, wholeChats } from '../../../projections/chats.ts'
import type { Notice } from '../../delivery/notice.ts'
import { noticesOf, type PastFeed, type Step as PastStep } from '../../delivery/resume.ts'
import type { Log } from '../../log/log.ts'
import { chatNotices, staffIn } from './notices.ts'
import { topFlagged } from './opening.ts'
import { usersOf } from './users.ts'
import type { SupportChatWire } from './wire.ts'

/** One recorded event of a chat with what clients were told of it. */
export type Step = Omit<PastStep<ChatRow, ChatEvent>, 'notices'> & {
  readonly notices: readonly Notice<SupportChatWire>[]
}

/**
 * The feed of chats without the other chats: their flags are not told again, so `flagged_chats` of a replayed push
 * holds at most the chat itself. Whoever comes to serve is told what was said, of which only whole chats hold the end.
 */
const pastChats: PastFeed<ChatRow, ChatEvent> = {
  projection: wholeChats,
  people: (change) => staffIn(change).map((id) => ({ org: change.after?.org ?? '', id })),
  notices(change, profiles) {
    const { key: room, after } = change
    const { staff } = usersOf(profiles, after?.org ?? '')
    const isFlagged = after !== undefined && after.severity > 0
    return chatNotices(change, { staff, flagged: () => topFlagged(isFlagged ? new Map([[room, after]]) : new Map()) })
  },
}

/** The past of one chat, from the log alone. Rejects with LogUnavailable. */
export const replayChat = (log: Log, room: string): AsyncGenerator<Step> =>
  noticesOf(log, streamName('chat', room), pastChats) as AsyncGenerator<Step> // the feed tells nothing else
