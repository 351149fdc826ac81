import type { Content } from '../../../machines/chat/events.ts'
import type { ChatRow, WaitingMessage } from '../../../projections/chats.ts'
import type { EventRef } from '../../delivery/notice.ts'
import { type StaffUser, type VisitorUser, visitorUser } from '../shared/people.ts'

/** A chat as clients see it. Times are milliseconds since 1970; `updated_at` is when the priority last changed. */
export interface RoomObject {
  readonly id: string
  readonly visitor_id: string
  readonly tags: readonly string[]
  readonly severity_level: number
  readonly created_at: number
  readonly updated_at: number | null
}

/** A message as supervisors and transcripts see it. `created_at` is in seconds; `sender` null = the visitor. */
export interface MessageObject {
  readonly id: string
  readonly chat_id: string
  readonly sender: StaffUser | null
  readonly content: Content
  readonly type_id: 1
  readonly sequence_num: number
  readonly created_at: number
  readonly updated_at: null
}

export interface InRoom extends EventRef {
  readonly room: string
}
interface About extends EventRef {
  readonly room: RoomObject
}

export interface QueuedChat {
  readonly user: VisitorUser
  readonly room: RoomObject
  readonly contents: readonly Content[]
}

export interface FlaggedChat {
  readonly user: VisitorUser
  readonly room: RoomObject
}

export interface StaffInit {
  readonly online_users: readonly StaffUser[]
  readonly online_visitors: readonly VisitorUser[]
  readonly unclaimed_chats: readonly QueuedChat[]
  readonly flagged_chats: readonly FlaggedChat[]
  /** Up to which event of the log this is true. */
  readonly pos: string
}

/** Every name this contract sends after `staff_init`, exactly as its document spells it. */
export interface SupportChatWire {
  append_unclaimed_chats: About & { user: VisitorUser; contents: readonly Content[] }
  visitor_unclaimed_msg: InRoom & { user: VisitorUser; content: Content }
  visitor_leave_queue: InRoom & { user: VisitorUser }
  staff_claim_chat: About & { user: VisitorUser; staff: StaffUser }
  staff_join_room: InRoom & { user: StaffUser }
  agent_new_chat: InRoom & { user: StaffUser; visitor: VisitorUser; contents: readonly MessageObject[] }
  visitor_send: InRoom & { user: VisitorUser; content: Content }
  new_visitor_msg_for_supervisor: InRoom & { user: VisitorUser; content: Content }
  staff_send: InRoom & { user: StaffUser; content: Content }
  new_staff_msg_for_supervisor: InRoom & { user: StaffUser; content: Content }
  staff_being_taken_over_chat: InRoom & { user: StaffUser }
  staff_take_over_chat: InRoom & { user: StaffUser }
  chat_has_changed_priority_for_supervisor: About & PriorityChange
  staff_leave: InRoom & { user: StaffUser }
  staff_leave_chat_for_supervisor: InRoom & { user: StaffUser }
  visitor_leave: InRoom & { user: VisitorUser }
  visitor_leave_chat_for_supervisor: InRoom & { user: VisitorUser }
  staff_goes_online: EventRef & { user: StaffUser }
  staff_goes_offline: EventRef & { user: StaffUser }
  // The document has no name for these; without them what a client holds would not stay what `staff_init` would say.
  visitor_goes_online: EventRef & { user: VisitorUser }
  visitor_goes_offline: EventRef & { user: VisitorUser }
  /** To agents, what `chat_has_changed_priority_for_supervisor` is to the others. */
  chat_has_changed_priority: About & PriorityChange
  /** To all sockets of the claimer: their other tabs take the chat from the queue too. */
  own_chat_claimed: About & { user: VisitorUser }
}

interface PriorityChange {
  /** Who changed it. */
  readonly user: StaffUser
  readonly visitor: VisitorUser
  /** The whole list as it is now: a chat that loses its flag may let an older one in. */
  readonly flagged_chats: readonly FlaggedChat[]
}

export const roomObject = (id: string, chat: ChatRow): RoomObject => ({
  id,
  visitor_id: chat.visitorId,
  tags: [],
  severity_level: chat.severity,
  created_at: chat.openedAt,
  updated_at: chat.updatedAt,
})

/** The chat's visitor as they were when it was opened. */
export const chatVisitor = ({ visitorId, visitor }: ChatRow): VisitorUser =>
  visitorUser(visitorId, {
    profile: {
      ...(visitor.name === null ? {} : { name: visitor.name }),
      ...(visitor.email === null ? {} : { email: visitor.email }),
    },
    createdAt: visitor.createdAt,
    updatedAt: visitor.updatedAt,
    disabled: false,
  })

export const queuedChat = (id: string, chat: ChatRow): QueuedChat => ({
  user: chatVisitor(chat),
  room: roomObject(id, chat),
  contents: chat.waiting.map(({ content }) => content),
})

export const flaggedChat = (id: string, chat: ChatRow): FlaggedChat => ({
  user: chatVisitor(chat),
  room: roomObject(id, chat),
})

export const messageObject = (room: string, message: WaitingMessage, sender: StaffUser | null): MessageObject => ({
  id: message.id,
  chat_id: room,
  sender,
  content: message.content,
  type_id: 1,
  sequence_num: message.n,
  created_at: Math.floor(message.at / 1000),
  updated_at: null,
})
