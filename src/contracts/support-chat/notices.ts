import type { ChatEvent } from '../../../machines/chat/events.ts'
import { unreachable } from '../../../machines/kernel.ts'
import { personIn } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { PersonRow } from '../../../projections/people.ts'
import type { Change } from '../../delivery/feed.ts'
import { type Audience, eventRef, type Notice, toPerson } from '../../delivery/notice.ts'
import type { StaffUser, VisitorUser } from '../shared/people.ts'
import { toAgents, toStaff, toSupervising } from './audiences.ts'
import type { Somebody } from './users.ts'
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

/** What notices about a chat name besides the chat itself. */
export interface ChatNames {
  /** A staff member of the chat's organisation. */
  readonly staff: (id: string) => StaffUser
  /** The organisation's flagged chats after the event, newest first, at most 15. */
  readonly flagged: () => readonly FlaggedChat[]
}

/** Staff whom the notices about a change name. */
export function staffIn({ recorded: { event }, after }: Change<ChatRow, ChatEvent>): readonly string[] {
  if ('staffId' in event) return [event.staffId]
  const serving = after?.staffId ?? null
  return event.type === 'ChatClosed' && serving !== null ? [serving] : []
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

  switch (event.type) {
    case 'ChatOpened':
      return [{ to: toStaff(org), name: 'append_unclaimed_chats', data: { ...ref, ...queuedChat(room, after) } }]

    case 'VisitorWrote': {
      const data = { ...inRoom, user: visitor, content: event.content }
      if (staffId === null) return [{ to: toStaff(org), name: 'visitor_unclaimed_msg', data }]
      return [
        { to: toPerson(org, staffId), name: 'visitor_send', data },
        { to: toSupervising(org, [staffId]), name: 'new_visitor_msg_for_supervisor', data },
      ]
    }

    case 'StaffWrote': {
      const data = { ...inRoom, user: staff(event.staffId), content: event.content }
      return [
        { to: toVisitor, name: 'staff_send', data },
        { to: toSupervising(org, [event.staffId]), name: 'new_staff_msg_for_supervisor', data },
      ]
    }

    case 'ChatClaimed': {
      const user = staff(event.staffId)
      const about = { ...ref, room: roomObject(room, after), user: visitor }
      const contents = (before?.waiting ?? []).map((message) => messageObject(room, message, null))
      return [
        {
          to: toStaff(org, [event.staffId]),
          name: 'staff_claim_chat',
          data: { ...about, staff: user },
        },
        { to: toPerson(org, event.staffId), name: 'own_chat_claimed', data: about },
        { to: toVisitor, name: 'staff_join_room', data: { ...inRoom, user } },
        {
          to: toSupervising(org, [event.staffId]),
          name: 'agent_new_chat',
          data: { ...inRoom, user, visitor, contents },
        },
      ]
    }

    case 'ChatTakenOver': {
      const data = { ...inRoom, user: staff(event.staffId) }
      return [
        { to: toPerson(org, event.from), name: 'staff_being_taken_over_chat', data },
        { to: toVisitor, name: 'staff_being_taken_over_chat', data },
        { to: toSupervising(org), name: 'staff_take_over_chat', data },
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
        { to: toSupervising(org), name: 'chat_has_changed_priority_for_supervisor', data },
        { to: toAgents(org), name: 'chat_has_changed_priority', data },
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
  if (staffId === null) return [{ to: toStaff(org), name: 'visitor_leave_queue', data: { ...inRoom, user: visitor } }]
  const others: Audience = toSupervising(org, [staffId])
  if (byVisitor) {
    const data = { ...inRoom, user: visitor }
    return [
      { to: toPerson(org, staffId), name: 'visitor_leave', data },
      { to: others, name: 'visitor_leave_chat_for_supervisor', data },
    ]
  }
  const data = { ...inRoom, user: staff(staffId) }
  return [
    { to: toVisitor, name: 'staff_leave', data },
    { to: others, name: 'staff_leave_chat_for_supervisor', data },
  ]
}

/** Somebody came or went. Being lost and coming back in time is heard by nobody: they were here all along. */
export function presenceNotices(change: Change<OnlineRow>, who: Somebody): readonly ChatNotice[] {
  const { key, recorded, before, after } = change
  if ((before === undefined) === (after === undefined)) return []
  const { org, id } = personIn(key)
  const ref = eventRef(recorded)
  if (who.kind === 'visitor') {
    const data = { ...ref, user: who.user }
    return [{ to: toStaff(org), name: after ? 'visitor_goes_online' : 'visitor_goes_offline', data }]
  }
  const data = { ...ref, user: who.user }
  return [{ to: toStaff(org, [id]), name: after ? 'staff_goes_online' : 'staff_goes_offline', data }]
}

/**
 * Somebody who is online is called something else now: said by coming online again, to everybody, themselves included.
 */
export function renamedNotices({ key, recorded }: Change<PersonRow>, who: Somebody): readonly ChatNotice[] {
  const to = toStaff(personIn(key).org)
  const ref = eventRef(recorded)
  if (who.kind === 'visitor') return [{ to, name: 'visitor_goes_online', data: { ...ref, user: who.user } }]
  return [{ to, name: 'staff_goes_online', data: { ...ref, user: who.user } }]
}
