import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, enter, eventually, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let tea: string

beforeAll(async () => {
  server = await startServer()
  tea = await tokenFor('teacher', 'tea')
})
afterAll(async () => void (await server.stop()))

const ask = async (method: string, path: string, body?: unknown, token = tea, key?: string) =>
  call(server.url, token, method, `/lessons${path}`, body, key)

describe('[LESSON-61] the plan of a lesson that has not begun can be changed', () => {
  test('what is named changes; who waits and who looks on is told', async () => {
    const { id } = await lessonOf(server.url, tea, false)
    const stu = await enter(server, 'student', 'stu', { query: { lesson_id: id } })
    const hub = await enter(server, 'teacher', 'hub', { query: { lesson_id: id, product_type: 'manager' } })
    await stu.told('lesson_state', ({ participants }) => participants.length === 1)
    // Two have come, and that the hub looks on is recorded after its arrival.
    await eventually(
      () => ask('GET', `/${id}`),
      ({ body }) => body.data.seq === 2,
    )

    const plan = { title: 'Geometry', starts_at: '2030-01-07T08:00:00+01:00' }
    const { status, body } = await ask('PATCH', `/${id}`, plan)
    const now = { title: 'Geometry', starts_at: '2030-01-07T07:00:00.000Z', planned_minutes: 45 }
    expect([status, body.data]).toEqual([
      200,
      expect.objectContaining({ ...now, call_off_at: '2030-01-08T07:00:00.000Z', seq: 3 }),
    ])
    for (const who of [stu, hub])
      expect(await who.told('lesson_changed')).toEqual({
        ...{ lesson_id: id, ...now, seq: 3, id: expect.any(String), pos: expect.any(String) },
      })
    const listed = await ask('GET', `?from=2030-01-07&to=2030-01-08&state=scheduled`)
    expect(listed.body.data).toMatchObject([{ id, title: 'Geometry' }])
    expect((await ask('GET', `/${id}?at=0`)).body.data).toMatchObject({ title: 'Algebra' })
    stu.close()
    hub.close()
  })
  test('repeating is harmless', async () => {
    const { id } = await lessonOf(server.url, tea, false)
    const first = await ask('PATCH', `/${id}`, { planned_minutes: 60 }, tea, 'key')
    expect(first.body.data).toMatchObject({ planned_minutes: 60, seq: 1 })
    expect((await ask('PATCH', `/${id}`, { planned_minutes: 60 })).body.data).toMatchObject({ seq: 1 })
    expect((await ask('PATCH', `/${id}`, { planned_minutes: 60 }, tea, 'key')).body).toEqual(first.body)
    const other = await ask('PATCH', `/${id}`, { planned_minutes: 61 }, tea, 'key')
    expect([other.status, other.body.error.code]).toEqual([409, 'client-id-reused'])
  })
  test('what cannot be done is refused, and says why', async () => {
    const { id } = await lessonOf(server.url, tea)
    const other = await tokenFor('teacher', 'other')
    const codeOf = async (...request: Parameters<typeof ask>) => {
      const { status, body } = await ask(...request)
      return [status, body.error.code]
    }
    expect(await codeOf('PATCH', `/${id}`, { title: 'T' })).toEqual([409, 'lesson-started'])
    expect(await codeOf('PATCH', `/${id}`, { title: 'T' }, other)).toEqual([403, 'own-lesson-only'])
    expect(await codeOf('PATCH', '/nosuch', { title: 'T' })).toEqual([404, 'no-such-lesson'])
    await ask('POST', `/${id}/end`)
    expect(await codeOf('PATCH', `/${id}`, { title: 'T' })).toEqual([409, 'lesson-ended'])
    const { status, body } = await ask('PATCH', `/${id}`, {})
    expect([status, body.error.message]).toEqual([
      400,
      expect.stringContaining('expected at least one of title, starts_at, planned_minutes'),
    ])
    expect((await ask('PATCH', `/${id}`, { name: 'T' })).status).toBe(400)
  })
})

describe('[LESSON-62] who comes before the start waits, and is not present yet', () => {
  const people = async (id: string) => (await ask('GET', `/${id}/participants`)).body.data

  test('in a lesson that has begun time counts from then on', async () => {
    const { id } = await lessonOf(server.url, tea, false)
    const early = await enter(server, 'student', 'early', { query: { lesson_id: id } })
    await early.told('lesson_state')
    const { started_at } = (await ask('POST', `/${id}/start`)).body.data
    await early.told('lesson_started')
    const { ended_at } = (await ask('POST', `/${id}/end`)).body.data
    const [{ intervals, seconds_present }] = await people(id)
    expect(Date.parse(intervals[0].from)).toBeLessThanOrEqual(Date.parse(started_at))
    expect(seconds_present).toBe((Date.parse(ended_at) - Date.parse(started_at)) / 1000)
    early.close()
  })
  test('in a lesson that was called off nobody was present', async () => {
    const { id } = await lessonOf(server.url, tea, false)
    const early = await enter(server, 'student', 'early2', { query: { lesson_id: id } })
    await early.told('lesson_state')
    expect(await people(id)).toMatchObject([{ present: true, seconds_present: 0 }])
    await ask('POST', `/${id}/end`)
    expect(await people(id)).toMatchObject([{ joins: 1, seconds_present: 0, intervals: [{ reason: 'lesson-ended' }] }])
    early.close()
  })
})
