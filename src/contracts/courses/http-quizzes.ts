import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import { fields } from '../../gateway/http/fields.ts'
import { idFor } from '../../gateway/http/id-for.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, idText, limit, next, title, wholeNumber } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import type { Entities } from '../../runtime/entities.ts'
import { iso } from '../shared/iso.ts'
import type { AskCourseParts } from './ask.ts'
import { notEnrolled } from './http-reviews.ts'
import type { QuizList } from './parts-of-course.ts'
import { courseRefusals } from './refusals.ts'
import { Quiz, QuizScore, quizResource, Submission } from './resources.ts'

export interface QuizRoutesParts extends AskCourseParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state' | 'judged'>
  readonly quizzes: QuizList
}

const QUIZZES = '/api/v1/courses/{id}/quizzes'
const SUBMISSIONS = `${QUIZZES}/{quiz_id}/submissions`
const ofQuiz = { id: idText, quiz_id: idText }

const question = fields({
  text: z.string().trim().min(1).max(2_000),
  choices: z.array(z.string().trim().min(1).max(500)).min(2).max(20),
  answer: z.number().int().min(0).openapi({ description: 'index of the right choice; students never see it' }),
}).refine(({ choices, answer }) => answer < choices.length, {
  path: ['answer'],
  error: 'must be the index of a choice',
})

/** The quizzes of a course, and what was handed in. */
export function quizRoutes(app: OpenAPIHono<HttpEnv>, parts: QuizRoutesParts): void {
  const { access, admission, entities, log, quizzes, now } = parts
  const { act, list } = resources(app, courseRefusals)

  const quizBelow = ({ id, quiz_id }: { id: string; quiz_id: string }, by: Party) =>
    entities.judged('quiz', quiz_id, ({ revision, state: { context } }) => {
      const isHere = revision >= 0 && context.org === by.org && context.courseId === id
      return isHere ? context : refuse('no-such-quiz')
    })

  act(
    {
      method: 'post',
      path: QUIZZES,
      summary: 'Set a quiz (teachers of the course, admins)',
      description: 'The quiz',
      params: id,
      body: fields({
        title,
        pass_score: z.number().min(0).max(100).openapi({ description: 'percent of right answers' }),
        questions: z.array(question).min(1).max(200),
      }),
      data: Quiz,
      status: 201,
    },
    async ({ by, call, params: { id: courseId }, body: { title, pass_score: passScore, questions } }) => {
      const course = await access.taught(courseId, by)
      if (course instanceof Refusal) return course
      const quizId = idFor(`quiz ${courseId}`, by, call)
      const set = { courseId, title, passScore, questions }
      const command = { type: 'SetQuiz', ...set, by, at: now() } as const
      const answer = await admission.ask('quiz', quizId, command, { ...call, payload: set })
      if (answer instanceof Refusal) return answer
      const recorded = await recordedAt(log, streamName('quiz', quizId), answer.seq)
      if (!recorded || !isOf('quiz', recorded) || recorded.event.type !== 'QuizSet')
        throw new Error(`quiz ${quizId} has lost event ${answer.seq}`)
      return quizResource(true)(quizId, { ...recorded.event, submissions: 0, createdAt: recorded.event.at })
    },
  )

  list(
    {
      method: 'get',
      path: QUIZZES,
      summary: 'The quizzes of a course, the latest first; to teachers and admins with the right answers',
      description: 'Quizzes',
      params: id,
      query: { limit: limit(200, 50), after: next },
      items: Quiz,
    },
    async ({ by, params: { id: courseId }, query: { limit, after } }) => {
      const course = await access.visible(courseId, by)
      if (course instanceof Refusal) return course
      const page = await quizzes.list({ org: by.org, courseId }, limit, after)
      return listed(page, quizResource(by.role === 'teacher' || by.role === 'admin'))
    },
  )

  act(
    {
      method: 'post',
      path: SUBMISSIONS,
      summary: 'Hand in a quiz (students of the course): the index of a choice for each question',
      description: 'What it came to',
      params: ofQuiz,
      body: fields({ answers: z.array(z.number().int().min(0)).max(200) }),
      data: QuizScore,
      status: 201,
    },
    async ({ by, call, params, body: { answers } }) => {
      const no = (await notEnrolled(access, params.id, by)) ?? (await quizBelow(params, by))
      if (no instanceof Refusal) return no
      const command = { type: 'AnswerQuiz', answers, by, at: now() } as const
      const answer = await admission.ask('quiz', params.quiz_id, command, { ...call, payload: { answers } })
      if (answer instanceof Refusal) return answer
      const recorded = await recordedAt(log, streamName('quiz', params.quiz_id), answer.seq)
      if (!recorded || !isOf('quiz', recorded) || recorded.event.type !== 'QuizAnswered')
        throw new Error(`quiz ${params.quiz_id} has lost event ${answer.seq}`)
      return { id: recorded.id, score: recorded.event.score, passed: recorded.event.passed }
    },
  )

  list(
    {
      method: 'get',
      path: SUBMISSIONS,
      summary: 'What was handed in, newest last (teachers of the course, admins: all; students: their own)',
      description: 'Submissions',
      params: ofQuiz,
      query: { limit: limit(500, 100), after: wholeNumber.optional() },
      items: Submission,
    },
    async ({ by, params, query: { limit, after = 0 } }) => {
      const course = await access.visible(params.id, by)
      if (course instanceof Refusal) return course
      const quiz = await quizBelow(params, by)
      if (quiz instanceof Refusal) return quiz
      const data: SubmissionData[] = []
      for await (const batch of log.read(streamName('quiz', params.quiz_id), { from: after + 1 }))
        for (const { id, revision: seq, event } of batch.filter((one) => isOf('quiz', one))) {
          if (event.type !== 'QuizAnswered' || (by.role === 'student' && event.studentId !== by.id)) continue
          if (data.length === limit) return { data, next: String(data.at(-1)?.seq) }
          const { studentId: user_id, answers, score, passed, at } = event
          data.push({ id, seq, user_id, answers: [...answers], score, passed, at: iso(at) })
        }
      return { data }
    },
  )
}

type SubmissionData = z.input<typeof Submission>
