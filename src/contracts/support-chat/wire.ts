import type { ChatCloseReason, Content } from '../../../machines/chat/events.ts'
import type { WaitingMessage } from '../../../projections/chat-transcript.ts'
import type { ChatRow } from '../../../projections/chats.ts'
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
  /** What the visitor wrote: the newest of it, the oldest of that first. */
  readonly contents: readonly Content[]
  /** How many there are in all. */
  readonly contents_total: number
}

export interface FlaggedChat {
  readonly user: VisitorUser
  readonly room: RoomObject
}

/** A chat that somebody serves, as it stands for them. */
export interface OwnChat {
  readonly user: VisitorUser
  readonly room: RoomObject
  readonly state: 'claimed' | 'takenOver'
  /** The visitor's messages since whoever serves came or wrote last, and when the first of them came (milliseconds). */
  readonly unread: number
  readonly unread_since: number | null
}

/**
 * The lists are whole, or hold what stands first in them: then `…_until` is the place of the last one, and pushes about
 * those behind it are not the client's business. Null = whole.
 */
export interface StaffInit {
  /** When it is not whole, it goes by id. */
  readonly online_users: readonly StaffUser[]
  readonly online_users_until: string | null
  /** When it is not whole, it goes by id. */
  readonly online_visitors: readonly VisitorUser[]
  readonly online_visitors_until: string | null
  /** Those that have waited longest. */
  readonly unclaimed_chats: readonly QueuedChat[]
  /** How many wait in all. */
  readonly unclaimed_total: number
  readonly unclaimed_until: string | null
  readonly flagged_chats: readonly FlaggedChat[]
  /** The open chats that they serve. */
  readonly own_chats: readonly OwnChat[]
  readonly own_until: string | null
  /** Up to which event of the log this is true. */
  readonly pos: string
}

export interface VisitorInit {
  /** As known when they came. */
  readonly user: VisitorUser
  readonly chat: {
    readonly room: string
    /** Who serves it, as they were called when they came; null in the queue. */
    readonly staff: StaffUser | null
    /** The newest ones, the oldest of them first; writers as they were called when they wrote. */
    readonly messages: readonly MessageObject[]
  } | null
  /** Up to which event of the log this is true. */
  readonly pos: string
}

/** What is said when somebody comes to serve: the end of the transcript. */
export interface Transcript {
  /** The newest ones, the oldest of them first. */
  readonly contents: readonly MessageObject[]
  /** How many there are in all. */
  readonly contents_total: number
}

/** A message of the moment; `at` in milliseconds. */
interface Saying<User> extends InRoom {
  readonly user: User
  readonly content: Content
  readonly sequence_num: number
  readonly at: number
}

/** Every name this contract sends after `staff_init`, exactly as its document spells it. */
export interface SupportChatWire {
  append_unclaimed_chats: About & QueuedChat
  visitor_unclaimed_msg: Saying<VisitorUser>
  visitor_leave_queue: InRoom & { user: VisitorUser }
  staff_claim_chat: About & { user: VisitorUser; staff: StaffUser }
  staff_join_room: InRoom & { user: StaffUser }
  agent_new_chat: InRoom & Transcript & { user: StaffUser; visitor: VisitorUser }
  visitor_send: Saying<VisitorUser>
  new_visitor_msg_for_supervisor: Saying<VisitorUser>
  staff_send: Saying<StaffUser>
  new_staff_msg_for_supervisor: Saying<StaffUser>
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
  // To all sockets of one person: what one tab did, or what happened to them, shows in every other.
  /**
   * To whoever serves from now on, however it came about; and again to whoever claims again. `from_queue`: they have
   * claimed it, so that it is out of the queue, which nothing else tells them.
   */
  own_chat_claimed: About & OwnChat & Transcript & { staff: StaffUser; from_queue: boolean }
  own_chat_opened: Saying<VisitorUser>
  own_msg: Saying<VisitorUser | StaffUser>
  /** To whoever ended it: visitor or staff. */
  own_chat_closed: InRoom & { user: VisitorUser | StaffUser; reason: ChatCloseReason }
  own_chat_returned: InRoom & { user: VisitorUser }
  /** To the visitor, who waits in the queue again. */
  staff_return_chat: InRoom & { user: StaffUser }
  staff_return_chat_for_supervisor: InRoom & { user: StaffUser }
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

/** Where a chat stands in lists that go by the time of opening: as text, and in `GET /api/v1/chats`. */
export const placeOf = (id: string, { openedAt }: ChatRow): string => `${String(openedAt).padStart(14, '0')}/${id}`

export const queuedChat = (id: string, chat: ChatRow): QueuedChat => ({
  user: chatVisitor(chat),
  room: roomObject(id, chat),
  contents: (chat.waiting ?? []).map(({ content }) => content),
  contents_total: chat.asked,
})

export const ownChat = (id: string, chat: ChatRow): OwnChat => ({
  user: chatVisitor(chat),
  room: roomObject(id, chat),
  state: chat.status === 'takenOver' ? 'takenOver' : 'claimed',
  unread: chat.unread,
  unread_since: chat.unreadSince,
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
