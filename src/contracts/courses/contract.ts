import { courses as courseView } from '../../../projections/courses.ts'
import { quizzes } from '../../../projections/quizzes.ts'
import { reviews } from '../../../projections/reviews.ts'
import { videos as videoView } from '../../../projections/videos.ts'
import { watches } from '../../../projections/watches.ts'
import type { Contract } from '../../delivery/contract.ts'
import { eventModel } from '../../delivery/event-model.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import { courseAccess } from './access.ts'
import { courseCalls } from './calls.ts'
import { crowdPace } from './crowd-pace.ts'
import { courseRoutes } from './http.ts'
import { courseAsked, courseInbound } from './inbound.ts'
import { courseList } from './list.ts'
import { coursePast, toldAgain } from './missed.ts'
import { peopleInWatch, progressNotices, watchNotices } from './notices.ts'
import { quizList, reviewList, videoList, watchedIn } from './parts-of-course.ts'
import { courseRefusals } from './refusals.ts'
import { courseAnswers, courseShapes } from './shapes.ts'
import { spreadPace } from './spread-pace.ts'
import { courseTopics } from './topics.ts'
import { videoAccess } from './video-access.ts'
import { viewings as openViewings } from './viewings.ts'
import { watchPace } from './watch-pace.ts'

/** Contract 003: courses and videos, what is watched of them and said beside them, reviews and quizzes. */
export const courses: Contract = {
  name: 'courses',
  namespace: '/',
  views: [courseView, videoView, watches, reviews, quizzes],
  wire: courseShapes,
  toOne: courseAnswers,
  calls: courseAsked,
  refusals: courseRefusals,
  open(node) {
    const { entities, log, clock, views, upTo, onError } = node
    const admission = admissionQueue(entities)
    const access = courseAccess(entities)
    const videos = videoAccess(entities, access)
    const topics = courseTopics({ log, entities, access, isBack: (...args) => calls.isBack(...args) })
    const [inCourse, inVideo] = [node.subscriptionsTo(topics.course), node.subscriptionsTo(topics.video)]
    const [crowd, spread] = [crowdPace(node), spreadPace(node)]
    const viewings = openViewings({
      entities,
      clock,
      onReport: (ref, told) => progressNotices(ref, told).forEach(crowd.tell),
      onError: (error) => onError(error, 'progress'),
    })
    const calls = courseCalls({ ...node, admission, videos, viewings, inCourse, inVideo })
    return {
      feeds: [
        ...toldAgain(log),
        {
          model: eventModel('watch'),
          notices: watchNotices,
          people: peopleInWatch,
          pace: watchPace({ crowd, spread, viewings }),
        },
      ],
      inbound: courseInbound(calls),
      subscriptions: [inCourse, inVideo],
      past: coursePast(node),
      arrive(connection) {
        if (connection.kind !== 'anonymous' && !connection.isResumed())
          connection.emit('connected', { status: 'Connected successfully' })
        return undefined
      },
      routes: (app) =>
        courseRoutes(app, {
          ...{ admission, access, videos, viewings, log, entities },
          courses: courseList(views, upTo),
          videoList: videoList(views, upTo),
          reviews: reviewList(views, upTo),
          quizzes: quizList(views, upTo),
          watched: watchedIn(views, upTo),
          now: clock.now,
        }),
      async stop() {
        crowd.stop()
        spread.stop()
        await viewings.stop()
      },
    }
  },
}
