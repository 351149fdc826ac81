import type { ChatCloseReason, ChatEvent, ChatVisitor } from '../machines/chat/events.ts'
import { type Recorded, unreachable } from '../machines/kernel.ts'
import { newestSaid, type Said, saidAfter, type WaitingMessage } from './chat-transcript.ts'
import { padded } from './padded.ts'
import { type Projection, projectionOf } from './projection.ts'

export type ChatStatus = 'unclaimed' | 'claimed' | 'takenOver' | 'closed'

/** One chat as lists, queues and pushes need it. Times are milliseconds since 1970. */
export interface ChatRow {
  readonly seq: number
  readonly org: string
  readonly status: ChatStatus
  readonly visitorId: string
  readonly visitor: ChatVisitor
  /** Who serves it, or served it last; null in the queue. */
  readonly staffId: string | null
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
  /**
   * The visitor's messages while the chat is in the queue, otherwise none: the transcript is in the log. Of a chat that
   * was returned, the view has those since then, and memory the newest of those before, too (`wholeChats`).
   */
  readonly waiting: readonly WaitingMessage[]
  /** Only in a row that `wholeChats` has folded: what the next event may have to tell again. */
  readonly said?: Said | undefined
}

export const chats = projectionOf<ChatRow, 'chat'>('chat', {
  name: 'chats',
  version: 2,
  fold,
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

/** The same rows with all that was said: what is made from a whole stream at once can hold it. */
export const wholeChats: Projection<ChatRow> = {
  ...chats,
  fold(row, recorded) {
    const its = recorded as Recorded<ChatEvent> // chats record no other events
    const next = step(row, its)
    return { ...next, said: saidAfter(row?.said, its, next.messages) }
  },
}

function fold(row: ChatRow | undefined, recorded: Recorded<ChatEvent>): ChatRow {
  const next = step(row, recorded)
  if (next.said === undefined) return next
  const { said: _, ...bare } = next
  return bare
}

const step = (row: ChatRow | undefined, recorded: Recorded<ChatEvent>): ChatRow => ({
  ...moved(row, recorded),
  movedAt: padded(recorded.position),
})

function moved(row: ChatRow | undefined, recorded: Recorded<ChatEvent>): Omit<ChatRow, 'movedAt'> {
  const { event, revision: seq, at } = recorded
  if (event.type === 'ChatOpened') {
    const { org, visitorId, visitor, content } = event
    const first: WaitingMessage = { id: recorded.id, seq, n: 1, at, content }
    return {
      seq,
      org,
      status: 'unclaimed',
      visitorId,
      visitor,
      staffId: null,
      servedBy: [],
      severity: 0,
      flaggedAt: null,
      openedAt: at,
      updatedAt: null,
      closedAt: null,
      closeReason: null,
      messages: 1,
      ...READ,
      waiting: [first],
    }
  }
  if (!row) throw new Error(`${recorded.stream} has ${event.type} at revision ${seq} before ChatOpened`)
  switch (event.type) {
    case 'VisitorWrote': {
      const n = row.messages + 1
      if (row.status !== 'unclaimed')
        return { ...row, seq, messages: n, unread: row.unread + 1, unreadSince: row.unreadSince ?? at }
      return {
        ...row,
        seq,
        messages: n,
        waiting: [...row.waiting, { id: recorded.id, seq, n, at, content: event.content }],
      }
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
      const waiting = newestSaid(row.said, ({ staffId }) => staffId === null).map(
        ({ staffId: _, ...message }) => message,
      )
      return { ...row, seq, status: 'unclaimed', staffId: null, ...READ, waiting }
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
      return { ...row, seq, status: 'closed', closedAt: at, closeReason: event.reason, ...READ, waiting: [] }
    default:
      return unreachable(event)
  }
}

const READ = { unread: 0, unreadSince: null } as const

const served = (row: ChatRow, seq: number, status: ChatStatus, staffId: string): ChatRow => ({
  ...row,
  seq,
  status,
  staffId,
  servedBy: joined(row.servedBy, staffId),
  ...READ,
  waiting: [],
})

const joined = (ids: readonly string[], id: string): readonly string[] => (ids.includes(id) ? ids : [...ids, id])
