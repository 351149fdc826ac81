import type { ChatEvent, Content } from '../machines/chat/events.ts'
import type { Recorded } from '../machines/kernel.ts'

/** A message of a chat. `seq` is its event's revision, `n` its number in the chat (from 1). */
export interface WaitingMessage {
  readonly id: string
  readonly seq: number
  readonly n: number
  readonly at: number
  readonly content: Content
}

/** A message with who wrote it; null = the visitor. */
export interface ChatMessage extends WaitingMessage {
  readonly staffId: string | null
}

/** Everything that was said up to a moment, the newest first. Moments share what came before them. */
export interface Said {
  readonly message: ChatMessage
  readonly before: Said | undefined
}

/** As much of a transcript as is told at once: the newest messages, as compact JSON in UTF-8. */
const MAX_TOLD_BYTES = 256 * 1024

/** What was said after this event, which is the `n`th message if it is one. */
export function saidAfter(before: Said | undefined, recorded: Recorded<ChatEvent>, n: number): Said | undefined {
  const { event, id, revision: seq, at } = recorded
  if (event.type !== 'ChatOpened' && event.type !== 'VisitorWrote' && event.type !== 'StaffWrote') return before
  const staffId = event.type === 'StaffWrote' ? event.staffId : null
  return { message: { id, seq, n, at, content: event.content, staffId }, before }
}

/**
 * The newest messages that pass and take no more room than is told at once, the oldest of them first. The newest one is
 * always among them.
 */
export function newestSaid(said: Said | undefined, passes: (message: ChatMessage) => boolean = () => true) {
  const messages: ChatMessage[] = []
  let bytes = 0
  for (let at = said; at; at = at.before) {
    if (!passes(at.message)) continue
    bytes += new TextEncoder().encode(JSON.stringify(at.message.content)).length
    if (bytes > MAX_TOLD_BYTES && messages.length > 0) break
    messages.push(at.message)
  }
  return messages.reverse()
}
