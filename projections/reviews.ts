import type { ReviewEvent } from '../machines/review/events.ts'
import { padded } from './padded.ts'
import { projectionOf } from './projection.ts'

/** What one student thinks of one course. Times are milliseconds since 1970. */
export interface ReviewRow extends Omit<ReviewEvent, 'type'> {
  readonly seq: number
  /** When they gave their first one: where it stands in the list, whatever they say later. */
  readonly since: number
  /** Position of the last one, padded. */
  readonly movedAt: string
}

export const reviews = projectionOf<ReviewRow, 'review'>('review', {
  name: 'reviews',
  version: 2,
  fold: (row, { event: { type: _, ...review }, revision: seq, position }) => ({
    ...review,
    seq,
    since: row?.since ?? review.at,
    movedAt: padded(position),
  }),
  index: (_, { org, courseId, studentId, since, movedAt }) => [
    `course/${org}/${courseId}/${String(since).padStart(14, '0')}/${studentId}`,
    `moved/${org}/${courseId}/${movedAt}/${studentId}`,
  ],
})
