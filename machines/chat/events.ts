import type { EventSchema, StaffRole } from '../kernel.ts'

/**
 * The visitor as known when the chat was opened. A chat shows its visitor like this for ever, whatever they call
 * themselves later.
 */
export interface ChatVisitor {
  readonly name: string | null
  readonly email: string | null
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number | null
}

/** Any JSON object, stored as it came. */
export type Content = Readonly<Record<string, unknown>>

export type ChatEvent =
  | {
      readonly type: 'ChatOpened'
      readonly org: string
      readonly visitorId: string
      readonly visitor: ChatVisitor
      readonly content: Content
      /** Of the content as compact JSON; older releases told it while nobody had claimed the chat. */
      readonly bytes?: number
    }
  | { readonly type: 'VisitorWrote'; readonly content: Content; readonly bytes?: number }
  | { readonly type: 'StaffWrote'; readonly staffId: string; readonly content: Content; readonly bytes?: number }
  | { readonly type: 'ChatClaimed'; readonly staffId: string; readonly role: StaffRole }
  | { readonly type: 'ChatTakenOver'; readonly staffId: string; readonly role: StaffRole; readonly from: string }
  /** Whoever served, `from`, handed the chat on. */
  | { readonly type: 'ChatTransferred'; readonly staffId: string; readonly role: StaffRole; readonly from: string }
  /** Back in the queue; `staffId` served it until now. */
  | { readonly type: 'ChatReturned'; readonly staffId: string }
  /** Given to `staffId` by somebody who supervises; `from` served it until now, null = it stood in the queue. */
  | {
      readonly type: 'ChatAssigned'
      readonly staffId: string
      readonly role: StaffRole
      readonly from: string | null
      readonly by: string
    }
  | { readonly type: 'ChatFlagged'; readonly severity: number; readonly staffId: string }
  | { readonly type: 'ChatClosed'; readonly reason: ChatCloseReason }

export type ChatCloseReason = 'visitor-left' | 'staff-left' | 'visitor-disconnected' | 'staff-disconnected'

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const chatEvents: Record<ChatEvent['type'], EventSchema> = {
  ChatOpened: { ...plain, personal: ['visitor', 'content'] },
  VisitorWrote: { ...plain, personal: ['content'] },
  StaffWrote: { ...plain, personal: ['content'] },
  ChatClaimed: plain,
  ChatTakenOver: plain,
  ChatTransferred: plain,
  ChatReturned: plain,
  ChatAssigned: plain,
  ChatFlagged: plain,
  ChatClosed: plain,
}
