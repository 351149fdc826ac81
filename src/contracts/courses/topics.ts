import { type Party, Refusal } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { Connection } from '../../delivery/connection.ts'
import { type EventRef, eventRef } from '../../delivery/notice.ts'
import type { Topic } from '../../delivery/subscriptions.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Log } from '../../log/log.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { CourseAccess } from './access.ts'
import { courseRefusals } from './refusals.ts'
import { courseRoom, instructorRoom, videoRoom } from './rooms.ts'
import { takesOut } from './taken-out.ts'
import type { CourseAnswers } from './wire.ts'

export interface CourseTopicsParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state'>
  readonly access: Pick<CourseAccess, 'visible'>
  /** Somebody is beside a video again whose connection was lost. */
  readonly isBack: (course: string, video: string, from: Connection) => Promise<void>
}

const JOINED = 'Joined successfully'

/** A video is named together with its course: who may be beside it the course says. */
export const videoTopicId = (course: string, video: string): string => `${course}/${video}`
const partsOf = (id: string): readonly [course: string, video: string] => {
  const [course = '', video = ''] = id.split('/')
  return [course, video]
}

/** Instructors of a course hear of its students. */
const isInstructor = ({ role }: Party): boolean => role === 'teacher' || role === 'admin'

/** Courses and videos as things to join, for a course's students, its teachers and admins. */
export function courseTopics({ log, entities, access, isBack }: CourseTopicsParts): {
  readonly course: Topic
  readonly video: Topic
} {
  const standsAt = lastEvents(log)
  const admits = async (course: string, by: Party): Promise<number | Refusal> => {
    const found = await access.visible(course, by)
    return found instanceof Refusal ? found : found.seq
  }
  const farewell = (event: string, of: { readonly course_id: string; readonly video_id?: string }) => {
    const code = 'not-in-course'
    const data: CourseAnswers['error'] = { message: courseRefusals[code][1], code, event, ...of }
    return { name: 'error', data }
  }
  return {
    course: {
      name: 'course',
      hasPast: true,
      rooms: (course, by) => [courseRoom(course), ...(isInstructor(by) ? [instructorRoom(course)] : [])],
      category: 'course',
      saidIn: (course) => streamName('course', course),
      admits,
      async opening(course_id) {
        const ref = await standsAt(
          streamName('course', course_id),
          (await entities.state('course', course_id)).revision,
        )
        return () => ({ name: 'joined_course', data: { ...ref, course_id, status: JOINED } })
      },
      takesOut,
      farewell: (course_id) => farewell('join_course', { course_id }),
    },
    video: {
      name: 'video',
      hasPast: true,
      rooms: (id) => [videoRoom(partsOf(id)[1])],
      entityOf: (id) => partsOf(id)[0],
      category: 'course',
      saidIn: (id) => streamName('video', partsOf(id)[1]),
      admits: (id, by) => admits(partsOf(id)[0], by),
      entered: (id, from) => isBack(...partsOf(id), from),
      async opening(id) {
        const [course_id, video_id] = partsOf(id)
        const ref = await standsAt(streamName('video', video_id), (await entities.state('video', video_id)).revision)
        return () => ({ name: 'joined_video', data: { ...ref, video_id, course_id, status: JOINED } })
      },
      takesOut,
      farewell(id) {
        const [course_id, video_id] = partsOf(id)
        return farewell('join_video', { course_id, video_id })
      },
    },
  }
}

/** Of so many streams the last event is remembered: a class that comes at once asks for one of them. */
const MAX_KNOWN = 1_000

/** Gives the event with this revision, which is the last one of the stream or was so a moment ago. */
function lastEvents(log: Log) {
  const known = new Map<string, EventRef>()
  return async (stream: string, revision: number): Promise<EventRef> => {
    const its = known.get(stream)
    if (its && its.seq >= revision) return its
    const recorded = await recordedAt(log, stream, revision)
    if (!recorded) throw new Error(`${stream} has no event ${revision}, which its entity knows`)
    const ref = eventRef(recorded)
    known.delete(stream)
    known.set(stream, ref)
    keepNewest(known, MAX_KNOWN)
    return ref
  }
}
