import type { Command } from '../kernel.ts'
import type { Question } from './events.ts'

/** Who teaches and who is enrolled is the course's to say: it is asked before. */
export type QuizCommand = Command &
  (
    | {
        readonly type: 'SetQuiz'
        readonly courseId: string
        readonly title: string
        readonly passScore: number
        readonly questions: readonly Question[]
      }
    | { readonly type: 'AnswerQuiz'; readonly answers: readonly number[] }
  )
