import { z } from '@hono/zod-openapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refuse } from '../../machines/kernel.ts'
import { fields } from '../../src/gateway/http/fields.ts'
import { resources } from '../../src/gateway/http/resource.ts'
import { startHttp } from './server.ts'

let http: Awaited<ReturnType<typeof startHttp>>
let token = ''
const decided: unknown[] = []

beforeAll(async () => {
  http = await startHttp()
  token = await http.token('agent')
  const refusals = {
    'agents-only': [403, 'only agents, not {name:who}'],
    'too-eager': [429, 'wait {seconds} s'],
  } as const
  const { act, read, openly } = resources(http.app, refusals)
  const question = fields({ text: z.string(), choices: z.array(fields({ text: z.string() })) })
  act(
    {
      method: 'post',
      path: '/api/v1/quizzes',
      summary: 'A quiz',
      description: 'The quiz',
      body: fields({ title: z.string(), questions: z.array(question) }),
      data: z.object({ title: z.string() }),
      status: 201,
    },
    ({ body: { title } }) => {
      decided.push(title)
      return title === 'forbidden' ? refuse('agents-only', { who: 'ann' }) : { title }
    },
  )
  act(
    {
      method: 'delete',
      path: '/api/v1/quizzes/{id}',
      summary: 'Gone',
      description: 'Nothing',
      params: { id: z.string() },
      data: z.null(),
    },
    () => null,
  )
  read(
    {
      method: 'get',
      path: '/api/v1/quizzes/{id}',
      summary: 'A quiz',
      description: 'The quiz',
      params: { id: z.string().max(8) },
      query: { at: z.string().optional(), by: z.string().optional() },
      data: z.string(),
    },
    ({ params: { id } }) => (id === 'eager' ? refuse('too-eager', { seconds: '7' }) : refuse('a-code-in-no-table')),
  )
  openly(
    {
      method: 'post',
      path: '/api/v1/hello',
      summary: 'Anybody',
      description: 'A greeting',
      body: fields({ name: z.string() }),
      answer: z.object({ hello: z.string() }),
    },
    ({ body: { name } }) => ({ hello: name }),
  )
})
afterAll(() => http.close())

const quiz = (body: unknown, headers = {}) => http.call('POST', '/api/v1/quizzes', { token, body, headers })
const get = (path: string) => http.call('GET', `/api/v1/quizzes/${path}`, { token })

describe('[HTTP-11] what a route does not know is refused by its name, with what it knows', () => {
  test('a parameter of the query', async () => {
    expect(await get('q1?att=3')).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-request', message: 'unknown query parameter "att": known are at, by' } },
    })
  })
  test('a parameter whose name means something to JavaScript', async () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect((await get(`q1?${name}=3`)).body.error.message).toContain(`unknown query parameter "${name}"`)
    expect((await quiz('{"title": "t", "questions": [], "__proto__": {"admin": true}}')).body.error.message).toContain(
      'unknown field "__proto__": known are title, questions',
    )
  })
  test('a field of the body, however deep it lies', async () => {
    const questions = [{ text: 'one', choices: [{ text: 'a', right: true }] }]
    const { status, body } = await quiz({ title: 't', questions })
    expect([status, body.error.message]).toEqual([400, 'questions.0.choices.0: unknown field "right": known are text'])
  })
  test('everything else that is wrong is told with it', async () => {
    const { body } = await quiz({ titel: 't', questions: 'none' })
    for (const flaw of ['title: ', 'questions: ', 'unknown field "titel"']) expect(body.error.message).toContain(flaw)
  })
  test('a body where there is nothing to say', async () => {
    const gone = (body?: unknown) => http.call('DELETE', '/api/v1/quizzes/q1', { token, body })
    expect(await gone()).toMatchObject({ status: 200 })
    expect(await gone({})).toMatchObject({ status: 200 })
    expect((await gone({ force: true })).body.error.message).toBe('unknown field "force": none is known here')
    for (const body of [[], 'null', '"force"'])
      expect((await gone(body)).body.error.message).toBe('the body must be a JSON object')
  })
  test('a thousand unknown names make a short answer', async () => {
    const { status, body } = await quiz(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`x${i}`, 1])))
    expect(status).toBe(400)
    expect(body.error.message.length).toBeLessThan(500)
  })
})

test('[HTTP-12] a query parameter that is sent twice is refused, for nobody can tell which one counts', async () => {
  expect(await get('q1?at=1&at=1')).toMatchObject({
    status: 400,
    body: { error: { message: 'at: sent more than once' } },
  })
})

describe('[HTTP-13] checks come in one order: token, shape, Idempotency-Key, and only then who may', () => {
  test('without a token nothing is said of the shape', async () => {
    for (const body of ['{"title": ', { unknown: 1 }, { title: 't', questions: [] }])
      expect(await http.call('POST', '/api/v1/quizzes?x=1', { body })).toMatchObject({ status: 401 })
  })
  test('a wrong shape is told before a key that was used for something else, and before who may', async () => {
    const key = { 'Idempotency-Key': 'order' }
    expect(await quiz({ title: 'first', questions: [] }, key)).toMatchObject({ status: 201 })
    expect(await quiz({ title: 'second', questions: [], x: 1 }, key)).toMatchObject({ status: 400 })
    expect(await quiz({ title: 'forbidden', questions: [] }, key)).toMatchObject({ status: 409 })
    expect(await quiz({ title: 'forbidden', questions: [] })).toMatchObject({
      status: 403,
      body: { error: { message: 'only agents, not ann' } },
    })
    expect(decided).toEqual(['first', 'forbidden'])
  })
  test('a route is open only where it says so', async () => {
    const { status, body, headers } = await http.call('POST', '/api/v1/hello', { body: { name: 'Ann' } })
    expect([status, body, headers.get('cache-control')]).toEqual([200, { hello: 'Ann' }, 'no-store'])
    expect(await http.call('GET', '/api/v1/hello')).toMatchObject({ status: 401 })
    expect(await http.call('GET', '/api/v1/nothing')).toMatchObject({ status: 401 })
  })
})

test('a refusal that stands in no table is a bug: told as nothing more, and written down', async () => {
  expect(await get('q1')).toMatchObject({ status: 503, body: { error: { code: 'internal' } } })
  expect(http.lines.filter((line) => line.includes('a request failed'))).toHaveLength(1)
})

test('too often says when again', async () => {
  const { status, body, headers } = await get('eager')
  expect([status, body.error.message, headers.get('retry-after')]).toEqual([429, 'wait 7 s', '7'])
})
