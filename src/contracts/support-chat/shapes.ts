import { z } from 'zod'
import type { Content } from '../../../machines/chat/events.ts'
import type { Shape } from '../../delivery/shape.ts'
import { staffUserShape as staff, visitorUserShape as visitor } from '../shared/people-shapes.ts'
import { posShape as pos, eventRefShape as ref } from '../shared/wire-shapes.ts'
import type { MessageObject, OwnChat, StaffInit, SupportChatWire, VisitorInit } from './wire.ts'

const milliseconds = z.int().meta({ description: 'Milliseconds since 1970.', examples: [1_767_225_600_000] })
// any JSON object is content
const content: z.ZodType<Content> = z
  .record(z.string(), z.unknown())
  .meta({ id: 'Content', description: 'Any JSON object.', examples: [{ text: 'Hello' }] }) as z.ZodType<Content>
const contents = z.array(content).readonly()
const room = z
  .strictObject({
    id: z.string(),
    visitor_id: z.string(),
    tags: z.array(z.string()).readonly(),
    severity_level: z.int().min(0).max(100),
    created_at: milliseconds,
    updated_at: milliseconds.nullable(),
  })
  .meta({ id: 'RoomObject', description: 'A chat. `updated_at` is when its priority last changed.' })
const message: z.ZodType<MessageObject> = z
  .strictObject({
    id: z.string(),
    chat_id: z.string(),
    sender: staff.nullable(),
    content,
    type_id: z.literal(1),
    sequence_num: z.int().min(1),
    created_at: z.int(),
    updated_at: z.null(),
  })
  .meta({ id: 'MessageObject', description: 'A message; `sender` null = the visitor. `created_at` in seconds.' })
const messages = z.array(message).readonly()
const flagged = z.array(z.strictObject({ user: visitor, room }).meta({ id: 'FlaggedChat' })).readonly()
const contents_total = z.int().min(0).meta({ description: 'How many there are; `contents` are the newest of them.' })
const queued = { user: visitor, room, contents, contents_total }
const transcript = { contents: messages, contents_total }
const until = z
  .string()
  .nullable()
  .meta({ description: 'Up to which place the list goes, which then has more; null = it is whole.', examples: [null] })

const own = {
  user: visitor,
  room,
  state: z.enum(['claimed', 'takenOver']),
  unread: z.int().min(0),
  unread_since: milliseconds.nullable(),
}
const ownChat: z.ZodType<OwnChat> = z.strictObject(own).meta({ id: 'OwnChat' })
const somebody = z.union([visitor, staff])
const reason = z.enum(['visitor-left', 'staff-left', 'visitor-disconnected', 'staff-disconnected'])

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
  append_unclaimed_chats: z.strictObject({ ...ref, ...queued }).describe('To all staff: a new chat waits.'),
  visitor_unclaimed_msg: visitorWrote.describe('To all staff: a message in a chat that nobody serves.'),
  visitor_leave_queue: byVisitor.describe('To all staff: a chat that nobody served is closed.'),
  staff_claim_chat: z
    .strictObject({ ...ref, room, user: visitor, staff })
    .describe('To all other staff: somebody serves this chat from now on.'),
  staff_join_room: byStaff.describe('To the visitor: who serves them from now on.'),
  agent_new_chat: z
    .strictObject({ ...inRoom, user: staff, visitor, ...transcript })
    .describe('To the other supervisors and admins: somebody serves this chat from now on; what was said so far.'),
  visitor_send: visitorWrote.describe('To whoever serves the chat: the visitor has written.'),
  new_visitor_msg_for_supervisor: visitorWrote.describe(
    'To the other supervisors and admins: the visitor has written.',
  ),
  staff_send: staffWrote.describe('To the visitor: whoever serves them has written.'),
  new_staff_msg_for_supervisor: staffWrote.describe(
    'To the other supervisors and admins: whoever serves the chat has written.',
  ),
  staff_being_taken_over_chat: byStaff.describe(
    'To the replaced person and the visitor: `user` serves the chat from now on.',
  ),
  staff_take_over_chat: byStaff.describe('To all supervisors and admins: `user` serves the chat from now on.'),
  chat_has_changed_priority_for_supervisor: priority.describe(
    'To supervisors and admins: a priority, and all flagged chats as they are now.',
  ),
  staff_leave: byStaff.describe('To the visitor: whoever served them has ended the chat.'),
  staff_leave_chat_for_supervisor: byStaff.describe(
    'To the other supervisors and admins: whoever served the chat has ended it.',
  ),
  visitor_leave: byVisitor.describe('To whoever serves the chat: the visitor has ended it.'),
  visitor_leave_chat_for_supervisor: byVisitor.describe(
    'To the other supervisors and admins: the visitor has ended it.',
  ),
  staff_goes_online: staffHere.describe('To all other staff: somebody is here, or is called something else now.'),
  staff_goes_offline: staffHere.describe('To all other staff: somebody is gone.'),
  visitor_goes_online: visitorHere.describe('To all staff: a visitor is here, or is called something else now.'),
  visitor_goes_offline: visitorHere.describe('To all staff: a visitor is gone.'),
  chat_has_changed_priority: priority.describe('To agents: a priority, and all flagged chats as they are now.'),
  own_chat_claimed: z
    .strictObject({ ...ref, ...own, staff, from_queue: z.boolean(), ...transcript })
    .describe('To all connections of whoever serves the chat from now on: how it stands, and what was said so far.'),
  own_chat_opened: visitorWrote.describe('To all connections of the visitor: they have opened a chat.'),
  own_msg: z
    .union([visitorWrote, staffWrote])
    .describe('To all connections of the writer, visitor or staff: what they have written.'),
  own_chat_closed: z
    .strictObject({ ...inRoom, user: somebody, reason })
    .describe('To all connections of whoever ended the chat: it is over.'),
  own_chat_returned: byVisitor.describe('To all connections of whoever served: the chat waits in the queue again.'),
  staff_return_chat: byStaff.describe('To the visitor: nobody serves them any more, they wait again.'),
  staff_return_chat_for_supervisor: byStaff.describe(
    'To the other supervisors and admins: the chat waits in the queue again.',
  ),
}

/** What a staff member is told on arrival. */
export const staffInitShape: Shape<StaffInit> = z
  .strictObject({
    online_users: z.array(staff).readonly(),
    online_users_until: until,
    online_visitors: z.array(visitor).readonly(),
    online_visitors_until: until,
    unclaimed_chats: z.array(z.strictObject(queued).meta({ id: 'QueuedChat' })).readonly(),
    unclaimed_total: z.int().min(0),
    unclaimed_until: until,
    flagged_chats: flagged,
    own_chats: z.array(ownChat).readonly(),
    own_until: until,
    pos,
  })
  .describe('To each connection of staff, on connecting: everything that they look at.')

/** What a visitor is told on arrival. */
export const visitorInitShape: Shape<VisitorInit> = z
  .strictObject({
    user: visitor,
    chat: z.strictObject({ room: z.string(), staff: staff.nullable(), messages }).nullable(),
    pos,
  })
  .describe('To each connection of a visitor, on connecting: the chat that they have open.')

/** What a supervisor or an admin is told who replays a chat. */
export const replayShapes = {
  replay_event: z
    .strictObject({
      ...inRoom,
      at: milliseconds,
      speed: z.number(),
      to: z.string().describe('Who heard it: the kind of its audience.'),
      event: z.string().describe('The name of the push.'),
      data: z.record(z.string(), z.unknown()).describe('Its data.'),
    })
    .describe('To the connection that replays a chat: a push as it was told, paced by the times of the log.'),
  replay_ended: z
    .strictObject({ room: z.string(), seq: z.int().min(-1) })
    .describe('To the connection that replays a chat: that was all of it, up to the event `seq`.'),
}
