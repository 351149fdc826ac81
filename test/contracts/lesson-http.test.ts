import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anonymous, call, enter, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let tea: string
let stu: string
let ada: string
const plan = { title: 'Algebra', starts_at: '2026-11-21T10:00:00+01:00', planned_minutes: 45 }

beforeAll(async () => {
  server = await startServer()
  ;[tea, stu, ada] = await Promise.all([
    tokenFor('teacher', 'tea'),
    tokenFor('student', 'stu'),
    tokenFor('admin', 'ada'),
  ])
})
afterAll(async () => void (await server.stop()))

const ask = (token: string, method: string, path: string, body?: unknown, key?: string) =>
  call(server.url, token, method, path, body, key)

describe('scheduling', () => {
  test('[LESSON-10] a teacher schedules a lesson and gets its join code; times are UTC', async () => {
    const { status, body } = await ask(tea, 'POST', '/lessons', plan)
    expect(status).toBe(201)
    expect(body.data).toMatchObject({
      title: 'Algebra',
      teacher_id: 'tea',
      state: 'scheduled',
      starts_at: '2026-11-21T09:00:00.000Z',
      planned_minutes: 45,
      started_at: null,
      participants_present: 0,
      seq: 0,
    })
    expect(body.data.code).toMatch(/^[2-9A-HJKMNP-Z]{8}$/)
  })
  test('[LESSON-11] the same Idempotency-Key schedules one lesson, and is refused for another', async () => {
    const first = await ask(tea, 'POST', '/lessons', plan, 'k1')
    const again = await ask(tea, 'POST', '/lessons', plan, 'k1')
    expect([again.status, again.body]).toEqual([201, first.body])
    const other = await ask(tea, 'POST', '/lessons', { ...plan, title: 'Biology' }, 'k1')
    expect([other.status, other.body.error.code]).toEqual([409, 'client-id-reused'])
  })
  test('[LESSON-10] only teachers do', async () => {
    for (const token of [stu, ada])
      expect(await ask(token, 'POST', '/lessons', plan)).toMatchObject({
        status: 403,
        body: { error: { code: 'teachers-only' } },
      })
  })
  test('[LESSON-10] what is wrong is named', async () => {
    const wrong = await ask(tea, 'POST', '/lessons', { ...plan, starts_at: 'tomorrow' })
    expect([wrong.status, wrong.body.error.message]).toEqual([
      400,
      expect.stringContaining('starts_at: must be ISO-8601'),
    ])
    expect((await ask(tea, 'POST', '/lessons', { ...plan, planned_minutes: 0 })).status).toBe(400)
  })
})

describe('running', () => {
  test('[LESSON-12] start and end answer with the lesson, and may be repeated', async () => {
    const { id } = await lessonOf(server.url, tea, false)
    const started = await ask(tea, 'POST', `/lessons/${id}/start`, undefined, 's1')
    expect(started).toMatchObject({ status: 200, body: { data: { state: 'live', seq: 1 } } })
    const { started_at, due_at } = started.body.data
    expect(Date.parse(due_at) - Date.parse(started_at)).toBe((45 + 30) * 60_000)
    expect(await ask(tea, 'POST', `/lessons/${id}/start`)).toEqual(started)
    const ended = await ask(ada, 'POST', `/lessons/${id}/end`)
    expect(ended).toMatchObject({
      status: 200,
      body: { data: { state: 'ended', end_reason: 'ended', code: null, seq: 2 } },
    })
    expect(await ask(tea, 'POST', `/lessons/${id}/end`)).toEqual(ended)
    expect(await ask(tea, 'POST', `/lessons/${id}/start`)).toMatchObject({
      status: 409,
      body: { error: { code: 'lesson-ended' } },
    })
  })
  test('[LESSON-13] another teacher may look and not touch, a student neither', async () => {
    const { id } = await lessonOf(server.url, tea, false)
    const other = await tokenFor('teacher', 'other')
    expect(await ask(other, 'POST', `/lessons/${id}/start`)).toMatchObject({
      status: 403,
      body: { error: { code: 'own-lesson-only' } },
    })
    expect((await ask(other, 'GET', `/lessons/${id}`)).status).toBe(200)
    for (const path of [`/lessons/${id}`, `/lessons/${id}/participants`, '/lessons'])
      expect((await ask(stu, 'GET', path)).status).toBe(403)
  })
  test('[LESSON-2] a lesson of another organisation is answered like one that does not exist', async () => {
    const { id } = await lessonOf(server.url, tea)
    const foe = await tokenFor('admin', 'foe', 'evil')
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/participants'],
      ['POST', '/start'],
      ['POST', '/end'],
    ] as const) {
      const theirs = await ask(foe, method, `/lessons/${id}${path}`)
      expect(theirs.status).toBe(404)
      expect(theirs).toEqual(await ask(foe, method, `/lessons/nothing${path}`))
    }
    expect((await ask(foe, 'GET', '/lessons')).body.data).toEqual([])
  })
})

test('[LESSON-14] lists go by planned start, filter, and page without gaps', async () => {
  const mia = await tokenFor('teacher', 'mia', 'listing')
  const max = await tokenFor('teacher', 'max', 'listing')
  const ids: string[] = []
  for (let day = 1; day <= 5; day++) {
    const made = await ask(day === 3 ? max : mia, 'POST', '/lessons', {
      ...plan,
      title: `Day ${day}`,
      starts_at: `2026-12-0${day}T08:00:00Z`,
    })
    ids.unshift(made.body.data.id)
  }
  await ask(mia, 'POST', `/lessons/${ids[0]}/start`)
  const list = async (query: string) => (await ask(mia, 'GET', `/lessons?${query}`)).body
  const titles = async (query: string) =>
    (await list(query)).data.map(({ title }: { title: string }) => title.slice(-1)).join('')
  expect(await titles('')).toBe('54321')
  expect(await titles('state=live')).toBe('5')
  expect(await titles('state=scheduled')).toBe('4321')
  expect(await titles('teacher=max')).toBe('3')
  expect(await titles('teacher=me&state=scheduled')).toBe('421')
  expect(await titles('from=2026-12-02T08:00:00Z&to=2026-12-04T08:00:00Z')).toBe('32')
  const first = await list('limit=2')
  const second = await list(`limit=2&after=${first.next}`)
  const third = await list(`limit=2&after=${second.next}`)
  expect([...first.data, ...second.data, ...third.data].map(({ id }) => id)).toEqual(ids)
  expect(third.next).toBeUndefined()
})

test('[LESSON-15] the past of a lesson is as it was, at every event', async () => {
  const { id, code } = await lessonOf(server.url, tea)
  const [member, guest] = await Promise.all([enter(server, 'student', 'ben'), anonymous(server)])
  await member.ask('join_lesson', { lesson_id: id })
  await guest.ask('join_lesson', { code, name: 'Gus' })
  await member.ask('leave_lesson', {})
  await ask(tea, 'POST', `/lessons/${id}/end`)
  const then = async (seq: number) => {
    const lesson = await ask(ada, 'GET', `/lessons/${id}?at=${seq}`)
    const people = await ask(ada, 'GET', `/lessons/${id}/participants?at=${seq}`)
    const { state, participants_present } = lesson.body.data
    return [
      state,
      participants_present,
      people.body.data.map((one: { name: string; present: boolean }) => `${one.name} ${one.present}`),
    ]
  }
  expect(await then(0)).toEqual(['scheduled', 0, []])
  expect(await then(1)).toEqual(['live', 0, []])
  expect(await then(2)).toEqual(['live', 1, ['ben true']])
  expect(await then(3)).toEqual(['live', 2, ['ben true', 'Gus true']])
  expect(await then(4)).toEqual(['live', 1, ['ben false', 'Gus true']])
  expect(await then(5)).toEqual(['ended', 0, ['ben false', 'Gus false']])
  expect(await ask(ada, 'GET', `/lessons/${id}?at=6`)).toMatchObject({
    status: 404,
    body: { error: { code: 'no-such-event' } },
  })
  const { body } = await ask(ada, 'GET', `/lessons/${id}/participants`)
  for (const person of body.data) {
    const [{ from, to }] = person.intervals
    expect(person.seconds_present).toBe((Date.parse(to) - Date.parse(from)) / 1000)
  }
  expect(body.data).toMatchObject([
    { name: 'ben', joins: 1, leaves: 1, reconnects: 0, intervals: [{ reason: 'left' }] },
    { name: 'Gus', joins: 1, leaves: 0, intervals: [{ reason: 'lesson-ended' }] },
  ])
  member.close()
  guest.close()
})
