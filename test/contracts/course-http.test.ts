import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type School, school, TEA, type Who } from '../support/attendance.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let acme: School
const ADA: Who = ['admin', 'ada']
const OTHER: Who = ['teacher', 'other']
const STU: Who = ['student', 'stu']

beforeAll(async () => {
  server = await startServer()
  acme = await school(server)
})
afterAll(async () => void (await server.stop()))

const coded = async (answer: Promise<{ status: number; body: { error?: { code: string } } }>) => {
  const { status, body } = await answer
  return [status, body.error?.code]
}

describe('[COURSE-1] creating', () => {
  test('a teacher gets a course that they teach', async () => {
    const { status, body } = await acme.as(TEA, 'POST', '/courses', { title: ' Biology ' })
    expect(status).toBe(201)
    expect(body.data).toEqual({
      id: expect.stringMatching(/^[\w-]{1,64}$/),
      title: 'Biology',
      teacher_ids: ['tea'],
      student_count: 0,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      seq: 0,
    })
    expect((await acme.as(TEA, 'GET', `/courses/${body.data.id}`)).body).toEqual(body)
  })
  test('an admin names who teaches it', async () => {
    expect(
      (await acme.as(ADA, 'POST', '/courses', { title: 'Art', teacher_ids: ['tea', 'other'] })).body.data.teacher_ids,
    ).toEqual(['tea', 'other'])
    expect(await coded(acme.as(ADA, 'POST', '/courses', { title: 'Art' }))).toEqual([400, 'teacher-ids-required'])
  })
  test('nobody else does', async () => {
    for (const role of ['student', 'visitor', 'agent', 'supervisor'])
      expect(await coded(acme.as([role, 'x'], 'POST', '/courses', { title: 'Art', teacher_ids: ['x'] }))).toEqual([
        403,
        'teachers-only',
      ])
  })
  test('what is wrong is named', async () => {
    for (const body of [
      undefined,
      {},
      { title: '' },
      { title: 7 },
      { title: 'x'.repeat(201) },
      { title: 'x', teacher_ids: ['a b'] },
      [],
    ])
      expect(await coded(acme.as(TEA, 'POST', '/courses', body))).toEqual([400, 'bad-request'])
  })
})

test('[COURSE-6] an Idempotency-Key creates one course, and enrols once', async () => {
  const first = await acme.as(TEA, 'POST', '/courses', { title: 'Once' }, 'k1')
  const again = await acme.as(TEA, 'POST', '/courses', { title: 'Once' }, 'k1')
  expect(again).toEqual(first)
  expect(await coded(acme.as(TEA, 'POST', '/courses', { title: 'Twice' }, 'k1'))).toEqual([409, 'client-id-reused'])
  const at = `/courses/${first.body.data.id}`
  const enrolments = await Promise.all(
    [1, 2, 3].map(() => acme.as(TEA, 'POST', `${at}/enrollments`, { student_id: 'stu' }, 'k2')),
  )
  for (const one of enrolments) expect(one).toMatchObject({ status: 201, body: { data: { student_id: 'stu' } } })
  expect((await acme.as(TEA, 'GET', at)).body.data).toMatchObject({ student_count: 1, seq: 1 })
})

test(
  '[ONCE-11] [COURSE-6] an enrolment that changed nothing enrols nobody when it is repeated after ' +
    'they were taken out',
  async () => {
    const { body } = await acme.as(TEA, 'POST', '/courses', { title: 'Repeated' })
    const at = `/courses/${body.data.id}`
    const enrol = (key: string) => acme.as(TEA, 'POST', `${at}/enrollments`, { student_id: 'stu' }, key)
    await enrol('first')
    const idle = await enrol('second')
    await acme.as(TEA, 'DELETE', `${at}/enrollments/stu`)
    expect(await enrol('second')).toEqual(idle)
    expect((await acme.as(TEA, 'GET', at)).body.data).toMatchObject({ student_count: 0, seq: 2 })
  },
)

describe('[COURSE-2] the roster', () => {
  test('is kept by the teachers of the course and admins; what is so already stays so', async () => {
    const { as, course } = await school(server)
    const at = `/courses/${course}`
    for (const who of [TEA, ADA, TEA]) {
      const { status, body } = await as(who, 'POST', `${at}/enrollments`, { student_id: 'stu' })
      expect([status, body.data]).toEqual([201, { id: 'stu', course_id: course, student_id: 'stu' }])
    }
    expect((await as(ADA, 'POST', `${at}/teachers`, { teacher_id: 'other' })).body.data.teacher_ids).toEqual([
      'tea',
      'other',
    ])
    expect((await as(OTHER, 'DELETE', `${at}/enrollments/stu`)).body.data).toMatchObject({ student_count: 0, seq: 3 })
    expect((await as(OTHER, 'DELETE', `${at}/enrollments/stu`)).body.data).toMatchObject({ student_count: 0, seq: 3 })
    expect((await as(OTHER, 'DELETE', `${at}/teachers/tea`)).body.data.teacher_ids).toEqual(['other'])
    expect(await coded(as(TEA, 'POST', `${at}/enrollments`, { student_id: 'stu' }))).toEqual([403, 'own-course-only'])
  })
  test('is no business of others', async () => {
    const { as, course, enrol } = await school(server)
    await enrol('stu')
    for (const [method, path, body] of [
      ['POST', '/enrollments', { student_id: 'x' }],
      ['DELETE', '/enrollments/stu', undefined],
      ['GET', '/enrollments', undefined],
      ['POST', '/teachers', { teacher_id: 'x' }],
      ['DELETE', '/teachers/tea', undefined],
    ] as const) {
      expect(await coded(as(OTHER, method, `/courses/${course}${path}`, body))).toEqual([403, 'own-course-only'])
      expect(await coded(as(STU, method, `/courses/${course}${path}`, body))).toEqual([403, 'teachers-only'])
    }
    expect((await as(TEA, 'GET', `/courses/${course}`)).body.data).toMatchObject({ student_count: 1, seq: 1 })
  })
  test('takes what may be the id of a person, and nothing else', async () => {
    const { as, course } = await school(server)
    for (const student_id of ['', 'a b', 'a.b', 'x'.repeat(65), 7, null, undefined, ['x']])
      expect((await as(TEA, 'POST', `/courses/${course}/enrollments`, { student_id })).status).toBe(400)
    for (const student_id of ['__proto__', 'constructor', 'x'.repeat(64)])
      expect((await as(TEA, 'POST', `/courses/${course}/enrollments`, { student_id })).status).toBe(201)
  })
})

test('[COURSE-3] the last teacher stays', async () => {
  expect(await coded(acme.as(TEA, 'DELETE', `/courses/${acme.course}/teachers/tea`))).toEqual([409, 'last-teacher'])
})

test('[COURSE-4] a course of another organisation is answered like one that does not exist', async () => {
  const { as, course } = await school(server)
  for (const foe of [
    ['admin', 'foe', 'evil'],
    ['teacher', 'tea', 'evil'],
    ['student', 'stu', 'evil'],
  ] as const) {
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['GET', '/enrollments', undefined],
      ['POST', '/enrollments', { student_id: 'x' }],
      ['DELETE', '/enrollments/stu', undefined],
      ['POST', '/teachers', { teacher_id: 'x' }],
      ['DELETE', '/teachers/tea', undefined],
      ['POST', '/attendance-sessions', {}],
      ['GET', '/attendance-sessions', undefined],
      ['GET', '/attendance.csv', undefined],
    ] as const) {
      const theirs = await as(foe, method, `/courses/${course}${path}`, body)
      expect([theirs.status, theirs.body.error.code], `${method} ${path}`).toEqual([404, 'no-such-course'])
      expect(theirs).toEqual(await as(foe, method, `/courses/nothing${path}`, body))
    }
    expect((await as(foe, 'GET', '/courses')).body).toEqual({ data: [] })
  }
})

test('[COURSE-7] a course is shown to its students, its teachers and admins', async () => {
  const { as, course, enrol } = await school(server)
  await enrol('stu')
  for (const who of [TEA, ADA, STU]) expect((await as(who, 'GET', `/courses/${course}`)).body.data.id).toBe(course)
  for (const who of [OTHER, ['student', 'ben'], ['agent', 'stu'], ['supervisor', 'sue'], ['visitor', 'stu']] as const)
    expect(await coded(as(who, 'GET', `/courses/${course}`))).toEqual([403, 'not-in-course'])
})

test('[COURSE-8] lists show one’s own courses, admins all of them, and page without gaps', async () => {
  const { as, course, enrol } = await school(server)
  const ids = [course]
  for (let n = 1; n <= 4; n++)
    ids.unshift((await as(n === 3 ? OTHER : TEA, 'POST', '/courses', { title: `Course ${n}` })).body.data.id)
  await enrol('stu')
  const list = async (who: Who, query = '') => (await as(who, 'GET', `/courses?${query}`)).body
  const names = async (who: Who) => (await list(who)).data.map(({ id }: { id: string }) => ids.indexOf(id))
  const sorted = async (who: Who) => (await names(who)).sort()
  expect(await sorted(ADA)).toEqual([0, 1, 2, 3, 4])
  expect(await sorted(TEA)).toEqual([0, 2, 3, 4])
  expect(await sorted(OTHER)).toEqual([1])
  expect(await sorted(STU)).toEqual([4])
  expect(await sorted(['student', 'ben'])).toEqual([])
  expect(await coded(as(['agent', 'x'], 'GET', '/courses'))).toEqual([403, 'members-only'])
  const first = await list(ADA, 'limit=2')
  const second = await list(ADA, `limit=2&after=${first.next}`)
  const third = await list(ADA, `limit=2&after=${second.next}`)
  expect([first, second, third].map(({ data }) => data.length)).toEqual([2, 2, 1])
  expect([...first.data, ...second.data, ...third.data]).toEqual((await list(ADA)).data)
  expect(third.next).toBeUndefined()
  for (const query of ['limit=0', 'limit=x', 'after=../../x'])
    expect((await as(ADA, 'GET', `/courses?${query}`)).status).toBe(400)
  await as(TEA, 'DELETE', `/courses/${course}/enrollments/stu`)
  expect(await names(STU)).toEqual([])
})

test('[COURSE-9] enrollments are listed by id, in pages', async () => {
  const { as, course, enrol } = await school(server)
  await enrol('c', 'a', 'd', 'b', '__proto__')
  const list = async (query = '') => (await as(TEA, 'GET', `/courses/${course}/enrollments?${query}`)).body
  const ids = ({ data }: { data: { student_id: string }[] }) => data.map(({ student_id }) => student_id)
  expect(ids(await list())).toEqual(['__proto__', 'a', 'b', 'c', 'd'])
  const first = await list('limit=3')
  expect([ids(first), first.next]).toEqual([['__proto__', 'a', 'b'], 'b'])
  await as(TEA, 'DELETE', `/courses/${course}/enrollments/b`)
  expect(await list(`limit=3&after=${first.next}`)).toEqual({
    data: [
      { id: 'c', course_id: course, student_id: 'c' },
      { id: 'd', course_id: course, student_id: 'd' },
    ],
  })
})
