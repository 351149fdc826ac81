import { assign, type SnapshotFrom, setup } from 'xstate'
import type { ReviewEvent } from './events.ts'

interface ReviewContext {
  readonly rating: number
  readonly comment: string
}

/** none -> given, and given anew. */
export const reviewMachine = setup({
  types: { context: {} as ReviewContext, events: {} as ReviewEvent },
  actions: { keep: assign((_, { rating, comment }: ReviewContext) => ({ rating, comment })) },
}).createMachine({
  id: 'review',
  context: { rating: 0, comment: '' },
  initial: 'none',
  states: {
    none: { on: { ReviewGiven: { target: 'given', actions: { type: 'keep', params: ({ event }) => event } } } },
    given: { on: { ReviewGiven: { actions: { type: 'keep', params: ({ event }) => event } } } },
  },
})

export type ReviewState = SnapshotFrom<typeof reviewMachine>
