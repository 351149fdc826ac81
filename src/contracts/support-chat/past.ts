import type { ChatEvent } from '../../../machines/chat/events.ts'
import type { Recorded } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import {
  type ChatMessage,
  messageIn,
  type Newest,
  newestSaid,
  type Said,
  saidAfter,
  TOLD,
} from '../../../projections/chat-transcript.ts'
import { type ChatRow, chats, wholeChats } from '../../../projections/chats.ts'
import type { Notice } from '../../delivery/notice.ts'
import { PastProfiles } from '../../delivery/past-profiles.ts'
import { noticesOf, type PastFeed, type Step as PastStep } from '../../delivery/resume.ts'
import type { Log } from '../../log/log.ts'
import { inPortions } from '../../log/portions.ts'
import { PARTLY } from '../../log/readable.ts'
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
  /** The newest ones, the oldest of them first. */
  readonly messages: readonly MessageObject[]
  /** Who serves it, as they were called when they came; null in the queue. */
  readonly staff: StaffUser | null
  readonly last: Recorded<ChatEvent>
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

export interface ChatAtOptions {
  /** After which of its events; default: the last one. */
  readonly seq?: number | undefined
  /** Only messages before the one of this number. */
  readonly before?: number | undefined
  /** How much of the transcript; default: what whoever comes to serve is told. */
  readonly newest?: Newest
  /** Writers are named as whoever came to serve last was told of them; default: as they were called when they wrote. */
  readonly asClaimed?: boolean
}

/**
 * The chat after one of its events; undefined when there is no such chat or no such event. However long it is, no more
 * of it is in memory than is given.
 * Rejects with StreamDamaged when one of its events up to there cannot be had.
 */
export async function chatAt(
  log: Log,
  room: string,
  { seq, before = Number.POSITIVE_INFINITY, newest = TOLD, asClaimed = false }: ChatAtOptions = {},
): Promise<ChatAt | undefined> {
  let found: Found | undefined
  let said: Said | undefined
  let seat: Recorded<Seated> | undefined
  const limit = seq === undefined ? {} : { limit: seq + 1 } // what comes later may be damaged
  for await (const portion of inPortions(log, streamName('chat', room), { isCertain: true, ...limit }))
    for (const recorded of portion) {
      const last = recorded as Recorded as Recorded<ChatEvent> // chats record no other events
      found = { last, row: chats.fold(found?.row, last) as ChatRow } // chats are never removed
      if (isSeated(last)) seat = last
      const message = messageIn(last, found.row.messages)
      if (message && message.n < before) said = saidAfter(said, message, newest)
    }
  if (!found || (seq !== undefined && found.last.revision !== seq)) return undefined
  const { last, row } = found
  const named = namesIn(log, row.org)
  const seatedAt = seat?.position ?? -1n
  const at = ({ position }: ChatMessage) => (asClaimed && position < seatedAt ? seatedAt : position)
  const messages: MessageObject[] = []
  for (const message of newestSaid(said, newest)) {
    const sender = message.staffId === null ? null : await named(message.staffId, at(message))
    messages.push(messageObject(room, message, sender))
  }
  const staff = row.staffId !== null && seat ? await named(seat.event.staffId, seat.position) : null
  return { seq: last.revision, row, messages, staff, last }
}

interface Found {
  readonly last: Recorded<ChatEvent>
  readonly row: ChatRow
}

type Seated = Extract<
  ChatEvent,
  { readonly type: 'ChatClaimed' | 'ChatTakenOver' | 'ChatTransferred' | 'ChatAssigned' }
>

const SEATED: ReadonlySet<string> = new Set<Seated['type']>([
  'ChatClaimed',
  'ChatTakenOver',
  'ChatTransferred',
  'ChatAssigned',
])

const isSeated = (recorded: Recorded<ChatEvent>): recorded is Recorded<Seated> => SEATED.has(recorded.event.type)

/** Staff of an organisation as they were called at a position of the log. */
function namesIn(log: Log, org: string): (id: string, position: bigint) => Promise<StaffUser> {
  const past = new PastProfiles((name) => log.read(name, PARTLY))
  return async (id, position) => {
    await past.fetch({ org, id })
    return usersOf(past.at(position), org).staff(id)
  }
}
