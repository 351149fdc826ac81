import type { Recorded } from '../machines/kernel.ts'
import type { Question, QuizEvent } from '../machines/quiz/events.ts'
import { projectionOf } from './projection.ts'

/** One quiz. Times are milliseconds since 1970. */
export interface QuizRow {
  readonly seq: number
  readonly org: string
  readonly courseId: string
  readonly title: string
  readonly passScore: number
  readonly questions: readonly Question[]
  /** How often it was handed in. */
  readonly submissions: number
  readonly createdAt: number
}

export const quizzes = projectionOf<QuizRow, 'quiz'>('quiz', {
  name: 'quizzes',
  version: 1,
  fold(row, { event, revision: seq, stream }: Recorded<QuizEvent>) {
    if (event.type === 'QuizSet') {
      const { org, courseId, title, passScore, questions, at: createdAt } = event
      return { seq, org, courseId, title, passScore, questions, submissions: 0, createdAt }
    }
    if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before QuizSet`)
    return { ...row, seq, submissions: row.submissions + 1 }
  },
  index: (id, { org, courseId, createdAt }) => [
    `course/${org}/${courseId}/${String(createdAt).padStart(14, '0')}/${id}`,
  ],
})
