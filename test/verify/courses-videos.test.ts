import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { courses } from '../../src/contracts/courses/contract.ts'
import { courseAnswers } from '../../src/contracts/courses/shapes.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const STUDENTS = ['ann', 'bob'] as const
const student = (id: string): Party => ({ id, org, role: 'student' })
const questions = [{ text: 'Half of 2?', choices: ['1', '2'], answer: 0 }]

const who = fc.constantFrom(...STUDENTS)
const emitting = (name: string, data: object) =>
  who.map<Step>((id) => async (world) => (await world.connect(student(id))).emit(name, data))
const progress = fc.tuple(who, fc.nat(100), fc.nat(100)).map<Step>(([id, timestamp, percent]) => async (world) => {
  const data = { video_id: 'v', course_id: 'c', timestamp, progress: percent }
  return (await world.connect(student(id))).emit('video_progress', data)
})
const leaving = who.map<Step>((id) => async (world) => {
  const client = await world.connect(student(id))
  await client.emit('join_video', { video_id: 'v' })
  return client.emit('leave_video', { video_id: 'v' })
})
const reviewing = fc.tuple(who, fc.integer({ min: 1, max: 5 })).map<Step>(([id, rating]) => ({ ask, node }) => {
  const review = { courseId: 'c', email: null, rating, comment: 'x', by: student(id), at: node.clock.now() } as const
  return ask('review', `c.${id}`, { type: 'GiveReview', ...review })
})
const answering = fc.tuple(who, fc.nat(2)).map<Step>(([id, choice]) => ({ ask, node }) => {
  return ask('quiz', 'q', { type: 'AnswerQuiz', answers: [choice], by: student(id), at: node.clock.now() })
})
const removesAll: Step = async ({ ask, node }) => {
  for await (const batch of node.log.read('video-v'))
    for (const { event, revision: seq } of batch)
      if (event.type === 'RemarkMade')
        await ask('video', 'v', { type: 'RemoveRemark', seq, by: tea, at: node.clock.now() })
}
const does =
  (id: string, name: string, data: object): Step =>
  async (world) =>
    (await world.connect(student(id))).emit(name, data)
const removing = fc.nat(10).map<Step>((seq) => async (world) => {
  const { ask, node } = world
  for await (const [said] of node.log.read('video-v', { from: seq, limit: 1 })) {
    if (said?.event.type !== 'RemarkMade') return
    await ask('video', 'v', { type: 'RemoveRemark', seq, by: tea, at: node.clock.now() })
  }
})
const roster = fc.tuple(fc.constantFrom('Enrol', 'Unenrol'), fc.constantFrom('cyd', 'dan')).map<Step>(
  ([type, studentId]) =>
    ({ ask, node }) =>
      ask('course', 'c', { type: type as 'Enrol', studentId, by: tea, at: node.clock.now() }),
)
const renaming = fc.nat(3).map<Step>(
  (n) =>
    ({ ask, node }) =>
      ask('course', 'c', { type: 'Retitle', title: `Algebra ${n}`, by: tea, at: node.clock.now() }),
)
const waiting = fc.constantFrom(500, 2_000, 20_000).map<Step>(
  (ms) =>
    async ({ advance }) =>
      advance(ms),
)

test('[VERIFY-1] [VERIFY-2] videos: every command is recorded as it was answered, and told in its shape', async () => {
  const seen = await verify(
    {
      contract: courses,
      besides: courseAnswers,
      async arrange({ ask, node: { clock } }) {
        const by = { by: tea, at: clock.now() }
        await ask('course', 'c', { type: 'CreateCourse', title: 'Algebra', teacherIds: [], ...by })
        for (const studentId of STUDENTS) await ask('course', 'c', { type: 'Enrol', studentId, ...by })
        await ask('video', 'v', { type: 'AddVideo', courseId: 'c', title: 'Halves', durationSeconds: 100, ...by })
        await ask('quiz', 'q', { type: 'SetQuiz', courseId: 'c', title: 'Q', passScore: 50, questions, ...by })
      },
      steps: fc.array(
        fc.oneof(
          { weight: 5, arbitrary: progress },
          { weight: 2, arbitrary: emitting('join_video', { video_id: 'v' }) },
          { weight: 1, arbitrary: emitting('join_course', { course_id: 'other' }) },
          { weight: 3, arbitrary: emitting('send_chat_message', { video_id: 'v', message: 'hi', timestamp: 't' }) },
          { weight: 2, arbitrary: leaving },
          { weight: 2, arbitrary: reviewing },
          { weight: 2, arbitrary: answering },
          { weight: 2, arbitrary: removing },
          { weight: 2, arbitrary: roster },
          { weight: 1, arbitrary: renaming },
          { weight: 4, arbitrary: waiting },
        ),
        { minLength: 5, maxLength: 25, size: 'max' },
      ),
      example: [
        does('ann', 'join_video', { video_id: 'v' }),
        does('ann', 'video_progress', { video_id: 'v', course_id: 'c', timestamp: 1, progress: 1 }),
        does('ann', 'send_chat_message', { video_id: 'v', message: 'hi', timestamp: 't' }),
        removesAll,
        does('ann', 'join_course', { course_id: 'other' }),
        ({ ask, node }) => ask('course', 'c', { type: 'Enrol', studentId: 'cyd', by: tea, at: node.clock.now() }),
        ({ ask, node }) => ask('course', 'c', { type: 'Retitle', title: 'B', by: tea, at: node.clock.now() }),
        ({ ask, node }) =>
          ask('quiz', 'q', { type: 'AnswerQuiz', answers: [0], by: student('ann'), at: node.clock.now() }),
        ({ ask, node }) => {
          const review = {
            courseId: 'c',
            email: null,
            rating: 5,
            comment: 'x',
            by: student('ann'),
            at: node.clock.now(),
          }
          return ask('review', 'c.ann', { type: 'GiveReview', ...review })
        },
        async (world) => {
          const client = await world.connect(student('bob'))
          await client.emit('join_video', { video_id: 'v' })
          return client.emit('leave_video', { video_id: 'v' })
        },
        async ({ advance }) => advance(20_000),
      ],
      async watch(world, nth) {
        const client = await world.connect(nth % 2 === 0 ? tea : student('ann'))
        await client.emit('join_course', { course_id: 'c' })
        await client.emit('join_video', { video_id: 'v' })
        return client
      },
      // What is told is told once: nothing of it has to be held, and what can be looked at is there over HTTP.
      held: () => null,
    },
    40,
  )
  expect(unseen(seen, 'video', 'watch', 'quiz', 'review')).toEqual([])
  for (const name of Object.keys(courses.wire)) expect(seen.names).toContain(name)
})
