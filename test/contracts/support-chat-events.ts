/**
 * What each push of the support-chat document must hold, and what we add. `room` is `object` where the document shows
 * one.
 */
export interface Shape {
  readonly user: 'staff' | 'visitor'
  readonly room?: 'object' | 'id'
  readonly also?: readonly string[]
}

export const PERSON = {
  staff: [
    'created_at',
    'disabled',
    'display_name',
    'email',
    'full_name',
    'id',
    'organisation_id',
    'role_id',
    'updated_at',
  ],
  visitor: ['created_at', 'disabled', 'email', 'id', 'is_anonymous', 'name', 'updated_at'],
}
export const ROOM = ['created_at', 'id', 'severity_level', 'tags', 'updated_at', 'visitor_id']
export const MESSAGE = ['chat_id', 'content', 'created_at', 'id', 'sender', 'sequence_num', 'type_id', 'updated_at']

const SAID = ['at', 'content', 'sequence_num'] as const

export const PUSHES: Readonly<Record<string, Shape>> = {
  append_unclaimed_chats: { user: 'visitor', room: 'object', also: ['contents', 'contents_total'] },
  visitor_unclaimed_msg: { user: 'visitor', room: 'id', also: [...SAID] },
  visitor_leave_queue: { user: 'visitor', room: 'id' },
  staff_claim_chat: { user: 'visitor', room: 'object', also: ['staff'] },
  staff_join_room: { user: 'staff', room: 'id' },
  agent_new_chat: { user: 'staff', room: 'id', also: ['contents', 'contents_total', 'visitor'] },
  visitor_send: { user: 'visitor', room: 'id', also: [...SAID] },
  new_visitor_msg_for_supervisor: { user: 'visitor', room: 'id', also: [...SAID] },
  staff_send: { user: 'staff', room: 'id', also: [...SAID] },
  new_staff_msg_for_supervisor: { user: 'staff', room: 'id', also: [...SAID] },
  staff_being_taken_over_chat: { user: 'staff', room: 'id' },
  staff_take_over_chat: { user: 'staff', room: 'id' },
  chat_has_changed_priority_for_supervisor: { user: 'staff', room: 'object', also: ['flagged_chats', 'visitor'] },
  staff_leave: { user: 'staff', room: 'id' },
  staff_leave_chat_for_supervisor: { user: 'staff', room: 'id' },
  visitor_leave: { user: 'visitor', room: 'id' },
  visitor_leave_chat_for_supervisor: { user: 'visitor', room: 'id' },
  staff_goes_online: { user: 'staff' },
  staff_goes_offline: { user: 'staff' },
  // Ours: the document has no name for these.
  own_chat_claimed: {
    user: 'visitor',
    room: 'object',
    also: ['contents', 'contents_total', 'from_queue', 'staff', 'state', 'unread', 'unread_since'],
  },
  own_chat_opened: { user: 'visitor', room: 'id', also: [...SAID] },
  chat_has_changed_priority: { user: 'staff', room: 'object', also: ['flagged_chats', 'visitor'] },
  visitor_goes_online: { user: 'visitor' },
  visitor_goes_offline: { user: 'visitor' },
}

export const keys = (value: object): string[] => Object.keys(value).sort()
