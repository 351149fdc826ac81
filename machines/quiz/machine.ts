import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Question, QuizEvent } from './events.ts'

interface QuizContext {
  readonly org: string
  readonly courseId: string
  readonly title: string
  readonly passScore: number
  readonly questions: readonly Question[]
  /** How often it was handed in. */
  readonly submissions: number
}

/** new -> open. */
export const quizMachine = setup({
  types: { context: {} as QuizContext, events: {} as QuizEvent },
  actions: {
    set: assign((_, event: Extract<QuizEvent, { type: 'QuizSet' }>) => ({
      org: event.org,
      courseId: event.courseId,
      title: event.title,
      passScore: event.passScore,
      questions: event.questions,
    })),
    count: assign({ submissions: ({ context }) => context.submissions + 1 }),
  },
}).createMachine({
  id: 'quiz',
  context: { org: '', courseId: '', title: '', passScore: 0, questions: [], submissions: 0 },
  initial: 'new',
  states: {
    new: { on: { QuizSet: { target: 'open', actions: { type: 'set', params: ({ event }) => event } } } },
    open: { on: { QuizAnswered: { actions: 'count' } } },
  },
})

export type QuizState = SnapshotFrom<typeof quizMachine>
