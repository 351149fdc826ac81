import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Campus, campus, TEA } from '../support/campus.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let it: Campus
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))
beforeEach(async () => {
  it = await campus(server)
})
afterEach(() => it.close())

const STU = ['student', 'stu'] as const
const quiz = {
  title: 'Halves',
  pass_score: 60,
  questions: [
    { text: 'Half of 2?', choices: ['1', '2'], answer: 0 },
    { text: 'Half of 4?', choices: ['1', '2', '3'], answer: 1 },
    { text: 'Half of 6?', choices: ['3', '2'], answer: 0 },
  ],
}

test('[COURSE-41] teachers call a course something else, and nobody besides', async () => {
  expect((await it.ask(TEA, 'PATCH', '', { title: ' Decimals ' })).body.data).toMatchObject({ title: 'Decimals' })
  expect((await it.ask(STU, 'PATCH', '', { title: 'x' })).status).toBe(403)
  expect((await it.ask(['teacher', 'other'], 'PATCH', '', { title: 'x' })).status).toBe(403)
  expect((await it.ask(TEA, 'PATCH', '', { title: '' })).status).toBe(400)
  expect((await it.ask(STU, 'GET', '')).body.data.title).toBe('Decimals')
})

test('[COURSE-42] videos are added by teachers, and listed to those in the course, the latest first', async () => {
  const added = await it.ask(TEA, 'POST', '/videos', { title: 'Thirds' })
  expect(added.status).toBe(201)
  expect(added.body.data).toEqual({
    ...{ id: expect.any(String), course_id: it.course, title: 'Thirds', duration_seconds: null, seq: 0 },
    created_at: expect.any(String),
  })
  const { data } = (await it.ask(STU, 'GET', '/videos')).body
  expect(data.map(({ title }: { title: string }) => title)).toEqual(['Thirds', 'Halves'])
  for (const who of [STU, ['teacher', 'other'], ['agent', 'ann']] as const)
    expect((await it.ask(who, 'POST', '/videos', { title: 'x' })).status).toBe(403)
  expect((await it.ask(['student', 'stranger'], 'GET', '/videos')).status).toBe(403)
  for (const body of [{}, { title: '' }, { title: 'x', duration_seconds: 0 }, { title: 'x', duration_seconds: 'long' }])
    expect((await it.ask(TEA, 'POST', '/videos', body)).status).toBe(400)
})

test('[COURSE-42] an Idempotency-Key adds one video, one quiz, one submission', async () => {
  const twice = async (who: readonly [string, string], path: string, body: object) => {
    const [one, other] = [await it.ask(who, 'POST', path, body, path), await it.ask(who, 'POST', path, body, path)]
    expect([one.status, other.status]).toEqual([201, 201])
    expect(other.body).toEqual(one.body)
    return one.body.data.id
  }
  await twice(TEA, '/videos', { title: 'Thirds' })
  const id = await twice(TEA, '/quizzes', quiz)
  await twice(STU, `/quizzes/${id}/submissions`, { answers: [0, 1, 0] })
  expect((await it.ask(TEA, 'GET', '/videos')).body.data).toHaveLength(2)
  expect((await it.ask(TEA, 'GET', '/quizzes')).body.data).toMatchObject([{ submissions: 1 }])
})

test('[COURSE-43] each student has one review, the last', async () => {
  const first = await it.ask(STU, 'POST', '/reviews', { rating: 2, comment: 'Dry' })
  expect([first.status, first.body.data]).toEqual([
    201,
    { id: 'stu', user_id: 'stu', rating: 2, comment: 'Dry', at: expect.any(String) },
  ])
  await it.ask(['student', 'sue'], 'POST', '/reviews', { rating: 5, comment: '' })
  await it.ask(STU, 'POST', '/reviews', { rating: 4, comment: 'Better' })
  const { data } = (await it.ask(TEA, 'GET', '/reviews')).body
  expect(data.map(({ user_id, rating }: Record<string, unknown>) => [user_id, rating])).toEqual([
    ['sue', 5],
    ['stu', 4],
  ])
  // Somebody pages through them while one is replaced: each is shown once.
  const page = (await it.ask(TEA, 'GET', '/reviews?limit=1')).body
  await it.ask(STU, 'POST', '/reviews', { rating: 3, comment: 'Hm' })
  const rest = (await it.ask(TEA, 'GET', `/reviews?limit=1&after=${encodeURIComponent(page.next)}`)).body.data
  expect([...page.data, ...rest].map(({ user_id, rating }) => [user_id, rating])).toEqual([
    ['sue', 5],
    ['stu', 3],
  ])
  for (const who of [TEA, ['student', 'stranger'], ['admin', 'ada']] as const)
    expect((await it.ask(who, 'POST', '/reviews', { rating: 1, comment: '' })).status).toBe(403)
  for (const rating of [0, 6, 2.5, '5'])
    expect((await it.ask(STU, 'POST', '/reviews', { rating, comment: '' })).status).toBe(400)
})

describe('[COURSE-44] quizzes', () => {
  test('are set by teachers; students never see an answer', async () => {
    const set = await it.ask(TEA, 'POST', '/quizzes', quiz)
    expect(set.status).toBe(201)
    expect(set.body.data).toMatchObject({ ...quiz, submissions: 0 })
    const seen = await it.ask(STU, 'GET', '/quizzes')
    expect(JSON.stringify(seen.body)).not.toContain('answer')
    expect(seen.body.data[0].questions[1]).toEqual({ text: 'Half of 4?', choices: ['1', '2', '3'] })
    expect((await it.ask(TEA, 'GET', '/quizzes')).body.data[0].questions[1].answer).toBe(1)
    expect((await it.ask(STU, 'POST', '/quizzes', quiz)).status).toBe(403)
    const wrong = { text: 'x', choices: ['1', '2'], answer: 2 }
    for (const questions of [[], [wrong], [{ ...wrong, answer: -1 }], [{ ...wrong, choices: ['1'], answer: 0 }]])
      expect((await it.ask(TEA, 'POST', '/quizzes', { ...quiz, questions })).status).toBe(400)
  })

  test('are handed in by enrolled students, and scored in percent of right answers', async () => {
    const id = (await it.ask(TEA, 'POST', '/quizzes', quiz)).body.data.id
    const path = `/quizzes/${id}/submissions`
    const answered = async (...answers: readonly number[]) => {
      const { status, body } = await it.ask(STU, 'POST', path, { answers })
      return [status, body.data?.score, body.data?.passed]
    }
    expect(await answered(0, 1, 0)).toEqual([201, 100, true])
    expect(await answered(0, 1, 1)).toEqual([201, 67, true])
    expect(await answered(0, 2, 1)).toEqual([201, 33, false])
    for (const answers of [[0, 1], [0, 1, 0, 0], [0, 3, 0], [0, -1, 0], [0, 0.5, 0], 'x'])
      expect((await it.ask(STU, 'POST', path, { answers })).status).toBe(400)
    for (const who of [TEA, ['student', 'stranger']] as const)
      expect((await it.ask(who, 'POST', path, { answers: [0, 1, 0] })).status).toBe(403)
    expect((await it.ask(STU, 'POST', '/quizzes/nothing/submissions', { answers: [] })).status).toBe(404)
    await it.ask(['student', 'sue'], 'POST', path, { answers: [1, 1, 1] })
    const scores = async (who: readonly [string, string], query = '') =>
      (await it.ask(who, 'GET', `${path}${query}`)).body.data.map((one: Record<string, unknown>) => [
        one.user_id,
        one.score,
      ])
    expect(await scores(STU)).toEqual([
      ['stu', 100],
      ['stu', 67],
      ['stu', 33],
    ])
    expect(await scores(TEA, '?limit=2&after=2')).toEqual([
      ['stu', 33],
      ['sue', 33],
    ])
  })
})

test('[COURSE-45] nothing of a course is there for another organisation, or below another course', async () => {
  const foreign = await campus(server)
  const other = await campus(server, { students: [] })
  const quizId = (await it.ask(TEA, 'POST', '/quizzes', quiz)).body.data.id
  const [own, video] = [`/api/v1/courses/${it.course}`, it.video]
  for (const path of ['', '/videos', '/reviews', '/quizzes', '/progress', '/progress.csv', `/videos/${video}/messages`])
    expect((await foreign.company.http('admin', `${own}${path}`)).status).toBe(404)
  for (const path of [`/videos/${video}/position`, `/videos/${video}/messages`, `/quizzes/${quizId}/submissions`])
    expect((await other.ask(TEA, 'GET', path)).status).toBe(404)
  foreign.close()
  other.close()
})
