import { type QuizRow, quizzes } from '../../../projections/quizzes.ts'
import { type ReviewRow, reviews } from '../../../projections/reviews.ts'
import { type VideoRow, videos } from '../../../projections/videos.ts'
import { type WatchRow, watches } from '../../../projections/watches.ts'
import { type Period, type TimeList, timeList, VIEW_WAIT_MS, type Views } from '../../gateway/http/pages.ts'
import { slice } from '../../slices.ts'

/** Of one course. */
export interface OfCourse extends Period {
  readonly org: string
  readonly courseId: string
}

const prefixFor = ({ org, courseId }: OfCourse): string => `course/${org}/${courseId}/`

export type VideoList = TimeList<VideoRow, OfCourse>
export type ReviewList = TimeList<ReviewRow, OfCourse>
export type QuizList = TimeList<QuizRow, OfCourse>

/** The videos, reviews and quizzes of a course, the latest first. */
export const videoList = timeList<VideoRow, OfCourse>({ view: videos.name, prefixFor })
export const reviewList = timeList<ReviewRow, OfCourse>({ view: reviews.name, prefixFor })
export const quizList = timeList<QuizRow, OfCourse>({ view: quizzes.name, prefixFor })

/**
 * What viewers have watched of a course, by viewer and video; `first` and `last` are ids as `<id>/`. Rejects with
 * ViewsUnavailable.
 */
export type WatchedIn = (
  course: OfCourse,
  first: string,
  last: string,
) => Promise<ReadonlyMap<string, readonly WatchRow[]>>

const PAGE = 1_000

export const watchedIn =
  (views: Views, upTo: () => bigint): WatchedIn =>
  async (course, first, last) => {
    await views.reached(watches.name, upTo(), VIEW_WAIT_MS)
    const found = new Map<string, WatchRow[]>()
    const prefix = prefixFor(course)
    for (let from = `${prefix}${first}`; ; ) {
      const { entries } = await views.scan(watches.name, { from, to: `${prefix}${last}~`, limit: PAGE })
      for (const { row: stored } of entries) {
        const row = stored as unknown as WatchRow // what stands in a list is what the view's projection folded
        const theirs = found.get(row.viewerId) ?? []
        found.set(row.viewerId, theirs)
        theirs.push(row)
      }
      const end = entries.at(-1)
      if (!end || entries.length < PAGE) return found
      await slice()
      from = `${end.index}!`
    }
  }
