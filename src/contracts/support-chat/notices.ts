import type { ChatEvent } from '../../../machines/chat/events.ts'
import { type Recorded, unreachable } from '../../../machines/kernel.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import { type Audience, eventRef, type Notice } from '../../delivery/notice.ts'
import type { StaffUser, VisitorUser } from '../shared/people.ts'
import {
  chatVisitor,
  type FlaggedChat,
  type InRoom,
  messageObject,
  queuedChat,
  roomObject,
  type SupportChatWire,
} from './wire.ts'

type ChatNotice = Notice<SupportChatWire>

/** What notices about a chat are made from: the event, and the chat before and after it. */
export interface ChatChange {
  readonly room: string
  readonly recorded: Recorded<ChatEvent>
  readonly before: ChatRow | undefined
  readonly after: ChatRow
  /** A staff member of the chat's organisation. */
  readonly staff: (id: string) => StaffUser
  /** The organisation's flagged chats after the event, newest first, at most 15. */
  readonly flagged: () => readonly FlaggedChat[]
}

/** One case per recorded event; nothing else decides who hears what of a chat. */
export function chatNotices({ room, recorded, before, after, staff, flagged }: ChatChange): readonly ChatNotice[] {
  const { event } = recorded
  const { org, staffId } = after
  const ref = eventRef(recorded)
  const inRoom = { ...ref, room }
  const visitor = chatVisitor(after)
  const toVisitor: Audience = { kind: 'person', org, id: after.visitorId }

  switch (event.type) {
    case 'ChatOpened':
      return [
        { to: { kind: 'staff', org }, name: 'append_unclaimed_chats', data: { ...ref, ...queuedChat(room, after) } },
      ]

    case 'VisitorWrote': {
      const data = { ...inRoom, user: visitor, content: event.content }
      if (staffId === null) return [{ to: { kind: 'staff', org }, name: 'visitor_unclaimed_msg', data }]
      return [
        { to: { kind: 'person', org, id: staffId }, name: 'visitor_send', data },
        { to: { kind: 'supervising', org, except: [staffId] }, name: 'new_visitor_msg_for_supervisor', data },
      ]
    }

    case 'StaffWrote': {
      const data = { ...inRoom, user: staff(event.staffId), content: event.content }
      return [
        { to: toVisitor, name: 'staff_send', data },
        { to: { kind: 'supervising', org, except: [event.staffId] }, name: 'new_staff_msg_for_supervisor', data },
      ]
    }

    case 'ChatClaimed': {
      const user = staff(event.staffId)
      const about = { ...ref, room: roomObject(room, after), user: visitor }
      const contents = (before?.waiting ?? []).map((message) => messageObject(room, message, null))
      return [
        {
          to: { kind: 'staff', org, except: [event.staffId] },
          name: 'staff_claim_chat',
          data: { ...about, staff: user },
        },
        { to: { kind: 'person', org, id: event.staffId }, name: 'own_chat_claimed', data: about },
        { to: toVisitor, name: 'staff_join_room', data: { ...inRoom, user } },
        {
          to: { kind: 'supervising', org, except: [event.staffId] },
          name: 'agent_new_chat',
          data: { ...inRoom, user, visitor, contents },
        },
      ]
    }

    case 'ChatTakenOver': {
      const data = { ...inRoom, user: staff(event.staffId) }
      return [
        { to: { kind: 'person', org, id: event.from }, name: 'staff_being_taken_over_chat', data },
        { to: toVisitor, name: 'staff_being_taken_over_chat', data },
        { to: { kind: 'supervising', org }, name: 'staff_take_over_chat', data },
      ]
    }

    case 'ChatFlagged': {
      const data = {
        ...ref,
        room: roomObject(room, after),
        user: staff(event.staffId),
        visitor,
        flagged_chats: flagged(),
      }
      return [
        { to: { kind: 'supervising', org }, name: 'chat_has_changed_priority_for_supervisor', data },
        { to: { kind: 'agents', org }, name: 'chat_has_changed_priority', data },
      ]
    }

    case 'ChatClosed':
      return closedNotices(event.reason.startsWith('visitor'), inRoom, org, staffId, visitor, toVisitor, staff)

    default:
      return unreachable(event)
  }
}

function closedNotices(
  byVisitor: boolean,
  inRoom: InRoom,
  org: string,
  staffId: string | null,
  visitor: VisitorUser,
  toVisitor: Audience,
  staff: (id: string) => StaffUser,
): readonly ChatNotice[] {
  if (staffId === null)
    return [{ to: { kind: 'staff', org }, name: 'visitor_leave_queue', data: { ...inRoom, user: visitor } }]
  const others: Audience = { kind: 'supervising', org, except: [staffId] }
  if (byVisitor) {
    const data = { ...inRoom, user: visitor }
    return [
      { to: { kind: 'person', org, id: staffId }, name: 'visitor_leave', data },
      { to: others, name: 'visitor_leave_chat_for_supervisor', data },
    ]
  }
  const data = { ...inRoom, user: staff(staffId) }
  return [
    { to: toVisitor, name: 'staff_leave', data },
    { to: others, name: 'staff_leave_chat_for_supervisor', data },
  ]
}

/** A person with the object that stands for them on the wire. */
export type Somebody =
  | { readonly kind: 'staff'; readonly user: StaffUser }
  | { readonly kind: 'visitor'; readonly user: VisitorUser }

/** Somebody came or went. Being lost and coming back in time is heard by nobody: they were here all along. */
export interface PresenceChange {
  readonly org: string
  readonly id: string
  readonly recorded: Recorded
  readonly before: OnlineRow | undefined
  readonly after: OnlineRow | undefined
  readonly who: Somebody
}

export function presenceNotices({ org, id, recorded, before, after, who }: PresenceChange): readonly ChatNotice[] {
  if ((before === undefined) === (after === undefined)) return []
  const ref = eventRef(recorded)
  if (who.kind === 'visitor') {
    const data = { ...ref, user: who.user }
    return [{ to: { kind: 'staff', org }, name: after ? 'visitor_goes_online' : 'visitor_goes_offline', data }]
  }
  const data = { ...ref, user: who.user }
  return [{ to: { kind: 'staff', org, except: [id] }, name: after ? 'staff_goes_online' : 'staff_goes_offline', data }]
}

/**
 * Somebody who is online is called something else now: said by coming online again, to everybody, themselves included.
 */
export function renamedNotices(org: string, recorded: Recorded, who: Somebody): readonly ChatNotice[] {
  const ref = eventRef(recorded)
  if (who.kind === 'visitor')
    return [{ to: { kind: 'staff', org }, name: 'visitor_goes_online', data: { ...ref, user: who.user } }]
  return [{ to: { kind: 'staff', org }, name: 'staff_goes_online', data: { ...ref, user: who.user } }]
}
