import { type Decision, refuse } from '../kernel.ts'
import type { QuizCommand } from './commands.ts'
import type { Question, QuizEvent } from './events.ts'
import type { QuizState } from './machine.ts'

/** Refusals: `answers-missing`, `no-such-choice`, `no-such-quiz` (also of another organisation), `quiz-exists`. */
export function decide(state: QuizState, command: QuizCommand): Decision<QuizEvent> {
  const { by, at } = command
  if (command.type === 'SetQuiz') {
    if (!state.matches('new')) return refuse('quiz-exists')
    const { courseId, title, passScore, questions } = command
    return [{ type: 'QuizSet', org: by.org, courseId, title, passScore, questions, setBy: by.id, at }]
  }
  const { org, courseId, questions, passScore } = state.context
  if (state.matches('new') || by.org !== org) return refuse('no-such-quiz')
  const { answers } = command
  if (answers.length !== questions.length)
    return refuse('answers-missing', { expected: String(questions.length), got: String(answers.length) })
  const wrong = questions.findIndex(({ choices }, n) => (answers[n] ?? -1) >= choices.length)
  if (wrong >= 0) return refuse('no-such-choice', { question: String(wrong) })
  const score = scoreOf(questions, answers)
  return [{ type: 'QuizAnswered', org, courseId, studentId: by.id, answers, score, passed: score >= passScore, at }]
}

/** Right answers in percent, rounded. */
function scoreOf(questions: readonly Question[], answers: readonly number[]): number {
  const right = questions.filter(({ answer }, n) => answers[n] === answer).length
  return Math.round((right / questions.length) * 100)
}
