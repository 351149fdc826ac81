import type { Recorded } from '../machines/kernel.ts'
import type { Question, QuizEvent } from '../machines/quiz/events.ts'
import { padded } from './padded.ts'
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
  /** Position of the last event, padded. */
  readonly movedAt: string
}

export const quizzes = projectionOf<QuizRow, 'quiz'>('quiz', {
  name: 'quizzes',
  version: 2,
  fold(row, { event, revision: seq, position, stream }: Recorded<QuizEvent>) {
    const movedAt = padded(position)
    if (event.type === 'QuizSet') {
      const { org, courseId, title, passScore, questions, at: createdAt } = event
      return { seq, org, courseId, title, passScore, questions, submissions: 0, createdAt, movedAt }
    }
    if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before QuizSet`)
    return { ...row, seq, submissions: row.submissions + 1, movedAt }
  },
  index: (id, { org, courseId, createdAt, movedAt }) => [
    `course/${org}/${courseId}/${String(createdAt).padStart(14, '0')}/${id}`,
    `moved/${org}/${courseId}/${movedAt}/${id}`,
  ],
})
