import type { EventSchema } from '../kernel.ts'

/** What one student thinks of one course, in the stream `review-<course>.<student>`: the last event counts. */
export type ReviewEvent = {
  readonly type: 'ReviewGiven'
  readonly org: string
  readonly courseId: string
  readonly studentId: string
  /** As their token said; null where it did not. */
  readonly email: string | null
  /** 1 to 5. */
  readonly rating: number
  readonly comment: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export const reviewEvents: Readonly<Record<ReviewEvent['type'], EventSchema>> = {
  ReviewGiven: { version: 1, personal: ['email', 'comment'], upcasts: {} },
}
