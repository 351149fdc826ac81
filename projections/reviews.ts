import type { ReviewEvent } from '../machines/review/events.ts'
import { projectionOf } from './projection.ts'

/** What one student thinks of one course. Times are milliseconds since 1970. */
export interface ReviewRow extends Omit<ReviewEvent, 'type'> {
  readonly seq: number
}

export const reviews = projectionOf<ReviewRow, 'review'>('review', {
  name: 'reviews',
  version: 1,
  fold: (_, { event: { type: _type, ...review }, revision: seq }) => ({ ...review, seq }),
  index: (_, { org, courseId, studentId, at }) => [
    `course/${org}/${courseId}/${String(at).padStart(14, '0')}/${studentId}`,
  ],
})
