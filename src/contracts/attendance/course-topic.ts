import { streamName } from '../../../machines/stream.ts'
import { type EventRef, eventRef } from '../../delivery/notice.ts'
import type { Topic } from '../../delivery/subscriptions.ts'
import type { Log } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { notAmong } from '../courses/roster.ts'
import { takesOut } from '../courses/taken-out.ts'
import { courseRoom, type SessionsNow } from './notices.ts'
import { attendanceRefusals } from './refusals.ts'

export interface CourseTopicOptions {
  readonly log: Log
  readonly entities: Pick<Entities, 'judged'>
  readonly sessions: SessionsNow
  /** Where the newest event stands that this node has heard of the course's sessions. */
  readonly newest: (course: string) => EventRef | undefined
}

/** The attendance sessions of a course, for its students, its teachers and admins. */
export function courseTopic({ log, entities, sessions, newest }: CourseTopicOptions): Topic {
  /** Where a course stands of whose sessions this node has heard nothing. */
  const standsAt = async (course: string): Promise<EventRef> => {
    const known = newest(course)
    if (known) return known
    for await (const [last] of log.read(streamName('course', course), { backwards: true, limit: 1 }))
      if (last) return eventRef(last)
    throw new Error(`course ${course} has a roster and no events`)
  }

  return {
    name: 'attendance',
    rooms: (course) => [courseRoom(course)],
    category: 'course',
    async admits(course, by) {
      return entities.judged(
        'course',
        course,
        ({ revision, state }) => notAmong(revision < 0 ? null : state.context, by) ?? revision,
      )
    },
    async opening(course) {
      const before = await standsAt(course)
      return () => ({ name: 'activeSessionsData', data: sessions(course, before) })
    },
    takesOut,
    farewell(course) {
      const code = 'not-in-course'
      const message = `${code}: ${attendanceRefusals[code][1]}`
      return { name: 'activeSessionsError', data: { message, code, course_id: course } }
    },
  }
}
