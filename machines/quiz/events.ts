import type { EventSchema } from '../kernel.ts'

export interface Question {
  readonly text: string
  readonly choices: readonly string[]
  /** Index of the right choice. */
  readonly answer: number
}

/** A quiz of a course and what was handed in, in the stream `quiz-<id>`. Times in milliseconds since 1970. */
export type QuizEvent =
  | {
      readonly type: 'QuizSet'
      readonly org: string
      readonly courseId: string
      readonly title: string
      /** Percent of right answers. */
      readonly passScore: number
      readonly questions: readonly Question[]
      readonly setBy: string
      readonly at: number
    }
  | {
      readonly type: 'QuizAnswered'
      readonly org: string
      readonly courseId: string
      readonly studentId: string
      /** Indexes of choices, in the order of the questions. */
      readonly answers: readonly number[]
      /** Right answers in percent, rounded. */
      readonly score: number
      readonly passed: boolean
      readonly at: number
    }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const quizEvents: Readonly<Record<QuizEvent['type'], EventSchema>> = { QuizSet: plain, QuizAnswered: plain }
