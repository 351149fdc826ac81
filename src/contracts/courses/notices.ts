import { type Recorded, unreachable } from '../../../machines/kernel.ts'
import type { QuizEvent } from '../../../machines/quiz/events.ts'
import type { ReviewEvent } from '../../../machines/review/events.ts'
import { idIn, type PersonRef } from '../../../machines/stream.ts'
import type { VideoEvent } from '../../../machines/video/events.ts'
import type { WatchEvent } from '../../../machines/watch/events.ts'
import type { Profiles } from '../../delivery/feed.ts'
import { type EventRef, eventRef, type Notice } from '../../delivery/notice.ts'
import { iso } from '../shared/iso.ts'
import type { CourseChange } from './course-events.ts'
import { toCourse, toInstructors, toOthersInCourse, toOthersInVideo, toVideo } from './rooms.ts'
import type { CourseWire } from './wire.ts'

type CourseNotice = Notice<CourseWire>
export type ProgressNotice = Notice<Pick<CourseWire, 'student_progress' | 'progress_update'>>
export type WatchNotice = ProgressNotice | Notice<Pick<CourseWire, 'user_joined_video'>>
const NONE: readonly CourseNotice[] = []

/** Their e-mail, or their id where none is known. */
const emailOf = (person: PersonRef, profiles: Profiles): string => profiles.get(person)?.profile.email || person.id

export function courseNotices({ courseId, org, recorded }: CourseChange, profiles: Profiles): readonly CourseNotice[] {
  const { event } = recorded
  const ref = { ...eventRef(recorded), course_id: courseId }
  switch (event.type) {
    case 'CourseRetitled':
      return [{ to: toCourse(courseId), name: 'course_updated', data: { ...ref, title: event.title } }]
    case 'StudentEnrolled': {
      const email = emailOf({ org, id: event.studentId }, profiles)
      const message = `${email} enrolled in the course`
      const told = {
        name: 'new_enrollment',
        data: { ...ref, user_id: event.studentId, user_email: email, message },
      } as const
      return [
        { to: toInstructors(courseId), ...told },
        { to: toOthersInCourse(courseId), ...told },
      ]
    }
    case 'CourseCreated':
    case 'TeacherAssigned':
    case 'TeacherWithdrawn':
    case 'StudentUnenrolled':
      return NONE
    default:
      return unreachable(event)
  }
}

/** Whom the notices of a course's event name. */
export const peopleInCourse = ({ org, recorded: { event } }: CourseChange): readonly PersonRef[] =>
  event.type === 'StudentEnrolled' ? [{ org, id: event.studentId }] : []

export function videoNotices(recorded: Recorded<VideoEvent>, profiles: Profiles): readonly CourseNotice[] {
  const video_id = idIn('video', recorded.stream) ?? ''
  const to = toVideo(video_id)
  const ref = { ...eventRef(recorded), video_id }
  const { event } = recorded
  switch (event.type) {
    case 'VideoAdded':
      return NONE
    case 'RemarkMade': {
      const { org, authorId: user_id, message, timestamp, at } = event
      const user_email = emailOf({ org, id: user_id }, profiles)
      return [{ to, name: 'new_chat_message', data: { ...ref, user_id, user_email, message, timestamp, at: iso(at) } }]
    }
    case 'RemarkRemoved':
      return [{ to, name: 'chat_message_removed', data: { ...ref, removed_seq: event.seq } }]
    default:
      return unreachable(event)
  }
}

export const peopleInVideo = ({ event }: Recorded<VideoEvent>): readonly PersonRef[] =>
  event.type === 'RemarkMade' ? [{ org: event.org, id: event.authorId }] : []

export function watchNotices(recorded: Recorded<WatchEvent>, profiles: Profiles): readonly WatchNotice[] {
  const { event } = recorded
  switch (event.type) {
    case 'ViewerJoined': {
      const { org, videoId: video_id, viewerId: user_id } = event
      const who = { org, id: user_id }
      const data = { ...eventRef(recorded), user_id, user_email: emailOf(who, profiles), video_id }
      return [{ to: toOthersInVideo(video_id, who), name: 'user_joined_video', data }]
    }
    case 'ViewerLeft':
      return []
    case 'ProgressMade':
      return progressNotices(eventRef(recorded), event)
    default:
      return unreachable(event)
  }
}

export const peopleInWatch = ({ event }: Recorded<WatchEvent>): readonly PersonRef[] =>
  event.type === 'ViewerJoined' ? [{ org: event.org, id: event.viewerId }] : []

/** What instructors are told of a report: as it was sent, and what is known of the viewer after it. */
export type ProgressTold = Pick<
  Extract<WatchEvent, { type: 'ProgressMade' }>,
  'courseId' | 'videoId' | 'viewerId' | 'progress' | 'timestamp' | 'watchedSeconds' | 'percent'
>

export function progressNotices(ref: EventRef, told: ProgressTold): readonly ProgressNotice[] {
  const to = toInstructors(told.courseId)
  const { progress, timestamp, watchedSeconds: watched_seconds, percent: percent_complete } = told
  const who = { user_id: told.viewerId, video_id: told.videoId }
  return [
    { to, name: 'student_progress', data: { ...ref, ...who, progress, timestamp } },
    { to, name: 'progress_update', data: { ...ref, ...who, watched_seconds, percent_complete } },
  ]
}

export function quizNotices(recorded: Recorded<QuizEvent>): readonly CourseNotice[] {
  const { event } = recorded
  if (event.type !== 'QuizAnswered') return NONE
  const { courseId: course_id, studentId: user_id, score, passed } = event
  const data = {
    ...eventRef(recorded),
    user_id,
    course_id,
    quiz_id: idIn('quiz', recorded.stream) ?? '',
    score,
    passed,
  }
  return [{ to: toInstructors(course_id), name: 'quiz_submission', data }]
}

export function reviewNotices(recorded: Recorded<ReviewEvent>, profiles: Profiles): readonly CourseNotice[] {
  const { org, courseId: course_id, studentId: user_id, email, rating, comment } = recorded.event
  const user_email = profiles.get({ org, id: user_id })?.profile.email || email || user_id
  return [
    {
      to: toCourse(course_id),
      name: 'new_review',
      data: { ...eventRef(recorded), course_id, user_id, user_email, rating, comment },
    },
  ]
}

export const peopleInReview = ({ event: { org, studentId: id } }: Recorded<ReviewEvent>): readonly PersonRef[] => [
  { org, id },
]
