import type { ChatCloseReason, ChatEvent, ChatVisitor, Content } from '../machines/chat/events.ts'
import { type Recorded, unreachable } from '../machines/kernel.ts'
import { padded } from './padded.ts'
import { projectionOf } from './projection.ts'

export type ChatStatus = 'unclaimed' | 'claimed' | 'takenOver' | 'closed'

/** A message that waits in the queue. `seq` is its event's revision, `n` its number in the chat (from 1). */
export interface WaitingMessage {
  readonly id: string
  readonly seq: number
  readonly n: number
  readonly at: number
  readonly content: Content
}

/** One chat as lists, queues and pushes need it. Times are milliseconds since 1970. */
export interface ChatRow {
  readonly seq: number
  readonly org: string
  readonly status: ChatStatus
  readonly visitorId: string
  readonly visitor: ChatVisitor
  /** Who serves it, or served it last. */
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
  /** All messages while nobody has claimed the chat, then none: the transcript is in the log. */
  readonly waiting: readonly WaitingMessage[]
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

function fold(row: ChatRow | undefined, recorded: Recorded<ChatEvent>): ChatRow {
  return { ...moved(row, recorded), movedAt: padded(recorded.position) }
}

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
      waiting: [first],
    }
  }
  if (!row) throw new Error(`${recorded.stream} has ${event.type} at revision ${seq} before ChatOpened`)
  switch (event.type) {
    case 'VisitorWrote': {
      const n = row.messages + 1
      if (row.status !== 'unclaimed') return { ...row, seq, messages: n }
      return {
        ...row,
        seq,
        messages: n,
        waiting: [...row.waiting, { id: recorded.id, seq, n, at, content: event.content }],
      }
    }
    case 'StaffWrote':
      return { ...row, seq, messages: row.messages + 1 }
    case 'ChatClaimed':
      return {
        ...row,
        seq,
        status: 'claimed',
        staffId: event.staffId,
        servedBy: joined(row.servedBy, event.staffId),
        waiting: [],
      }
    case 'ChatTakenOver':
      return { ...row, seq, status: 'takenOver', staffId: event.staffId, servedBy: joined(row.servedBy, event.staffId) }
    case 'ChatFlagged':
      return {
        ...row,
        seq,
        severity: event.severity,
        flaggedAt: event.severity > 0 ? padded(recorded.position) : null,
        updatedAt: at,
      }
    case 'ChatClosed':
      return { ...row, seq, status: 'closed', closedAt: at, closeReason: event.reason, waiting: [] }
    default:
      return unreachable(event)
  }
}

const joined = (ids: readonly string[], id: string): readonly string[] => (ids.includes(id) ? ids : [...ids, id])
