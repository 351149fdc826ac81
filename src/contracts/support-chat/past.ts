import type { ChatEvent } from '../../../machines/chat/events.ts'
import { streamName } from '../../../machines/stream.ts'
import { type ChatRow, wholeChats } from '../../../projections/chats.ts'
import type { Notice } from '../../delivery/notice.ts'
import { noticesOf, type PastFeed, type Step as PastStep } from '../../delivery/resume.ts'
import type { Log } from '../../log/log.ts'
import type { StaffUser } from '../shared/people.ts'
import { chatNotices, staffIn } from './notices.ts'
import { topFlagged } from './opening.ts'
import { usersOf } from './users.ts'
import { type MessageObject, messageObject, type SupportChatWire } from './wire.ts'

/** One recorded event of a chat with what clients were told of it. */
export type Step = Omit<PastStep<ChatRow, ChatEvent>, 'notices'> & {
  readonly notices: readonly Notice<SupportChatWire>[]
}

/** A chat exactly as it was after the event `seq`. */
export interface ChatAt {
  readonly seq: number
  readonly row: ChatRow
  readonly messages: readonly MessageObject[]
  /** Who serves it, as they were called when they came; null in the queue. */
  readonly staff: StaffUser | null
  readonly last: Step['recorded']
}

/**
 * The feed of chats without the other chats: their flags are not told again, so `flagged_chats` of a replayed push
 * holds at most the chat itself. Whoever comes to serve is told what was said, which only whole chats hold.
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

export interface ChatAtOptions {
  /** After which of its events; default: the last one. */
  readonly seq?: number | undefined
  /** With the messages as whoever claimed it last was told them; default: each one as it was pushed. */
  readonly asClaimed?: boolean
}

/**
 * The chat after one of its events; undefined when there is no such chat or no such event.
 * Rejects with StreamDamaged when one of its events up to there cannot be had.
 */
export async function chatAt(
  log: Log,
  room: string,
  { seq = Number.MAX_SAFE_INTEGER, asClaimed = false }: ChatAtOptions = {},
): Promise<ChatAt | undefined> {
  const messages: MessageObject[] = []
  let last: Step | undefined
  let staff: StaffUser | null = null
  for await (const step of replayChat(log, room)) {
    if (step.recorded.revision > seq) break
    last = step
    staff = step.after.staffId === null ? null : (seatedIn(step) ?? staff)
    const message = messageOf(room, step)
    if (message) messages.push(message)
    const told = asClaimed ? claimedContents(step) : []
    messages.splice(messages.length - told.length, told.length, ...told)
    if (step.recorded.revision === seq) break // what comes later may be damaged
  }
  if (!last || (seq !== Number.MAX_SAFE_INTEGER && last.recorded.revision !== seq)) return undefined
  return { seq: last.recorded.revision, row: last.after, messages, staff, last: last.recorded }
}

function seatedIn({ notices }: Step): StaffUser | undefined {
  for (const { name, data } of notices)
    if (name === 'staff_join_room' || name === 'staff_being_taken_over_chat') return data.user
  return undefined
}

/** The newest messages as whoever claims the chat is told them. */
function claimedContents({ notices }: Step): readonly MessageObject[] {
  for (const { name, data } of notices) if (name === 'own_chat_claimed') return data.contents
  return []
}

function messageOf(room: string, { recorded, after, notices }: Step): MessageObject | undefined {
  const { event, id, revision: seq, at } = recorded
  if (event.type !== 'ChatOpened' && event.type !== 'VisitorWrote' && event.type !== 'StaffWrote') return undefined
  const told = notices.find(({ name }) => name === 'staff_send')
  const sender = told?.name === 'staff_send' ? told.data.user : null
  return messageObject(room, { id, seq, at, n: after.messages, content: event.content }, sender)
}
