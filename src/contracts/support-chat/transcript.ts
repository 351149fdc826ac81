import type { ChatEvent } from '../../../machines/chat/events.ts'
import type { Recorded } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import { type ChatMessage, charactersOf, messageIn, type Newest, TOLD } from '../../../projections/chat-transcript.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import { PastProfiles } from '../../delivery/past-profiles.ts'
import type { Log } from '../../log/log.ts'
import { PARTLY } from '../../log/readable.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import type { StaffUser } from '../shared/people.ts'
import { usersOf } from './users.ts'
import { type MessageObject, messageObject } from './wire.ts'

/** The end of what was said in a chat. */
export interface Transcript {
  /** The oldest of them first. */
  readonly messages: readonly MessageObject[]
  /** Who serves the chat, as they were called when they came; null in the queue. */
  readonly staff: StaffUser | null
}

export interface TranscriptOptions {
  /** How much of it; default: what whoever comes to serve is told. */
  readonly newest?: Newest
  /** Only messages before the one of this number. */
  readonly before?: number | undefined
  /** An event after all that is wanted, and how many messages there were by then; default: the row's. */
  readonly from?: Pick<ChatRow, 'seq' | 'messages'>
  /** Writers are named as whoever came to serve last was told of them; default: as they were called when they wrote. */
  readonly asClaimed?: boolean
}

/**
 * The transcript of a chat as of one of its rows, read from its end: what is not given is hardly read, however long the
 * chat is. Rejects with LogUnavailable, and with StreamDamaged when it comes upon that.
 */
export async function transcriptOf(
  log: Log,
  room: string,
  row: ChatRow,
  { newest = TOLD, before = Number.POSITIVE_INFINITY, from = row, asClaimed = false }: TranscriptOptions = {},
): Promise<Transcript> {
  const found: ChatMessage[] = []
  let characters = 0
  for await (const message of messagesBefore(log, room, from)) {
    if (message.n >= before) continue
    characters += charactersOf(message)
    if (found.length > 0 && (characters > newest.characters || found.length === newest.messages)) break
    found.push(message)
  }
  const seat = row.servedSince === null ? undefined : await recordedAt(log, streamName('chat', room), row.servedSince)
  const seatedAt = seat?.position ?? -1n
  const named = namesIn(log, row.org)
  const messages: MessageObject[] = []
  for (const message of found.reverse()) {
    const { staffId, position } = message
    const at = asClaimed && position < seatedAt ? seatedAt : position
    messages.push(messageObject(room, message, staffId === null ? null : await named(staffId, at)))
  }
  return { messages, staff: row.staffId !== null && seat ? await named(row.staffId, seat.position) : null }
}

/** Events that are read at once. */
const PORTION = 64

async function* messagesBefore(
  log: Log,
  room: string,
  { seq, messages }: Pick<ChatRow, 'seq' | 'messages'>,
): AsyncGenerator<ChatMessage> {
  let n = messages
  for (let next = seq; next >= 0; next -= PORTION)
    for await (const batch of log.read(streamName('chat', room), { from: next, backwards: true, limit: PORTION }))
      for (const recorded of batch) {
        const message = messageIn(recorded as Recorded as Recorded<ChatEvent>, n) // chats record no other events
        if (!message) continue
        n--
        yield message
      }
}

/** Staff of an organisation as they were called at a position of the log. */
function namesIn(log: Log, org: string): (id: string, position: bigint) => Promise<StaffUser> {
  const past = new PastProfiles((name) => log.read(name, PARTLY))
  return async (id, position) => {
    await past.fetch({ org, id })
    return usersOf(past.at(position), org).staff(id)
  }
}
