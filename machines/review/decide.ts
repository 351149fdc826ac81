import type { Command, Decision } from '../kernel.ts'
import type { ReviewEvent } from './events.ts'
import type { ReviewState } from './machine.ts'

/** By a student who is enrolled: the course is asked before. */
export type ReviewCommand = Command & {
  readonly type: 'GiveReview'
  readonly courseId: string
  readonly email: string | null
  readonly rating: number
  readonly comment: string
}

/** Nothing is refused. The same review once more changes nothing. */
export function decide(state: ReviewState, command: ReviewCommand): Decision<ReviewEvent> {
  const { by, at, courseId, email, rating, comment } = command
  const { context } = state
  if (state.matches('given') && context.rating === rating && context.comment === comment) return []
  return [{ type: 'ReviewGiven', org: by.org, courseId, studentId: by.id, email, rating, comment, at }]
}
