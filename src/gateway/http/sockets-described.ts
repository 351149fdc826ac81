/** What the description of the events stands on; the whole of it is in the page on the protocol, in `docs/`. */
export const SOCKETS = `Socket.IO 4 (Engine.IO 4 and 3), default
namespace, path /socket.io/, WebSocket and long polling.

**Coming in.** A JWT in the header Authorization: Bearer …, as auth.token, or as the query parameter auth; the
first of these that is there decides. Its claims: sub, org_id, role (visitor, agent, supervisor, admin, teacher,
student), iss, aud, iat, exp, and names. role=student in the query may come without a token, and is told
participant_id. A token that is not taken ends in connect_error with data {code, message} (401, 403), or in HTTP
401 where it came in header or query. Whoever cannot be let in for the moment is hung up on, and comes back by
itself.

**Calling.** emit(name, data, ack). The ack brings (true, null) when it is on disk, or (false, 'code:
sentence'). protocol=2 in the query or in auth adds a third value. A call may carry client_id, a text of its
own: repeated under the same one it happens once and gets its first answer. Calls of one connection are decided
in their order. Refused for the moment, to be repeated: unavailable, busy, overloaded, draining, rate-limited.

**Being told.** Each event has one argument, data. Pushes about an entity carry id (the event's), seq (its
number in its stream) and pos (a cursor: a decimal text; of two the larger number is later). What comes twice
has the same name and id. Data may have more fields than a client knows.

**Missing nothing.** Whoever comes back from a lost connection is pushed what was addressed to them as a person.
With resume=1 (query or auth) each push has its cursor as one more argument, a text; on reconnecting send {pid,
offset} as Socket.IO's own clients do, or a cursor as auth.after: then exactly the pushes after it come, in
place of an opening state. An unknown cursor is told as cursor_unknown, and the opening state follows.

**Opening states.** staff_init and visitor_init on connecting, lesson_state on coming into a lesson,
activeSessionsData on subscribing. Each replaces what the client holds of it; the pushes after it keep it true.`
