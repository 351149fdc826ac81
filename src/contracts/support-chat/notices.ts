import type { ChatCloseReason, ChatEvent } from '../../../machines/chat/events.ts'
import { unreachable } from '../../../machines/kernel.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { Change } from '../../delivery/feed.ts'
import { type Audience, eventRef, type Notice, toPerson } from '../../delivery/notice.ts'
import type { StaffUser } from '../shared/people.ts'
import { toAgents, toStaff, toSupervising } from './audiences.ts'
import { returnedNotices, type ServingChange, saidBefore, seatedNotices } from './serving-notices.ts'
import { chatVisitor, type FlaggedChat, queuedChat, roomObject, type SupportChatWire } from './wire.ts'

type ChatNotice = Notice<SupportChatWire>

/** What notices about a chat name besides the chat itself. */
export interface ChatNames {
  /** A staff member of the chat's organisation. */
  readonly staff: (id: string) => StaffUser
  /** The organisation's flagged chats after the event, newest first, at most 15. */
  readonly flagged: () => readonly FlaggedChat[]
}

/** Staff whom the notices about a change name. */
export function staffIn({ recorded: { event }, before, after }: Change<ChatRow, ChatEvent>): readonly string[] {
  switch (event.type) {
    case 'ChatClaimed':
    case 'ChatTakenOver':
    case 'ChatTransferred':
    case 'ChatAssigned':
      return [event.staffId, ...new Set(saidBefore(before).flatMap(({ staffId }) => staffId ?? []))]
    case 'StaffWrote':
    case 'ChatReturned':
    case 'ChatFlagged':
      return [event.staffId]
    case 'ChatClosed':
      return after?.staffId ? [after.staffId] : []
    case 'ChatOpened':
    case 'VisitorWrote':
      return []
    default:
      return unreachable(event)
  }
}

/** One case per recorded event; nothing else decides who hears what of a chat. */
export function chatNotices(change: Change<ChatRow, ChatEvent>, { staff, flagged }: ChatNames): readonly ChatNotice[] {
  const { key: room, recorded, before, after } = change
  if (!after) return []
  const { event } = recorded
  const { org, staffId } = after
  const ref = eventRef(recorded)
  const inRoom = { ...ref, room }
  const visitor = chatVisitor(after)
  const toVisitor = toPerson(org, after.visitorId)
  const said = { sequence_num: after.messages, at: recorded.at }
  const serving = { before, after, inRoom, room: roomObject(room, after), visitor, staff }

  switch (event.type) {
    case 'ChatOpened':
      return [
        { to: toStaff(org), name: 'append_unclaimed_chats', data: { ...ref, ...queuedChat(room, after) } },
        { to: toVisitor, name: 'own_chat_opened', data: { ...inRoom, user: visitor, content: event.content, ...said } },
      ]

    case 'VisitorWrote': {
      const data = { ...inRoom, user: visitor, content: event.content, ...said }
      const own = { to: toVisitor, name: 'own_msg', data } as const
      if (staffId === null) return [{ to: toStaff(org), name: 'visitor_unclaimed_msg', data }, own]
      return [
        { to: toPerson(org, staffId), name: 'visitor_send', data },
        { to: toSupervising(org, [staffId]), name: 'new_visitor_msg_for_supervisor', data },
        own,
      ]
    }

    case 'StaffWrote': {
      const data = { ...inRoom, user: staff(event.staffId), content: event.content, ...said }
      return [
        { to: toVisitor, name: 'staff_send', data },
        { to: toSupervising(org, [event.staffId]), name: 'new_staff_msg_for_supervisor', data },
        { to: toPerson(org, event.staffId), name: 'own_msg', data },
      ]
    }

    case 'ChatClaimed':
    case 'ChatTakenOver':
    case 'ChatTransferred':
    case 'ChatAssigned':
      return seatedNotices(event, serving)

    case 'ChatReturned':
      return returnedNotices(event, serving)

    case 'ChatFlagged': {
      const data = {
        ...ref,
        room: roomObject(room, after),
        user: staff(event.staffId),
        visitor,
        flagged_chats: flagged(),
      }
      return [
        { to: toSupervising(org), name: 'chat_has_changed_priority_for_supervisor', data },
        { to: toAgents(org), name: 'chat_has_changed_priority', data },
      ]
    }

    case 'ChatClosed':
      return closedNotices(event.reason, serving)

    default:
      return unreachable(event)
  }
}

/** Whoever ended it is told in their other tabs, whoever did not by the document's event. */
function closedNotices(reason: ChatCloseReason, change: ServingChange): readonly ChatNotice[] {
  const { after, inRoom, visitor, staff } = change
  const { org, staffId } = after
  const toVisitor = toPerson(org, after.visitorId)
  const byVisitor = { ...inRoom, user: visitor }
  const ownEnd = { to: toVisitor, name: 'own_chat_closed', data: { ...byVisitor, reason } } as const
  if (staffId === null) return [{ to: toStaff(org), name: 'visitor_leave_queue', data: byVisitor }, ownEnd]
  const others: Audience = toSupervising(org, [staffId])
  const toServing = toPerson(org, staffId)
  if (reason.startsWith('visitor'))
    return [
      { to: toServing, name: 'visitor_leave', data: byVisitor },
      { to: others, name: 'visitor_leave_chat_for_supervisor', data: byVisitor },
      ownEnd,
    ]
  const data = { ...inRoom, user: staff(staffId) }
  return [
    { to: toVisitor, name: 'staff_leave', data },
    { to: others, name: 'staff_leave_chat_for_supervisor', data },
    { to: toServing, name: 'own_chat_closed', data: { ...data, reason } },
  ]
}
