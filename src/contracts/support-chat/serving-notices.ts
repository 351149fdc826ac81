import type { ChatEvent } from '../../../machines/chat/events.ts'
import { newestSaid, TOLD, type WaitingMessage } from '../../../projections/chat-transcript.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import { type Notice, toPerson } from '../../delivery/notice.ts'
import type { StaffUser, VisitorUser } from '../shared/people.ts'
import { toStaff, toSupervising } from './audiences.ts'
import { type InRoom, messageObject, ownChat, queuedChat, type RoomObject, type SupportChatWire } from './wire.ts'

type ChatNotice = Notice<SupportChatWire>
type OfType<T extends ChatEvent['type']> = Extract<ChatEvent, { readonly type: T }>
/** Somebody serves the chat from now on. */
export type Seated = OfType<'ChatClaimed' | 'ChatTakenOver' | 'ChatTransferred' | 'ChatAssigned'>

/** A change of who serves a chat, in the words of the wire. */
export interface ServingChange {
  readonly before: ChatRow | undefined
  readonly after: ChatRow
  readonly inRoom: InRoom
  readonly room: RoomObject
  readonly visitor: VisitorUser
  readonly staff: (id: string) => StaffUser
}

type SaidMessage = WaitingMessage & { readonly staffId: string | null }

/** The end of what was said when somebody came to serve: a new chat's row has all of it, or its stream was read. */
export const saidBefore = (before: ChatRow | undefined): readonly SaidMessage[] =>
  before?.said
    ? newestSaid(before.said.all, TOLD)
    : (before?.waiting ?? []).map((message) => ({ ...message, staffId: null }))

/** Somebody serves the chat from now on: who is told, whatever the way in which it came about. */
export function seatedNotices(event: Seated, change: ServingChange): readonly ChatNotice[] {
  const { before, after, inRoom, room, visitor, staff } = change
  const { org } = after
  const { staffId } = event
  const user = staff(staffId)
  const contents = saidBefore(before).map((message) =>
    messageObject(inRoom.room, message, message.staffId === null ? null : staff(message.staffId)),
  )
  const transcript = { contents, contents_total: after.messages }
  const about = { ...inRoom, room, user: visitor, staff: user }
  const data = { ...inRoom, user }
  const toVisitor = toPerson(org, after.visitorId)
  const own: ChatNotice = {
    to: toPerson(org, staffId),
    name: 'own_chat_claimed',
    data: { ...about, ...ownChat(inRoom.room, after), from_queue: event.type === 'ChatClaimed', ...transcript },
  }

  const from = event.type === 'ChatClaimed' ? null : event.from
  if (from === null) {
    // Whoever claims takes it from the own queue by the answer; whoever is given a chat has asked nothing.
    const taken = toStaff(org, event.type === 'ChatClaimed' ? [staffId] : [])
    return [
      { to: taken, name: 'staff_claim_chat', data: about },
      own,
      { to: toVisitor, name: 'staff_join_room', data },
      { to: toSupervising(org, [staffId]), name: 'agent_new_chat', data: { ...data, visitor, ...transcript } },
    ]
  }
  const isTakeOver = event.type === 'ChatTakenOver'
  return [
    { to: toPerson(org, from), name: 'staff_being_taken_over_chat', data },
    { to: toVisitor, name: isTakeOver ? 'staff_being_taken_over_chat' : 'staff_join_room', data },
    { to: toSupervising(org), name: 'staff_take_over_chat', data },
    own,
  ]
}

/** The chat is in the queue again. */
export function returnedNotices({ staffId }: OfType<'ChatReturned'>, change: ServingChange): readonly ChatNotice[] {
  const { after, inRoom, visitor, staff } = change
  const { org } = after
  const data = { ...inRoom, user: staff(staffId) }
  return [
    { to: toPerson(org, after.visitorId), name: 'staff_return_chat', data },
    { to: toPerson(org, staffId), name: 'own_chat_returned', data: { ...inRoom, user: visitor } },
    { to: toSupervising(org, [staffId]), name: 'staff_return_chat_for_supervisor', data },
    { to: toStaff(org), name: 'append_unclaimed_chats', data: { ...inRoom, ...queuedChat(inRoom.room, after) } },
  ]
}
