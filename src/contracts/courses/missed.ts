import { streamName } from '../../../machines/stream.ts'
import { quizzes } from '../../../projections/quizzes.ts'
import { reviews } from '../../../projections/reviews.ts'
import type { Node } from '../../delivery/contract.ts'
import { eventModel } from '../../delivery/event-model.ts'
import { movedInLog, movedSince } from '../../delivery/moved.ts'
import type { AnyFeed } from '../../delivery/notifier.ts'
import type { Past, PastStream } from '../../delivery/past.ts'
import type { Log } from '../../log/log.ts'
import { ViewsUnavailable } from '../../views/store.ts'
import { courseEvents } from './course-events.ts'
import {
  courseNotices,
  peopleInCourse,
  peopleInReview,
  peopleInVideo,
  quizNotices,
  reviewNotices,
  videoNotices,
} from './notices.ts'
import { courseIn, instructorRoom, videoIn } from './rooms.ts'
import type { CourseWire } from './wire.ts'

/** What is told once, and told again to whoever was away; how viewers stand is not. */
export const toldAgain = (log: Log): readonly AnyFeed[] => [
  { model: courseEvents(log), notices: courseNotices, people: peopleInCourse },
  { model: eventModel('video'), notices: videoNotices, people: peopleInVideo },
  { model: eventModel('quiz'), notices: quizNotices },
  { model: eventModel('review'), notices: reviewNotices, people: peopleInReview },
]

/** What happened in the courses and beside the videos that somebody had joined. */
export const coursePast = ({ log, views, entities }: Pick<Node, 'log' | 'views' | 'entities'>): Past => ({
  async streams({ party: { org } }, from, upTo, rooms) {
    const [courses, videos] = [rooms.flatMap(courseIn), rooms.flatMap(videoIn)]
    const taught = courses.filter((course) => rooms.includes(instructorRoom(course)))
    const moved = async (): Promise<readonly string[]> => {
      const within = { from, upTo }
      const quizzesOf = taught.map((course) => movedSince(views, quizzes.name, `${org}/${course}`, within))
      const reviewsOf = courses.map((course) => movedSince(views, reviews.name, `${org}/${course}`, within))
      const [handedIn, given] = await Promise.all([Promise.all(quizzesOf), Promise.all(reviewsOf)])
      return [
        ...handedIn.flat().map((id) => streamName('quiz', id)),
        ...given.flat().map((id) => streamName('review', id)),
      ]
    }
    const own = [...courses.map((id) => streamName('course', id)), ...videos.map((id) => streamName('video', id))]
    if (courses.length === 0) return own.map(streamOf)
    const others = await moved().catch((error: unknown) => {
      if (!(error instanceof ViewsUnavailable)) throw error
      return movedInLog(log, CATEGORIES, { from, upTo }) // of any course: what is told there is told to others
    })
    return [...own, ...others].map(streamOf)
  },
  feeds: () => toldAgain(log),
  /** What a teacher has removed meanwhile is shown to nobody any more. */
  completing(name, data) {
    if (name !== 'new_chat_message') return undefined
    const { video_id, seq } = data as CourseWire['new_chat_message']
    return async () => {
      const { removed } = (await entities.state('video', video_id)).state.context
      return removed.includes(seq) ? null : data
    }
  },
})

const CATEGORIES: ReadonlySet<string> = new Set(['quiz', 'review'])

/** Every event says all that is told of it. */
const streamOf = (name: string): PastStream => ({ name, endsPast: () => true })
