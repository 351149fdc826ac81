import type { ChatEvent } from '../../../machines/chat/events.ts'
import { type PersonRef, personName, streamName } from '../../../machines/stream.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import { type PersonRow, people } from '../../../projections/people.ts'
import type { Profiles } from '../../delivery/feed.ts'
import type { Notice } from '../../delivery/notice.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { chatNotices, staffIn } from './notices.ts'
import { topFlagged } from './opening.ts'
import { usersOf } from './users.ts'
import { type MessageObject, messageObject, type SupportChatWire } from './wire.ts'

/** One recorded event of a chat with what clients were told of it. */
export interface Step {
  readonly recorded: Recorded<ChatEvent>
  readonly after: ChatRow
  readonly notices: readonly Notice<SupportChatWire>[]
}

/** A chat exactly as it was after the event `seq`. */
export interface ChatAt {
  readonly seq: number
  readonly row: ChatRow
  readonly messages: readonly MessageObject[]
}

/**
 * The past of one chat, from the log alone and by the same folds and notices as live. People are named as they were called
 * at that moment of the log. One thing is not told again: other chats' flags, so `flagged_chats` of a replayed push holds
 * at most this chat.
 */
export async function* replayChat(log: Log, room: string): AsyncGenerator<Step> {
  const past = new PastProfiles(log)
  let row: ChatRow | undefined
  for await (const batch of log.read(streamName('chat', room))) {
    for (const recorded of batch as readonly Recorded<ChatEvent>[]) {
      const before = row
      const after = chats.fold(before, recorded)
      if (!after) continue
      row = after
      const change = { key: room, recorded, before, after }
      for (const id of staffIn(change)) await past.fetch({ org: after.org, id })
      const { staff } = usersOf(past.at(recorded.position), after.org)
      const flagged = () => topFlagged(after.severity > 0 ? new Map([[room, after]]) : new Map())
      yield { recorded, after, notices: chatNotices(change, { staff, flagged }) }
    }
  }
}

/** The chat after its event `seq` (default: the last one); undefined when there is no such chat or no such event. */
export async function chatAt(log: Log, room: string, seq = Number.MAX_SAFE_INTEGER): Promise<ChatAt | undefined> {
  const messages: MessageObject[] = []
  let last: Step | undefined
  for await (const step of replayChat(log, room)) {
    if (step.recorded.revision > seq) break
    last = step
    const message = messageOf(room, step)
    if (message) messages.push(message)
  }
  if (!last || (seq !== Number.MAX_SAFE_INTEGER && last.recorded.revision !== seq)) return undefined
  return { seq: last.recorded.revision, row: last.after, messages }
}

function messageOf(room: string, { recorded, after, notices }: Step): MessageObject | undefined {
  const { event, id, revision: seq, at } = recorded
  if (event.type !== 'ChatOpened' && event.type !== 'VisitorWrote' && event.type !== 'StaffWrote') return undefined
  const told = notices.find(({ name }) => name === 'staff_send')
  const sender = told?.name === 'staff_send' ? told.data.user : null
  return messageObject(room, { id, seq, at, n: after.messages, content: event.content }, sender)
}

/** People as of any position, from their own streams. */
class PastProfiles {
  readonly #log: Log
  readonly #events = new Map<string, readonly Recorded[]>()

  constructor(log: Log) {
    this.#log = log
  }

  async fetch(person: PersonRef): Promise<void> {
    const name = personName(person)
    if (this.#events.has(name)) return
    const events: Recorded[] = []
    for await (const batch of this.#log.read(streamName('person', name))) events.push(...batch)
    this.#events.set(name, events)
  }

  at(position: bigint): Profiles {
    return {
      get: (person) => {
        let row: PersonRow | undefined
        for (const recorded of this.#events.get(personName(person)) ?? [])
          if (recorded.position <= position) row = people.fold(row, recorded)
        return row
      },
    }
  }
}
