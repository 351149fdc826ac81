import { MESSAGE_WEIGHT } from '../machines/chat/decide.ts'
import type { ChatCloseReason, ChatEvent, ChatVisitor } from '../machines/chat/events.ts'
import { type Recorded, unreachable } from '../machines/kernel.ts'
import {
  type ChatMessage,
  charactersOf,
  messageIn,
  newestOf,
  newestSaid,
  QUEUED,
  type Said,
  saidAfter,
  TOLD,
  type WaitingMessage,
} from './chat-transcript.ts'
import { padded } from './padded.ts'
import { type Projection, projectionOf } from './projection.ts'

export type ChatStatus = 'unclaimed' | 'claimed' | 'takenOver' | 'closed'

/**
 * One chat as lists, queues and pushes need it. Times are milliseconds since 1970. No row holds more of what was said
 * than is told at once, and those of the view nothing.
 */
export interface ChatRow {
  readonly seq: number
  readonly org: string
  readonly status: ChatStatus
  readonly visitorId: string
  readonly visitor: ChatVisitor
  /** Who serves it, or served it last; null in the queue. */
  readonly staffId: string | null
  /** The event by which whoever serves it came to serve; null in the queue. */
  readonly servedSince: number | null
  /** Everybody who ever served it, in the order of their coming. */
  readonly servedBy: readonly string[]
  readonly severity: number
  /** Position of the event that last set the flag, so padded that text order is log order; null while not flagged. */
  readonly flaggedAt: string | null
  readonly openedAt: number
  /** When the priority last changed. */
  readonly updatedAt: number | null
  readonly closedAt: number | null
  readonly closeReason: ChatCloseReason | null
  readonly messages: number
  /** Position of the last event, padded likewise. */
  readonly movedAt: string
  /** The visitor's messages since whoever serves came or wrote last. */
  readonly unread: number
  /** When the first of them came. */
  readonly unreadSince: number | null
  /** All messages of the visitor. */
  readonly asked: number
  /** In memory only: the newest messages of the visitor while the chat is in the queue, otherwise none. */
  readonly waiting?: readonly WaitingMessage[] | undefined
  /** In memory only: what all that waits takes there and in the log, about, in bytes. */
  readonly waitingWeight?: number | undefined
  /** Only in a row that `wholeChats` has folded: what the next event may have to tell again. */
  readonly said?: { readonly all: Said; readonly visitors: Said } | undefined
}

export const chats = projectionOf<ChatRow, 'chat'>('chat', {
  name: 'chats',
  version: 3,
  fold: (row, recorded) => lightly(step(row, recorded)),
  index(room, row) {
    const when = `${String(row.openedAt).padStart(14, '0')}/${room}`
    return [
      `all/${row.org}/${when}`,
      `status/${row.org}/${row.status}/${when}`,
      `moved/${row.org}/${row.movedAt}/${room}`,
      `visitor/${row.org}/${row.visitorId}/${when}`,
      ...row.servedBy.map((id) => `staff/${row.org}/${id}/${when}`),
      ...(row.status === 'closed' ? [] : [`open/${row.org}/${when}`]),
      ...(row.flaggedAt === null ? [] : [`flagged/${row.org}/${row.flaggedAt}/${room}`]),
    ]
  },
})

/** The same rows with what waits in the queue: what a node keeps in memory. */
export const liveChats: Projection<ChatRow> = {
  ...chats,
  fold(row, recorded) {
    const { said: _, ...live } = step(row, recorded as Recorded<ChatEvent>) // chats record no other events
    return live
  },
}

/** The same rows with the end of what was said, too: only what is made from a whole stream at once can hold it. */
export const wholeChats: Projection<ChatRow> = {
  ...chats,
  fold(row, recorded) {
    const its = recorded as Recorded<ChatEvent> // chats record no other events
    const next = step(row, its)
    const message = messageIn(its, next.messages)
    return message ? { ...next, said: heard(row?.said, message) } : next
  },
}

function heard(said: ChatRow['said'], message: ChatMessage): ChatRow['said'] {
  const all = saidAfter(said?.all, message, TOLD)
  return {
    all,
    visitors: said && message.staffId !== null ? said.visitors : saidAfter(said?.visitors, message, QUEUED),
  }
}

function lightly({ waiting: _, waitingWeight: __, said: ___, ...light }: ChatRow): ChatRow {
  return light
}

const step = (row: ChatRow | undefined, recorded: Recorded<ChatEvent>): ChatRow => ({
  ...moved(row, recorded),
  movedAt: padded(recorded.position),
})

function moved(row: ChatRow | undefined, recorded: Recorded<ChatEvent>): Omit<ChatRow, 'movedAt'> {
  const { event, revision: seq, at } = recorded
  if (event.type === 'ChatOpened') {
    const { org, visitorId, visitor, content } = event
    return {
      seq,
      org,
      status: 'unclaimed',
      visitorId,
      visitor,
      staffId: null,
      servedSince: null,
      servedBy: [],
      severity: 0,
      flaggedAt: null,
      openedAt: at,
      updatedAt: null,
      closedAt: null,
      closeReason: null,
      messages: 1,
      asked: 1,
      ...READ,
      ...waitingAfter(undefined, recorded, { n: 1, content }),
    }
  }
  if (!row) throw new Error(`${recorded.stream} has ${event.type} at revision ${seq} before ChatOpened`)
  switch (event.type) {
    case 'VisitorWrote': {
      const wrote = { ...row, seq, messages: row.messages + 1, asked: row.asked + 1 }
      if (row.status !== 'unclaimed') return { ...wrote, unread: row.unread + 1, unreadSince: row.unreadSince ?? at }
      return { ...wrote, ...waitingAfter(row, recorded, { n: wrote.messages, content: event.content }) }
    }
    case 'StaffWrote':
      return { ...row, seq, messages: row.messages + 1, ...READ }
    case 'ChatClaimed':
    case 'ChatTransferred':
    case 'ChatAssigned':
      return served(row, seq, 'claimed', event.staffId)
    case 'ChatTakenOver':
      return served(row, seq, 'takenOver', event.staffId)
    case 'ChatReturned': {
      const waiting = newestSaid(row.said?.visitors, QUEUED).map(({ id, seq, n, at, content }) => ({
        id,
        seq,
        n,
        at,
        content,
      }))
      const waitingWeight = waiting.reduce((sum, message) => sum + weightOf(message), 0)
      return { ...row, seq, status: 'unclaimed', staffId: null, servedSince: null, ...READ, waiting, waitingWeight }
    }
    case 'ChatFlagged':
      return {
        ...row,
        seq,
        severity: event.severity,
        flaggedAt: event.severity > 0 ? padded(recorded.position) : null,
        updatedAt: at,
      }
    case 'ChatClosed':
      return { ...row, seq, status: 'closed', closedAt: at, closeReason: event.reason, ...READ, ...NONE }
    default:
      return unreachable(event)
  }
}

const READ = { unread: 0, unreadSince: null } as const
const NONE = { waiting: undefined, waitingWeight: undefined } as const

const weightOf = (message: WaitingMessage): number => charactersOf(message) + MESSAGE_WEIGHT

/** One more message waits, the `n`th. */
function waitingAfter(
  row: ChatRow | undefined,
  { id, revision: seq, at }: Recorded,
  { n, content }: Pick<WaitingMessage, 'n' | 'content'>,
) {
  const message: WaitingMessage = { id, seq, n, at, content }
  return {
    waiting: newestOf([...(row?.waiting ?? []), message], QUEUED),
    waitingWeight: (row?.waitingWeight ?? 0) + weightOf(message),
  }
}

const served = (row: ChatRow, seq: number, status: ChatStatus, staffId: string): ChatRow => ({
  ...row,
  seq,
  status,
  staffId,
  servedSince: seq,
  servedBy: joined(row.servedBy, staffId),
  ...READ,
  ...NONE,
})

const joined = (ids: readonly string[], id: string): readonly string[] => (ids.includes(id) ? ids : [...ids, id])
