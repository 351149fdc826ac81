import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Question, QuizEvent } from './events.ts'

interface QuizContext {
  readonly org: string
  readonly courseId: string
  readonly title: string
  readonly passScore: number
  readonly questions: readonly Question[]
}

/** new -> open. What was handed in is in the log: nothing is decided by it. */
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
  },
}).createMachine({
  id: 'quiz',
  context: { org: '', courseId: '', title: '', passScore: 0, questions: [] },
  initial: 'new',
  states: {
    new: { on: { QuizSet: { target: 'open', actions: { type: 'set', params: ({ event }) => event } } } },
    open: { on: { QuizAnswered: {} } },
  },
})

export type QuizState = SnapshotFrom<typeof quizMachine>
