// Written by `npm run client-types` from the shapes of the contracts: do not change it by hand.

export type PresentPerson = {
  readonly participant_id: string
  readonly role: 'visitor' | 'agent' | 'supervisor' | 'admin' | 'teacher' | 'student'
  readonly name: string | null
  readonly since: string
}

/** A visitor. */
export type VisitorUser = {
  readonly email: string | null
  readonly is_anonymous: boolean
  readonly created_at: number
  readonly updated_at: number | null
  readonly name: string | null
  readonly id: string
  readonly disabled: boolean
}

/** A chat. `updated_at` is when its priority last changed. */
export type RoomObject = {
  readonly id: string
  readonly visitor_id: string
  readonly tags: readonly string[]
  readonly severity_level: number
  readonly created_at: number
  readonly updated_at: number | null
}

/** Any JSON object. */
export type Content = Readonly<Record<string, unknown>>

/** A staff member. */
export type StaffUser = {
  readonly email: string | null
  readonly created_at: number
  readonly full_name: string | null
  readonly updated_at: number | null
  readonly id: string
  readonly display_name: string | null
  readonly organisation_id: string
  readonly disabled: boolean
  readonly role_id: 1 | 2 | 3 | null
}

/** A message; `sender` null = the visitor. `created_at` in seconds. */
export type MessageObject = {
  readonly id: string
  readonly chat_id: string
  readonly sender: StaffUser | null
  readonly content: Content
  readonly type_id: 1
  readonly sequence_num: number
  readonly created_at: number
  readonly updated_at: null
}

export type FlaggedChat = {
  readonly user: VisitorUser
  readonly room: RoomObject
}

export type QueuedChat = {
  readonly user: VisitorUser
  readonly room: RoomObject
  readonly contents: readonly Content[]
  readonly contents_total: number
}

export type OwnChat = {
  readonly user: VisitorUser
  readonly room: RoomObject
  readonly state: 'claimed' | 'takenOver'
  readonly unread: number
  readonly unread_since: number | null
}

export type ActiveSession = {
  readonly sessionId: string
  readonly teacherId: string
  readonly studentCount: number
  readonly startedAt: string
}

/** Everything that a client can hear, by name. */
export interface Events {
  /** Why something was refused, besides the ack; or why there will be no more pushes of this course or video. */
  readonly error: {
    readonly message: string
    readonly code: string
    readonly event: string
    readonly course_id?: string
    readonly video_id?: string
  }
  /** To a new connection with `resume=1`, after its opening state: from here on it can come back. */
  readonly cursor: {
    readonly pos: string
  }
  /** What was missed cannot be told, because the cursor is not known: forget all, the opening state follows. */
  readonly cursor_unknown: {
    readonly after: string | null
    readonly code: 'cursor-unknown' | 'views-unavailable'
    readonly message: string
  }
  /** To the hubs of an organisation: a teacher has come. */
  readonly teacher_login: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly display_name: string
  }
  /** To a connection without a token, on connecting: who it is, and the `auth.token` to be the same again. */
  readonly participant_id: {
    readonly participant_id: string
    readonly token: string
  }
  /** To everybody in the lesson: it has begun. */
  readonly lesson_started: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly started_at: string
    readonly due_at: string
  }
  /** To everybody who waits in the lesson or looks on: it has another title or time. */
  readonly lesson_changed: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly title: string
    readonly starts_at: string
    readonly planned_minutes: number
  }
  /** To everybody in the lesson: it is over, and nobody is in any more. */
  readonly lesson_ended: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly ended_at: string
    readonly reason: 'ended' | 'overrun' | 'not-started'
  }
  /** To everybody in the lesson: these have come in. */
  readonly participant_joined: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly participants: readonly ({
      readonly participant_id: string
      readonly role: 'visitor' | 'agent' | 'supervisor' | 'admin' | 'teacher' | 'student'
      readonly name: string | null
      readonly at: string
      readonly seq: number
    })[]
  }
  /** To everybody in the lesson: these are out. */
  readonly participant_left: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly participants: readonly ({
      readonly participant_id: string
      readonly role: 'visitor' | 'agent' | 'supervisor' | 'admin' | 'teacher' | 'student'
      readonly name: string | null
      readonly at: string
      readonly seq: number
      readonly reason: 'left' | 'disconnected'
    })[]
  }
  /** To everybody in the lesson: these were lost and are back. */
  readonly participant_reconnected: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly participants: readonly ({
      readonly participant_id: string
      readonly role: 'visitor' | 'agent' | 'supervisor' | 'admin' | 'teacher' | 'student'
      readonly name: string | null
      readonly at: string
      readonly seq: number
      readonly seconds_away: number
    })[]
  }
  /** To whoever comes in, and again to every connection of theirs: how the lesson stands. */
  readonly lesson_state: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly lesson_id: string
    readonly title: string
    readonly teacher_id: string
    readonly state: 'scheduled' | 'live' | 'ended'
    readonly starts_at: string
    readonly planned_minutes: number
    readonly started_at: string | null
    readonly due_at: string | null
    readonly ended_at: string | null
    readonly participants: readonly PresentPerson[]
  }
  /** To all staff: a new chat waits. */
  readonly append_unclaimed_chats: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user: VisitorUser
    readonly room: RoomObject
    readonly contents: readonly Content[]
    readonly contents_total: number
  }
  /** To all staff: a message in a chat that nobody serves. */
  readonly visitor_unclaimed_msg: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To all staff: a chat that nobody served is closed. */
  readonly visitor_leave_queue: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
  }
  /** To all other staff: somebody serves this chat from now on. */
  readonly staff_claim_chat: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: RoomObject
    readonly user: VisitorUser
    readonly staff: StaffUser
  }
  /** To the visitor: who serves them from now on. */
  readonly staff_join_room: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To the other supervisors and admins: somebody serves this chat from now on; what was said so far. */
  readonly agent_new_chat: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
    readonly visitor: VisitorUser
    readonly contents: readonly MessageObject[]
    readonly contents_total: number
  }
  /** To whoever serves the chat: the visitor has written. */
  readonly visitor_send: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To the other supervisors and admins: the visitor has written. */
  readonly new_visitor_msg_for_supervisor: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To the visitor: whoever serves them has written. */
  readonly staff_send: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To the other supervisors and admins: whoever serves the chat has written. */
  readonly new_staff_msg_for_supervisor: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To the replaced person and the visitor: `user` serves the chat from now on. */
  readonly staff_being_taken_over_chat: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To all supervisors and admins: `user` serves the chat from now on. */
  readonly staff_take_over_chat: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To supervisors and admins: a priority, and all flagged chats as they are now. */
  readonly chat_has_changed_priority_for_supervisor: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: RoomObject
    readonly user: StaffUser
    readonly visitor: VisitorUser
    readonly flagged_chats: readonly FlaggedChat[]
  }
  /** To the visitor: whoever served them has ended the chat. */
  readonly staff_leave: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To the other supervisors and admins: whoever served the chat has ended it. */
  readonly staff_leave_chat_for_supervisor: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To whoever serves the chat: the visitor has ended it. */
  readonly visitor_leave: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
  }
  /** To the other supervisors and admins: the visitor has ended it. */
  readonly visitor_leave_chat_for_supervisor: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
  }
  /** To all other staff: somebody is here, or is called something else now. */
  readonly staff_goes_online: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user: StaffUser
  }
  /** To all other staff: somebody is gone. */
  readonly staff_goes_offline: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user: StaffUser
  }
  /** To all staff: a visitor is here, or is called something else now. */
  readonly visitor_goes_online: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user: VisitorUser
  }
  /** To all staff: a visitor is gone. */
  readonly visitor_goes_offline: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user: VisitorUser
  }
  /** To agents: a priority, and all flagged chats as they are now. */
  readonly chat_has_changed_priority: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: RoomObject
    readonly user: StaffUser
    readonly visitor: VisitorUser
    readonly flagged_chats: readonly FlaggedChat[]
  }
  /** To all connections of whoever serves the chat from now on: how it stands, and what was said so far. */
  readonly own_chat_claimed: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user: VisitorUser
    readonly room: RoomObject
    readonly state: 'claimed' | 'takenOver'
    readonly unread: number
    readonly unread_since: number | null
    readonly staff: StaffUser
    readonly from_queue: boolean
    readonly contents: readonly MessageObject[]
    readonly contents_total: number
  }
  /** To all connections of the visitor: they have opened a chat. */
  readonly own_chat_opened: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To all connections of the writer, visitor or staff: what they have written. */
  readonly own_msg: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  } | {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
    readonly content: Content
    readonly sequence_num: number
    readonly at: number
  }
  /** To all connections of whoever ended the chat: it is over. */
  readonly own_chat_closed: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser | StaffUser
    readonly reason: 'visitor-left' | 'staff-left' | 'visitor-disconnected' | 'staff-disconnected'
  }
  /** To all connections of whoever served: the chat waits in the queue again. */
  readonly own_chat_returned: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: VisitorUser
  }
  /** To the visitor: nobody serves them any more, they wait again. */
  readonly staff_return_chat: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To the other supervisors and admins: the chat waits in the queue again. */
  readonly staff_return_chat_for_supervisor: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly user: StaffUser
  }
  /** To each connection of staff, on connecting: everything that they look at. */
  readonly staff_init: {
    readonly online_users: readonly StaffUser[]
    readonly online_users_until: string | null
    readonly online_visitors: readonly VisitorUser[]
    readonly online_visitors_until: string | null
    readonly unclaimed_chats: readonly QueuedChat[]
    readonly unclaimed_total: number
    readonly unclaimed_until: string | null
    readonly flagged_chats: readonly FlaggedChat[]
    readonly own_chats: readonly OwnChat[]
    readonly own_until: string | null
    readonly pos: string
  }
  /** To each connection of a visitor, on connecting: the chat that they have open. */
  readonly visitor_init: {
    readonly user: VisitorUser
    readonly chat: {
      readonly room: string
      readonly staff: StaffUser | null
      readonly messages: readonly MessageObject[]
    } | null
    readonly pos: string
  }
  /** To the connection that replays a chat: a push as it was told, paced by the times of the log. */
  readonly replay_event: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly room: string
    readonly at: number
    readonly speed: number
    readonly to: string
    readonly event: string
    readonly data: Readonly<Record<string, unknown>>
  }
  /** To the connection that replays a chat: that was all of it, up to the event `seq`. */
  readonly replay_ended: {
    readonly room: string
    readonly seq: number
  }
  /** To whoever watches the course: a session has begun. */
  readonly courseSessionStarted: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly course_id: string
    readonly session_id: string
    readonly teacher_id: string
    readonly teacher_name: string
    readonly started_by: string
    readonly started_at: string
  }
  /**
   * To whoever watches the course: a session is over. `ended_by` is `system` when nobody ended it in time; with
   * `called_off` it counts for nobody, and `final_statistics` are zeros.
   */
  readonly courseSessionEnded: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly course_id: string
    readonly session_id: string
    readonly teacher_id: string
    readonly teacher_name: string
    readonly final_statistics: {
      readonly total: number
      readonly present: number
      readonly absent: number
    }
    readonly ended_by: string
    readonly ended_at: string
    readonly called_off?: true
  }
  /** On subscribing, and after every change: all sessions of the course that are active. */
  readonly activeSessionsData: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly course_id: string
    readonly activeSessions: readonly ActiveSession[]
  }
  /** To the connection that asked with `checkActiveSessions`: as `activeSessionsData`. */
  readonly activeSessionsResponse: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly course_id: string
    readonly activeSessions: readonly ActiveSession[]
  }
  /** Why something was refused, besides the ack; or why there will be no more pushes of a course. */
  readonly activeSessionsError: {
    readonly message: string
    readonly code: string
    readonly course_id?: string
  }
  /** To the course: it is called something else now. */
  readonly course_updated: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly course_id: string
    readonly title: string
  }
  /** To the course: somebody was enrolled. */
  readonly new_enrollment: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly user_email: string
    readonly course_id: string
    readonly message: string
  }
  /** To the course: a student says what they think of it, or says something else now. */
  readonly new_review: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly user_email: string
    readonly course_id: string
    readonly rating: number
    readonly comment: string
  }
  /** To the others beside a video: somebody has come. */
  readonly user_joined_video: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly user_email: string
    readonly video_id: string
  }
  /** To everybody beside a video, the sender included. `timestamp` is the sender’s, `at` the server’s. */
  readonly new_chat_message: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly user_email: string
    readonly video_id: string
    readonly message: string
    readonly timestamp: string | number
    readonly at: string
  }
  /** To everybody beside a video: a teacher has removed the message whose `seq` this is. */
  readonly chat_message_removed: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly video_id: string
    readonly removed_seq: number
  }
  /** To instructors: a report as it was sent. `students` where there are many: all of them. */
  readonly student_progress: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly video_id: string
    readonly progress: number
    readonly timestamp: number
    readonly students?: readonly {
      readonly user_id: string
      readonly video_id: string
      readonly progress: number
      readonly timestamp: number
    }[]
  }
  /** To instructors: what somebody has watched. `students` where there are many: all of them. */
  readonly progress_update: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly video_id: string
    readonly watched_seconds: number
    readonly percent_complete: number
    readonly students?: readonly {
      readonly user_id: string
      readonly video_id: string
      readonly watched_seconds: number
      readonly percent_complete: number
    }[]
  }
  /** To instructors: a quiz was handed in. */
  readonly quiz_submission: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly user_id: string
    readonly course_id: string
    readonly quiz_id: string
    readonly score: number
    readonly passed: boolean
  }
  /** On connecting, to everybody with a token. */
  readonly connected: {
    readonly status: string
  }
  /** To the connection that asked: it hears of the course now. */
  readonly joined_course: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly course_id: string
    readonly status: string
  }
  /** To the connection that asked: it hears of the video now. */
  readonly joined_video: {
    readonly id: string
    readonly seq: number
    readonly pos: string
    readonly video_id: string
    readonly course_id: string
    readonly status: string
  }
}

/** Everything that a client may ask, by name; `client_id` is added by the client. */
export interface Calls {
  /** Come into a lesson, named by either its id or its code. `name`: who somebody is whose token does not say. */
  readonly join_lesson: {
    readonly lesson_id?: string | null
    readonly code?: string | null
    readonly name?: string | null
  }
  /** Leave a lesson; without `lesson_id` the one that they are in. */
  readonly leave_lesson: {
    readonly lesson_id?: string | null
  }
  /** A visitor opens a chat. The content bare, or `{content, client_id}`. */
  readonly visitor_first_msg: {
    readonly content: Readonly<Record<string, unknown>>
  }
  /** The same as `visitor_msg`. */
  readonly visitor_msg_unclaimed: {
    readonly content: Readonly<Record<string, unknown>>
  }
  /** The visitor writes. The content bare, or `{content, client_id}`. */
  readonly visitor_msg: {
    readonly content: Readonly<Record<string, unknown>>
  }
  /** The visitor ends the chat. */
  readonly visitor_leave_room: Readonly<Record<string, never>>
  /** Claim a chat; whoever serves it already is told again what is in it. `again`: they only, nothing is claimed. */
  readonly staff_join: {
    readonly room: string
    readonly again?: boolean
  }
  /** Whoever serves the chat ends it. */
  readonly staff_leave_room: {
    readonly room: string
  }
  /** A supervisor or an admin serves from now on what a lower rank served. */
  readonly take_over_chat: {
    readonly room: string
  }
  /** Whoever serves the chat hands it to a colleague who is online. */
  readonly transfer_chat: {
    readonly room: string
    readonly staff_id: string
  }
  /** Whoever serves the chat puts it back into the queue. */
  readonly return_chat: {
    readonly room: string
  }
  /** A supervisor or an admin gives the chat to a colleague who is online. */
  readonly assign_chat: {
    readonly room: string
    readonly staff_id: string
  }
  /** Staff say how urgent a chat is; 0 = not flagged. */
  readonly change_chat_priority: {
    readonly room: string
    readonly severity_level?: number
  }
  /** Whoever serves the chat writes. */
  readonly staff_msg: {
    readonly room: string
    readonly content?: unknown
  }
  /** A supervisor or an admin is told a chat again, `speed` times as fast. */
  readonly replay_chat: {
    readonly room: string
    readonly speed?: number
  }
  /** No more of it. */
  readonly stop_replay: {
    readonly room: string
  }
  /** Watch the sessions of a course: `activeSessionsData` comes at once. */
  readonly subscribeToCourse: {
    readonly course_id: string
  }
  /** Watch it no more. */
  readonly unsubscribeFromCourse: {
    readonly course_id: string
  }
  /** Look once: `activeSessionsResponse` comes, and nothing after it. */
  readonly checkActiveSessions: {
    readonly course_id: string
  }
  /** Hear of a course: `joined_course` comes, then its pushes. */
  readonly join_course: {
    readonly course_id: string
  }
  /** Hear of it no more, on this connection. */
  readonly leave_course: {
    readonly course_id: string
  }
  /** Be beside a video: `joined_video` comes, then its pushes. */
  readonly join_video: {
    readonly video_id: string
  }
  /** Be beside it no more, on this connection. */
  readonly leave_video: {
    readonly video_id: string
  }
  /** Where you are in a video: percent, and seconds. */
  readonly video_progress: {
    readonly video_id: string
    readonly course_id: string
    readonly progress: number
    readonly timestamp: number
  }
  /** Say something to everybody beside a video. */
  readonly send_chat_message: {
    readonly video_id: string
    readonly message: string
    readonly timestamp: string | number
  }
}
