import { z } from 'zod'
import type { Calls, Connection, Inbound, InboundRow, Outcome } from '../../delivery/connection.ts'
import type { Subscriptions } from '../../delivery/subscriptions.ts'
import { badRequest } from '../shared/bad-request.ts'
import { clientIdText, idText, mustBeIdOf } from '../shared/ids.ts'
import type { ActiveSessionsError } from './wire.ts'

const COURSE_ID = `${mustBeIdOf('a course')}, as text`
/** `client_id` is taken and means nothing: asking twice changes nothing anyway. */
const data = z.object(
  {
    course_id: idText(COURSE_ID, COURSE_ID),
    client_id: clientIdText('must be a text of 1 to 128 characters'),
  },
  { error: 'course_id is missing: send an object like {course_id: "…"}' },
)

/** What clients may emit about attendance. */
export const attendanceAsked = {
  about: 'course_id',
  data: {
    subscribeToCourse: data.describe('Watch the sessions of a course: `activeSessionsData` comes at once.'),
    unsubscribeFromCourse: data.describe('Watch it no more.'),
    checkActiveSessions: data.describe('Look once: `activeSessionsResponse` comes, and nothing after it.'),
  },
} as const satisfies Calls

/** Nothing is decided here that a later call could depend on, so none waits: `entered` is called at once. */
const asking =
  (ask: (course: string, from: Connection) => Promise<Outcome>): InboundRow =>
  ([asked], from) => {
    const read = data.safeParse(asked)
    if (!read.success) return badRequest(read.error)
    return (entered) => {
      const answer = ask(read.data.course_id, from)
      entered()
      return answer
    }
  }

/** The course that a request names, whatever else is wrong with it; null when it names none. */
function courseNamedIn([asked]: readonly unknown[]): string | null {
  const read = data.pick({ course_id: true }).safeParse(asked)
  return read.success ? read.data.course_id : null
}

/** One row per name that a client may emit about attendance. */
export const attendanceInbound = ({ subscribe, unsubscribe, read }: Subscriptions): Inbound => ({
  rows: {
    subscribeToCourse: asking(subscribe),
    unsubscribeFromCourse: asking(unsubscribe),
    checkActiveSessions: asking((course, from) => read(course, from, 'activeSessionsResponse')),
  } satisfies Record<keyof typeof attendanceAsked.data, InboundRow>,
  about: attendanceAsked.about,
  aboutIn: courseNamedIn,
  // Contract 004 tells refusals by an event, too: not every client asks for an ack.
  onRefused(from, { message, code, about }) {
    const error: ActiveSessionsError = { message, code, ...(about === null ? {} : { course_id: about }) }
    from.emit('activeSessionsError', error)
  },
})
