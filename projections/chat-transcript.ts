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

/** A message with who wrote it (null = the visitor), and where in the log it stands. */
export interface ChatMessage extends WaitingMessage {
  readonly staffId: string | null
  readonly position: bigint
}

/** The newest messages of a chat: so many, and so much of their contents as compact JSON; the newest one always. */
export interface Newest {
  readonly messages: number
  readonly characters: number
}

/** As much of a transcript as whoever comes to serve is told at once: all that one visitor may let wait. */
export const TOLD: Newest = { messages: 1_000, characters: 512 * 1024 }
/** As much as the queue shows of one chat. The client has the same bound (`client/src/newest.ts`). */
export const QUEUED: Newest = { messages: 100, characters: 32 * 1024 }

/** The end of what was said up to a moment, the newest first. Moments share what came before them. */
export interface Said {
  readonly message: ChatMessage
  readonly characters: number
  readonly before: Said | undefined
  /** Of this one and all before it. */
  readonly sum: Newest
}

export const charactersOf = ({ content }: { readonly content: Content }): number => JSON.stringify(content).length

/** The message of this event, which is the `n`th if it is one. */
export function messageIn(
  { event, id, revision: seq, position, at }: Recorded<ChatEvent>,
  n: number,
): ChatMessage | undefined {
  if (event.type !== 'ChatOpened' && event.type !== 'VisitorWrote' && event.type !== 'StaffWrote') return undefined
  const staffId = event.type === 'StaffWrote' ? event.staffId : null
  return { id, seq, n, at, content: event.content, staffId, position }
}

/** Keeps what `newestSaid` gives of it, and at most as much again. */
export function saidAfter(before: Said | undefined, message: ChatMessage, newest: Newest): Said {
  const said = added(before, message)
  if (said.sum.messages <= 2 * newest.messages && said.sum.characters <= 2 * newest.characters) return said
  return newestSaid(said, newest).reduce(added, undefined as Said | undefined) ?? said
}

function added(before: Said | undefined, message: ChatMessage): Said {
  const characters = charactersOf(message)
  const sum = {
    messages: (before?.sum.messages ?? 0) + 1,
    characters: (before?.sum.characters ?? 0) + characters,
  }
  return { message, characters, before, sum }
}

/** The oldest of them first. */
export function newestSaid(said: Said | undefined, newest: Newest): ChatMessage[] {
  const messages: ChatMessage[] = []
  let characters = 0
  for (let at = said; at && messages.length < newest.messages; at = at.before) {
    characters += at.characters
    if (characters > newest.characters && messages.length > 0) break
    messages.push(at.message)
  }
  return messages.reverse()
}

/** The newest of the messages, the oldest of them first. */
export function newestOf<M extends { readonly content: Content }>(all: readonly M[], newest: Newest): readonly M[] {
  let characters = 0
  let from = all.length
  while (from > 0 && all.length - from < newest.messages) {
    characters += charactersOf(all[from - 1] as M) // it is one of them
    if (characters > newest.characters && from < all.length) break
    from--
  }
  return from === 0 ? all : all.slice(from)
}
