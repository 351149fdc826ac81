import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about chats. */
export const supportChatRefusals = {
  'chat-already-claimed': [409, 'chat already claimed by {name:staffId}', 'exact'],
  'chat-already-open': [
    409,
    'you already have an open chat; write to it with visitor_msg, or end it with visitor_leave_room',
  ],
  'chat-closed': [409, 'this chat has ended'],
  'chat-full': [409, 'this chat holds as much as a chat may hold; end it and go on in a new one'],
  'chat-not-claimed': [409, 'nobody serves this chat yet; claim it with staff_join'],
  'colleague-not-here': [409, 'nobody with this id is online in your organisation; see online_users'],
  'no-open-chat': [409, 'you have no open chat; start one with visitor_first_msg'],
  'no-replay': [409, 'no replay of this chat is running on this connection'],
  'no-such-chat': [404, 'there is no chat with this id'],
  'no-such-event': [404, 'this chat has no event with that number: at goes from 0 to the seq of its last event'],
  'not-a-colleague': [409, 'chats are served by agents, supervisors and admins; see online_users'],
  'not-serving-chat': [403, 'only {name:staffId}, who serves this chat, may do that'],
  'not-your-part': [403, 'you did not serve this chat any more then'],
  'own-chats-only': [403, 'visitors see their own chats only: leave staff out, and visitor too'],
  'queue-full': [
    409,
    'too much waits here already; write again when somebody has taken this chat, or when fewer are waiting',
  ],
  'rank-too-low': [403, 'only somebody of a higher rank than {name:staffId} may take this chat over'],
  'staff-only': [403, 'this is for agents, supervisors and admins'],
  'supervisors-only': [403, 'this is for supervisors and admins'],
  'too-many-replays': [429, 'too many replays run already; stop one with stop_replay, or try again later'],
  'visitors-only': [403, 'this is for visitors'],
} as const satisfies Refusals

/** Over HTTP it has always been worded so. */
export const supportChatHttpRefusals = {
  ...supportChatRefusals,
  'staff-only': [403, 'only staff may do this'],
} as const satisfies Refusals
