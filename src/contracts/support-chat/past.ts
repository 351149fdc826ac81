import type { ChatEvent } from '../../../machines/chat/events.ts'
import { CHAT_STREAM, type ChatRow, chats } from '../../../projections/chats.ts'
import { PERSON_STREAM, type PersonRow, people } from '../../../projections/people.ts'
import type { Notice } from '../../delivery/notice.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { type StaffUser, staffUser } from '../shared/people.ts'
import { chatNotices } from './notices.ts'
import { topFlagged } from './opening.ts'
import { type MessageObject, messageObject, type SupportChatWire } from './wire.ts'

/** One recorded event of a chat with what clients were told of it. */
export interface Step {
  readonly recorded: Recorded<ChatEvent>
  readonly after: ChatRow
  readonly notices: readonly Notice<SupportChatWire>[]
}

/** A chat exactly as it was after the event `seq`. */
export interface ChatThen {
  readonly seq: number
  readonly row: ChatRow
  readonly messages: readonly MessageObject[]
}

/**
 * The past of one chat, from the log alone and by the same folds as live. People are named as they were called at that
 * moment of the log. One thing is not told again: other chats' flags, so `flagged_chats` of a replayed push holds at
 * most this chat.
 */
export async function* replayChat(log: Log, room: string): AsyncGenerator<Step> {
  const past = new PastPeople(log)
  let row: ChatRow | undefined
  for await (const batch of log.read(CHAT_STREAM + room)) {
    for (const recorded of batch as readonly Recorded<ChatEvent>[]) {
      const before = row
      const after = chats.fold(before, recorded)
      if (!after) continue
      row = after
      for (const id of staffIn(recorded.event, after)) await past.load(after.org, id)
      const notices = chatNotices({
        room,
        recorded: recorded,
        before,
        after,
        staff: (id) => past.staffAt(after.org, id, recorded.position),
        flagged: () => topFlagged(after.severity > 0 ? new Map([[room, after]]) : new Map()),
      })
      yield { recorded, after, notices }
    }
  }
}

/**
 * The chat after its event `seq` (default: the last one); undefined when there is no such chat or it has no such event.
 */
export async function chatAt(log: Log, room: string, seq = Number.MAX_SAFE_INTEGER): Promise<ChatThen | undefined> {
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

function staffIn(event: ChatEvent, after: ChatRow): readonly string[] {
  if ('staffId' in event) return [event.staffId]
  return event.type === 'ChatClosed' && after.staffId !== null ? [after.staffId] : []
}

/** People as of any position, from their own streams. */
class PastPeople {
  readonly #log: Log
  readonly #events = new Map<string, readonly Recorded[]>()

  constructor(log: Log) {
    this.#log = log
  }

  async load(org: string, id: string): Promise<void> {
    const name = `${org}.${id}`
    if (this.#events.has(name)) return
    const events: Recorded[] = []
    for await (const batch of this.#log.read(PERSON_STREAM + name)) events.push(...batch)
    this.#events.set(name, events)
  }

  staffAt(org: string, id: string, position: bigint): StaffUser {
    let row: PersonRow | undefined
    for (const recorded of this.#events.get(`${org}.${id}`) ?? [])
      if (recorded.position <= position) row = people.fold(row, recorded)
    return staffUser(org, id, row ?? { role: 'agent', profile: {}, createdAt: 0, updatedAt: null, disabled: false })
  }
}
