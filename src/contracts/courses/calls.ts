import { Refusal, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Subscriptions } from '../../delivery/subscriptions.ts'
import { LogUnavailable } from '../../log/log.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Done } from '../../runtime/answer.ts'
import { isDamaged } from '../../runtime/damaged-entities.ts'
import type { CourseAsks } from './inbound.ts'
import { videoTopicId } from './topics.ts'
import type { VideoAccess } from './video-access.ts'
import type { OfVideo } from './viewing.ts'
import { type Viewings, watchId } from './viewings.ts'

export interface CourseCallsParts extends Pick<Node, 'entities' | 'clock' | 'leases' | 'onError'> {
  readonly admission: AdmissionQueue
  readonly videos: VideoAccess
  readonly viewings: Viewings
  readonly inCourse: Subscriptions
  readonly inVideo: Subscriptions
}

/** Whoever comes back is where they were. */
export interface Returns {
  isBack(courseId: string, videoId: string, from: Connection): Promise<void>
}

/** A connection and a video. */
interface Here {
  isBeside: boolean
  hasReported: boolean
}

/** What connections do in courses and beside videos. */
export function courseCalls(parts: CourseCallsParts): CourseAsks & Returns {
  const { entities, admission, clock, leases, videos, viewings, inCourse, inVideo, onError } = parts
  /** By `<video>.<person>`: the connections on this node that are beside the video, or have reported progress in it. */
  const here = new Map<string, Map<string, Here>>()

  const noted = (videoId: string, from: Connection): Here => {
    const key = watchId(videoId, personName(from.party))
    const theirs = here.get(key) ?? new Map<string, Here>()
    here.set(key, theirs)
    const known = theirs.get(from.id)
    if (known) return known
    const its = { isBeside: false, hasReported: false }
    theirs.set(from.id, its)
    from.onClosed(() => {
      theirs.delete(from.id)
      if (theirs.size === 0 && here.get(key) === theirs) here.delete(key)
      if (its.isBeside)
        leases
          .release(leaseOf(videoId, from), from.id)
          .catch((error: unknown) => onError(error, 'who is beside a video'))
      if (!its.hasReported) return
      // They may come back: that they are beside it ends with their presence.
      viewings.left(videoId, from.party).catch((error: unknown) => onError(error, 'progress of somebody who is gone'))
    })
    return its
  }

  /** Of all nodes: who of a person's connections is beside a video. */
  const leaseOf = (videoId: string, from: Connection): string => `beside ${watchId(videoId, personName(from.party))}`
  const sitsDown = (videoId: string, from: Connection): void => {
    const its = noted(videoId, from)
    if (its.isBeside) return
    its.isBeside = true
    // It counts as soon as leases are available again.
    leases.hold(leaseOf(videoId, from), from.id).catch((error: unknown) => onError(error, 'who is beside a video'))
  }
  /** Whether they were, and none of their other connections is. Where that cannot be known they are taken to stay. */
  const getsUp = async (videoId: string, from: Connection): Promise<boolean> => {
    const its = here.get(watchId(videoId, personName(from.party)))?.get(from.id)
    if (!its?.isBeside) return false
    its.isBeside = false
    const left = await leases.release(leaseOf(videoId, from), from.id).catch((error: unknown) => {
      onError(error, 'who is beside a video')
      return 1
    })
    return left === 0
  }

  /** Their presence, of which this is a part. */
  const joined = async (
    { courseId, videoId }: Pick<OfVideo, 'courseId' | 'videoId'>,
    from: Connection,
  ): Promise<Refusal | Done> => {
    const { party: by } = from
    const { since: presence } = (await entities.state('presence', personName(by))).state.context
    if (presence === null) return refuse('not-present')
    const command = { type: 'JoinVideo', courseId, videoId, presence, by, at: clock.now() } as const
    return admission.ask('watch', watchId(videoId, by.id), command)
  }

  return {
    async isBack(courseId, videoId, from) {
      sitsDown(videoId, from)
      const answer = await joined({ courseId, videoId }, from)
      // Somebody who is not present (yet) is told of when they join.
      if (answer instanceof Refusal && answer.code !== 'not-present' && !isDamaged(answer))
        throw new LogUnavailable(answer.code)
    },
    joinCourse: (id, from) => inCourse.subscribe(id, from),
    leaveCourse: (id, from) => inCourse.unsubscribe(id, from),
    async joinVideo(videoId, from) {
      const video = await videos.find(videoId, from.party)
      if (video instanceof Refusal) return { about: null, answer: video }
      const { courseId: about } = video
      const entered = await inVideo.subscribe(videoTopicId(about, videoId), from)
      if (entered.answer instanceof Refusal) return { about, answer: entered.answer }
      sitsDown(videoId, from)
      const answer = await joined(video, from)
      return { about, answer: answer instanceof Refusal ? answer : entered.answer }
    },
    async leaveVideo(videoId, from) {
      const video = await videos.find(videoId, from.party)
      if (video instanceof Refusal) return { about: null, answer: video }
      const { courseId } = video
      const outcome = await inVideo.unsubscribe(videoTopicId(courseId, videoId), from)
      const isLast = await getsUp(videoId, from)
      await viewings.left(videoId, from.party)
      if (!isLast) return { ...outcome, about: courseId }
      const command = { type: 'LeaveVideo', courseId, videoId, by: from.party, at: clock.now() } as const
      const answer = await entities.ask('watch', watchId(videoId, from.party.id), command)
      return { about: courseId, answer }
    },
    async progress({ courseId, videoId, progress, timestamp, clientId }, from, at, taken) {
      const video = await videos.open(videoId, from.party)
      if (video instanceof Refusal) return { about: null, answer: video }
      if (video.courseId !== courseId) return { about: null, answer: refuse('no-such-video') }
      const { durationSeconds } = video
      if (durationSeconds !== null && timestamp > durationSeconds) {
        const why = `timestamp: must be at most ${durationSeconds}, the length of the video in seconds`
        return { about: courseId, answer: refuse('bad-request', { why }) }
      }
      noted(videoId, from).hasReported = true
      const ofVideo = { courseId, videoId, durationSeconds }
      const report = { timestamp, progress, at }
      const call = { clientId, tab: from.id, taken }
      return { about: courseId, answer: await viewings.report(ofVideo, from.party, report, call) }
    },
    async remark(videoId, { message, timestamp }, from, call) {
      const video = await videos.open(videoId, from.party)
      if (video instanceof Refusal) return { about: null, answer: video }
      const { party: by } = from
      const command = { type: 'Remark', message, timestamp, by, at: clock.now() } as const
      return { about: video.courseId, answer: await admission.ask('video', videoId, command, call) }
    },
  }
}
