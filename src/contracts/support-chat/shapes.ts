import { z } from 'zod'
import type { Content } from '../../../machines/chat/events.ts'
import type { Shape } from '../../delivery/contract.ts'
import { staffUserShape as staff, visitorUserShape as visitor } from '../shared/people-shapes.ts'
import { eventRefShape as ref } from '../shared/wire-shapes.ts'
import type { MessageObject, OwnChat, StaffInit, SupportChatWire, VisitorInit } from './wire.ts'

const milliseconds = z.int()
// any JSON object is content
const content: z.ZodType<Content> = z.record(z.string(), z.unknown()) as z.ZodType<Content>
const contents = z.array(content).readonly()
const room = z.strictObject({
  id: z.string(),
  visitor_id: z.string(),
  tags: z.array(z.string()).readonly(),
  severity_level: z.int().min(0).max(100),
  created_at: milliseconds,
  updated_at: milliseconds.nullable(),
})
const message: z.ZodType<MessageObject> = z.strictObject({
  id: z.string(),
  chat_id: z.string(),
  sender: staff.nullable(),
  content,
  type_id: z.literal(1),
  sequence_num: z.int().min(1),
  created_at: z.int(),
  updated_at: z.null(),
})
const messages = z.array(message).readonly()
const flagged = z.array(z.strictObject({ user: visitor, room })).readonly()
const queued = { user: visitor, room, contents }

const own = {
  user: visitor,
  room,
  state: z.enum(['claimed', 'takenOver']),
  unread: z.int().min(0),
  unread_since: milliseconds.nullable(),
}
const ownChat: z.ZodType<OwnChat> = z.strictObject(own)
const somebody = z.union([visitor, staff])
const reason = z.enum(['visitor-left', 'staff-left', 'visitor-disconnected', 'staff-disconnected'])
const pos = z.string().regex(/^\d+$/)

const said = { sequence_num: z.int().min(1), at: milliseconds }
const inRoom = { ...ref, room: z.string() }
const byStaff = z.strictObject({ ...inRoom, user: staff })
const byVisitor = z.strictObject({ ...inRoom, user: visitor })
const staffWrote = z.strictObject({ ...inRoom, user: staff, content, ...said })
const visitorWrote = z.strictObject({ ...inRoom, user: visitor, content, ...said })
const priority = z.strictObject({ ...ref, room, user: staff, visitor, flagged_chats: flagged })
const staffHere = z.strictObject({ ...ref, user: staff })
const visitorHere = z.strictObject({ ...ref, user: visitor })

/** The shape of everything that this contract pushes. */
export const supportChatShapes: { readonly [Name in keyof SupportChatWire]: Shape<SupportChatWire[Name]> } = {
  append_unclaimed_chats: z.strictObject({ ...ref, ...queued }),
  visitor_unclaimed_msg: visitorWrote,
  visitor_leave_queue: byVisitor,
  staff_claim_chat: z.strictObject({ ...ref, room, user: visitor, staff }),
  staff_join_room: byStaff,
  agent_new_chat: z.strictObject({ ...inRoom, user: staff, visitor, contents: messages }),
  visitor_send: visitorWrote,
  new_visitor_msg_for_supervisor: visitorWrote,
  staff_send: staffWrote,
  new_staff_msg_for_supervisor: staffWrote,
  staff_being_taken_over_chat: byStaff,
  staff_take_over_chat: byStaff,
  chat_has_changed_priority_for_supervisor: priority,
  staff_leave: byStaff,
  staff_leave_chat_for_supervisor: byStaff,
  visitor_leave: byVisitor,
  visitor_leave_chat_for_supervisor: byVisitor,
  staff_goes_online: staffHere,
  staff_goes_offline: staffHere,
  visitor_goes_online: visitorHere,
  visitor_goes_offline: visitorHere,
  chat_has_changed_priority: priority,
  own_chat_claimed: z.strictObject({ ...ref, ...own, staff, contents: messages }),
  own_chat_opened: visitorWrote,
  own_msg: z.union([visitorWrote, staffWrote]),
  own_chat_closed: z.strictObject({ ...inRoom, user: somebody, reason }),
  own_chat_returned: byVisitor,
  staff_return_chat: byStaff,
  staff_return_chat_for_supervisor: byStaff,
}

/** What a staff member is told on arrival. */
export const staffInitShape: Shape<StaffInit> = z.strictObject({
  online_users: z.array(staff).readonly(),
  online_visitors: z.array(visitor).readonly(),
  unclaimed_chats: z.array(z.strictObject(queued)).readonly(),
  flagged_chats: flagged,
  own_chats: z.array(ownChat).readonly(),
  pos,
})

/** What a visitor is told on arrival. */
export const visitorInitShape: Shape<VisitorInit> = z.strictObject({
  user: visitor,
  chat: z.strictObject({ room: z.string(), staff: staff.nullable(), messages }).nullable(),
  pos,
})
