import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type School, school, TEA, type Who } from '../support/attendance.ts'
import { call } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
const ADA: Who = ['admin', 'ada']
const OTHER: Who = ['teacher', 'other']
const STU: Who = ['student', 'stu']
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '1000' } }) // one teacher enrols six hundred
})
afterAll(async () => void (await server.stop()))

const coded = async (answer: Promise<{ status: number; body: { error?: { code: string } } }>) => {
  const { status, body } = await answer
  return [status, body.error?.code]
}

/** Both places where a session is reached. */
const placesOf = ({ course }: School, id: string) => [
  `/courses/${course}/attendance-sessions/${id}`,
  `/attendance-sessions/${id}`,
]

describe('[ATT-14] starting', () => {
  test('with nothing said it is planned for an hour, with check-in by code', async () => {
    const { as, course } = await school(server)
    const { status, body } = await as(TEA, 'POST', `/courses/${course}/attendance-sessions`)
    expect(status).toBe(201)
    expect(body.data).toEqual({
      id: expect.stringMatching(/^[\w-]{1,64}$/),
      course_id: course,
      teacher_id: 'tea',
      teacher_name: 'tea',
      state: 'active',
      planned_minutes: 60,
      check_in_mode: 'code',
      late_after_minutes: null,
      started_at: expect.stringMatching(ISO),
      due_at: expect.stringMatching(ISO),
      ended_at: null,
      ended_by: null,
      ended_by_id: null,
      end_reason: null,
      student_count: 0,
      final_statistics: null,
      marks: [],
      seq: 0,
      code: expect.stringMatching(/^[2-9A-HJKMNP-Z]{6}$/),
      code_expires_at: expect.stringMatching(ISO),
    })
    const { started_at, due_at, code_expires_at } = body.data
    expect(Date.parse(due_at) - Date.parse(started_at)).toBe((60 + 30) * 60_000)
    expect(Date.parse(code_expires_at) % 20_000).toBe(0)
    expect(Date.parse(code_expires_at) - Date.now()).toBeLessThanOrEqual(20_000)
  })
  test('an empty body that says it is JSON is an empty body', async () => {
    const { org, course } = await school(server)
    const response = await fetch(`${server.url}/api/v1/courses/${course}/attendance-sessions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await tokenFor('teacher', 'tea', org)}`, 'Content-Type': 'application/json' },
    })
    expect(response.status).toBe(201)
  })
  test('as asked; several of one course may go on at once', async () => {
    const { start, as, course } = await school(server)
    const plan = { planned_minutes: 5, check_in_mode: 'manual', late_after_minutes: 0 }
    const [one, two] = [await start(plan), await start()]
    expect(one).toMatchObject(plan)
    expect(one).not.toHaveProperty('code')
    expect((await as(TEA, 'GET', `/courses/${course}/attendance-sessions?state=active`)).body.data).toHaveLength(2)
    expect(one.id).not.toBe(two.id)
  })
  test('by the teachers of the course only', async () => {
    const { as, course, enrol } = await school(server)
    await enrol('stu')
    const at = `/courses/${course}/attendance-sessions`
    expect(await coded(as(OTHER, 'POST', at, {}))).toEqual([403, 'own-course-only'])
    for (const who of [ADA, STU]) expect(await coded(as(who, 'POST', at, {}))).toEqual([403, 'teachers-only'])
  })
  test('what is wrong is named', async () => {
    const { as, course } = await school(server)
    for (const plan of [
      { planned_minutes: 0 },
      { planned_minutes: 1.5 },
      { planned_minutes: 1441 },
      { planned_minutes: '60' },
      { check_in_mode: 'qr' },
      { late_after_minutes: -1 },
      [],
    ])
      expect(await coded(as(TEA, 'POST', `/courses/${course}/attendance-sessions`, plan))).toEqual([400, 'bad-request'])
  })
  test('[ATT-15] the same Idempotency-Key starts one session', async () => {
    const { as, course } = await school(server)
    const at = `/courses/${course}/attendance-sessions`
    const answers = await Promise.all([1, 2, 3].map(() => as(TEA, 'POST', at, {}, 'start')))
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1)
    expect(await coded(as(TEA, 'POST', at, { planned_minutes: 5 }, 'start'))).toEqual([409, 'client-id-reused'])
    expect((await as(TEA, 'GET', at)).body.data).toHaveLength(1)
  })
})

describe('[ATT-3] checking in', () => {
  test('with the code on the teacher’s screen, at either place, once', async () => {
    const acme = await school(server)
    await acme.enrol('stu', 'ben')
    const { id, code } = await acme.start()
    const [below, itself] = placesOf(acme, id)
    const first = await acme.as(STU, 'POST', `${below}/check-in`, { code: code.toLowerCase() })
    expect([first.status, first.body.data]).toEqual([
      200,
      {
        id: 'stu',
        session_id: id,
        course_id: acme.course,
        student_id: 'stu',
        status: 'present',
        via: 'code',
        by: 'stu',
        at: expect.stringMatching(ISO),
        seq: 1,
        history: [{ status: 'present', via: 'code', by: 'stu', at: first.body.data.at, reason: null, seq: 1 }],
      },
    ])
    expect((await acme.as(['student', 'ben'], 'POST', `${itself}/check-in`, { code })).body.data.seq).toBe(2)
    expect(await acme.as(STU, 'POST', `${itself}/check-in`, { code })).toEqual(first)
    expect(await acme.report(id)).toMatchObject({ student_count: 2, seq: 2 })
  })
  test('twins that arrive together make one mark', async () => {
    const { enrol, start, as, report, course } = await school(server)
    await enrol('stu')
    const { id, code } = await start()
    const at = `/courses/${course}/attendance-sessions/${id}/check-in`
    const twins = Array.from({ length: 10 }, (_, n) => as(STU, 'POST', at, { code }, n < 5 ? 'same' : undefined))
    const answers = await Promise.all(twins)
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(await report(id)).toMatchObject({ student_count: 1, seq: 1, marks: [{ student_id: 'stu' }] })
  })
  test('not with a wrong code, and not by anybody else', async () => {
    const acme = await school(server)
    await acme.enrol('stu')
    const { id, code } = await acme.start()
    const [below = '', itself = ''] = placesOf(acme, id)
    expect(await coded(acme.as(STU, 'POST', `${below}/check-in`, { code: 'WRNG22' }))).toEqual([
      403,
      'wrong-check-in-code',
    ])
    expect(await coded(acme.as(['student', 'ben'], 'POST', `${below}/check-in`, { code }))).toEqual([
      403,
      'not-in-course',
    ])
    for (const who of [TEA, ADA, ['teacher', 'stu']] as const)
      expect(await coded(acme.as(who, 'POST', `${itself}/check-in`, { code }))).toEqual([403, 'students-only'])
    for (const body of [undefined, {}, { code: 7 }, { code: null }, { code: 'x'.repeat(65) }, []])
      expect(await coded(acme.as(STU, 'POST', `${below}/check-in`, body))).toEqual([400, 'bad-request'])
    expect(await acme.report(id)).toMatchObject({ student_count: 0, seq: 0 })
  })
  test('[ATT-13] the sixth wrong code in a minute is answered 429, with the time to wait', async () => {
    const { enrol, start, org, course, checkIn } = await school(server)
    await enrol('stu', 'ben')
    const { id } = await start()
    const token = await tokenFor('student', 'stu', org)
    const guess = () =>
      fetch(`${server.url}/api/v1/courses/${course}/attendance-sessions/${id}/check-in`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ code: '000000' }),
      })
    for (let n = 0; n < 5; n++) expect((await guess()).status).toBe(403)
    const sixth = await guess()
    expect(sixth.status).toBe(429)
    expect(Number(sixth.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await checkIn(id, 'stu')).status).toBe(429)
    expect((await checkIn(id, 'ben')).status).toBe(200)
  })
  test('not where the teacher marks, and not after the end', async () => {
    const { enrol, start, as, end, course } = await school(server)
    await enrol('stu')
    const manual = await start({ check_in_mode: 'manual' })
    const at = `/courses/${course}/attendance-sessions`
    expect(await coded(as(STU, 'POST', `${at}/${manual.id}/check-in`, { code: 'ABCDEF' }))).toEqual([
      409,
      'check-in-by-teacher',
    ])
    expect(await coded(as(TEA, 'GET', `${at}/${manual.id}/code`))).toEqual([409, 'check-in-by-teacher'])
    const { id, code } = await start()
    await end(id)
    expect(await coded(as(STU, 'POST', `${at}/${id}/check-in`, { code }))).toEqual([409, 'session-ended'])
    expect(await coded(as(TEA, 'GET', `${at}/${id}/code`))).toEqual([409, 'session-ended'])
  })
})

test('[ATT-12] the code of a session is for its teachers and admins, and checks nobody in to another one', async () => {
  const acme = await school(server)
  await acme.enrol('stu')
  const [one, two] = [await acme.start(), await acme.start()]
  const [below = '', itself = ''] = placesOf(acme, one.id)
  for (const who of [TEA, ADA]) {
    const { body } = await acme.as(who, 'GET', `${below}/code`)
    expect(body.data).toEqual({ id: one.id, code: expect.any(String), code_expires_at: expect.stringMatching(ISO) })
    expect((await acme.as(who, 'GET', itself)).body.data).toHaveProperty('code')
    expect((await acme.as(who, 'GET', `${itself}?at=0`)).body.data).not.toHaveProperty('code')
  }
  expect(await coded(acme.as(STU, 'GET', `${itself}/code`))).toEqual([403, 'teachers-only'])
  expect(await coded(acme.as(OTHER, 'GET', `${itself}/code`))).toEqual([403, 'own-course-only'])
  expect((await acme.as(STU, 'GET', itself)).body.data).not.toHaveProperty('code')
  const [, other = ''] = placesOf(acme, two.id)
  expect(await coded(acme.as(STU, 'POST', `${other}/check-in`, { code: one.code }))).toEqual([
    403,
    'wrong-check-in-code',
  ])
  expect(server.output()).not.toContain(one.code)
})

describe('[ATT-5] marks and corrections', () => {
  test('a correction keeps what it corrects, with who, when and why, and moves the counts', async () => {
    const { enrol, start, as, mark, report, checkIn, end, course } = await school(server)
    await enrol('stu', 'ben', 'cem')
    const { id } = await start()
    await checkIn(id, 'stu')
    expect((await mark(id, 'ben', 'late', ' ')).body.data.history).toMatchObject([{ status: 'late', reason: null }])
    expect(await report(id)).toMatchObject({ student_count: 2 })
    const corrected = await as(ADA, 'POST', `/attendance-sessions/${id}/marks`, {
      student_id: 'stu',
      status: 'excused',
      reason: ' ill ',
    })
    expect(corrected.body.data).toMatchObject({
      id: 'stu',
      status: 'excused',
      via: 'teacher',
      by: 'ada',
      seq: 3,
      history: [
        { status: 'present', via: 'code', by: 'stu', reason: null, seq: 1 },
        { status: 'excused', via: 'teacher', by: 'ada', reason: 'ill', seq: 3 },
      ],
    })
    expect(await mark(id, 'stu', 'excused', 'again')).toEqual(corrected)
    expect((await end(id)).body.data.final_statistics).toEqual({ total: 3, present: 1, absent: 2 })
    await mark(id, 'cem', 'present', 'was there')
    const after = await report(id)
    expect(after).toMatchObject({
      state: 'ended',
      student_count: 2,
      final_statistics: { total: 3, present: 2, absent: 1 },
      seq: 5,
    })
    expect(
      after.marks.map(({ student_id, status }: { student_id: string; status: string }) => `${student_id} ${status}`),
    ).toEqual(['ben late', 'cem present', 'stu excused'])
    expect(
      (await as(ADA, 'GET', `/courses/${course}/attendance-sessions/${id}?at=4`)).body.data.final_statistics.present,
    ).toBe(1)
  })
  test(
    '[ATT-15] the same Idempotency-Key gives the first answer again, also when the mark was corrected ' + 'since',
    async () => {
      const { enrol, start, as, mark } = await school(server)
      await enrol('stu')
      const { id } = await start()
      const asked = { student_id: 'stu', status: 'late', reason: null }
      const first = await as(TEA, 'POST', `/attendance-sessions/${id}/marks`, asked, 'm1')
      await mark(id, 'stu', 'absent')
      expect(await as(TEA, 'POST', `/attendance-sessions/${id}/marks`, asked, 'm1')).toEqual(first)
      expect(
        await coded(as(TEA, 'POST', `/attendance-sessions/${id}/marks`, { ...asked, status: 'absent' }, 'm1')),
      ).toEqual([409, 'client-id-reused'])
    },
  )
  test('of students of the course, by its teachers and admins, and nothing else', async () => {
    const { enrol, start, as, mark } = await school(server)
    await enrol('stu')
    const { id } = await start()
    const at = `/attendance-sessions/${id}/marks`
    expect(await coded(mark(id, 'nobody', 'present'))).toEqual([409, 'not-enrolled'])
    expect(await coded(as(OTHER, 'POST', at, { student_id: 'stu', status: 'present' }))).toEqual([
      403,
      'own-course-only',
    ])
    expect(await coded(as(STU, 'POST', at, { student_id: 'stu', status: 'present' }))).toEqual([403, 'teachers-only'])
    for (const body of [
      {},
      { student_id: 'stu' },
      { student_id: 'stu', status: 'gone' },
      { student_id: 'a b', status: 'late' },
      { student_id: 'stu', status: 'late', reason: 'x'.repeat(501) },
      { student_id: 'stu', status: 'late', reason: 7 },
    ])
      expect(await coded(as(TEA, 'POST', at, body))).toEqual([400, 'bad-request'])
  })
  test('[ATT-6] whom the teacher has marked absent cannot check in', async () => {
    const { enrol, start, mark, checkIn } = await school(server)
    await enrol('stu')
    const { id } = await start()
    await mark(id, 'stu', 'absent')
    expect(await coded(checkIn(id, 'stu'))).toEqual([409, 'marked-by-teacher'])
    await mark(id, 'stu', 'present')
    expect((await checkIn(id, 'stu')).status).toBe(200)
  })
})

describe('[ATT-8] ending', () => {
  test('counts those who are enrolled then; twice is answered the same', async () => {
    const { enrol, start, as, checkIn, end, course } = await school(server)
    await enrol('stu', 'ben', 'cem')
    const { id } = await start()
    for (const student of ['stu', 'ben']) await checkIn(id, student)
    await as(TEA, 'DELETE', `/courses/${course}/enrollments/ben`)
    const ended = await end(id)
    expect(ended.status).toBe(200)
    expect(ended.body.data).toMatchObject({
      state: 'ended',
      ended_at: expect.stringMatching(ISO),
      ended_by: 'tea',
      ended_by_id: 'tea',
      end_reason: 'ended',
      final_statistics: { total: 2, present: 1, absent: 1 },
      seq: 3,
    })
    expect(ended.body.data).not.toHaveProperty('code')
    await enrol('dan')
    expect(await end(id)).toEqual(ended)
    expect(
      await coded(as(TEA, 'POST', `/attendance-sessions/${id}/marks`, { student_id: 'dan', status: 'present' })),
    ).toEqual([409, 'not-enrolled'])
  })
  test('an admin may, others may not', async () => {
    const { start, as, enrol } = await school(server)
    await enrol('stu')
    const { id } = await start()
    expect(await coded(as(OTHER, 'POST', `/attendance-sessions/${id}/end`))).toEqual([403, 'own-course-only'])
    expect(await coded(as(STU, 'POST', `/attendance-sessions/${id}/end`))).toEqual([403, 'teachers-only'])
    expect((await as(ADA, 'POST', `/attendance-sessions/${id}/end`, {})).body.data).toMatchObject({
      state: 'ended',
      ended_by_id: 'ada',
    })
  })
})

describe('[ATT-16] who sees a report', () => {
  test('teachers of the course and admins all of it, students what was said of themselves', async () => {
    const acme = await school(server)
    await acme.enrol('stu', 'ben')
    const { id } = await acme.start()
    for (const student of ['stu', 'ben']) await acme.checkIn(id, student)
    for (const place of placesOf(acme, id)) {
      for (const who of [TEA, ADA]) expect((await acme.as(who, 'GET', place)).body.data.marks).toHaveLength(2)
      const own = (await acme.as(STU, 'GET', place)).body.data
      expect(own).toMatchObject({ student_count: 2, marks: [{ student_id: 'stu' }] })
      expect(own.marks).toHaveLength(1)
      for (const who of [OTHER, ['student', 'x'], ['agent', 'stu']] as const)
        expect(await coded(acme.as(who, 'GET', place))).toEqual([403, 'not-in-course'])
    }
  })
  test('[ATT-17] the past is as it was, at every event', async () => {
    const { enrol, start, checkIn, mark, end, as } = await school(server)
    await enrol('stu')
    const { id } = await start()
    await checkIn(id, 'stu')
    await mark(id, 'stu', 'absent')
    await end(id)
    const then = async (seq: number | string) => as(ADA, 'GET', `/attendance-sessions/${id}?at=${seq}`)
    const counts = []
    for (const seq of [0, 1, 2, 3]) {
      const { state, student_count, marks, seq: at } = (await then(seq)).body.data
      counts.push([at, state, student_count, marks[0]?.history.length ?? 0])
    }
    expect(counts).toEqual([
      [0, 'active', 0, 0],
      [1, 'active', 1, 1],
      [2, 'active', 0, 2],
      [3, 'ended', 0, 2],
    ])
    expect(await coded(then(4))).toEqual([404, 'no-such-event'])
    for (const wrong of ['-1', 'x', '1.5', '1e99']) expect((await then(wrong)).status).toBeGreaterThanOrEqual(400)
  })
  test(
    '[ATT-2] a session of another organisation, or of another course, is answered like one that does ' + 'not exist',
    async () => {
      const acme = await school(server)
      const { id } = await acme.start()
      const second = (await acme.as(TEA, 'POST', '/courses', { title: 'Other' })).body.data.id
      const foes: readonly Who[] = [
        ['admin', 'foe', 'evil'],
        ['teacher', 'tea', 'evil'],
        ['student', 'stu', 'evil'],
      ]
      const asked = [
        ['GET', '', undefined],
        ['GET', '/code', undefined],
        ['POST', '/check-in', { code: 'ABCDEF' }],
        ['POST', '/marks', { student_id: 'stu', status: 'present' }],
        ['POST', '/end', undefined],
      ] as const
      for (const [method, path, body] of asked) {
        for (const foe of foes) {
          for (const place of placesOf(acme, id)) {
            const theirs = await acme.as(foe, method, place + path, body)
            expect([theirs.status, theirs.body.error.code]).toEqual([404, 'no-such-session'])
            expect(theirs).toEqual(await acme.as(foe, method, place.replace(id, 'nothing') + path, body))
          }
        }
        for (const course of [second, 'nothing'])
          expect(
            await coded(acme.as(TEA, method, `/courses/${course}/attendance-sessions/${id}${path}`, body)),
          ).toEqual([404, 'no-such-session'])
      }
      expect(await acme.report(id)).toMatchObject({ state: 'active', seq: 0 })
    },
  )
})

test('[ATT-18] sessions are listed by their start, the latest first, filter, and page without gaps', async () => {
  const { enrol, start, end, as, course } = await school(server)
  await enrol('stu')
  const started: { readonly id: string; readonly started_at: string }[] = []
  for (let n = 0; n < 4; n++) {
    const one = await start()
    started.unshift(one)
    // no two in one millisecond
    while (Date.now() <= Date.parse(one.started_at)) await new Promise((soon) => setTimeout(soon, 1))
  }
  await end(started[3]?.id ?? '')
  const list = async (query = '', who: Who = TEA) =>
    (await as(who, 'GET', `/courses/${course}/attendance-sessions?${query}`)).body
  const order = async (query = '', who: Who = TEA) =>
    (await list(query, who)).data.map(({ id }: { id: string }) => started.findIndex((one) => one.id === id))
  expect(await order()).toEqual([0, 1, 2, 3])
  expect(await order('', STU)).toEqual([0, 1, 2, 3])
  expect(await order('state=active')).toEqual([0, 1, 2])
  expect(await order('state=ended')).toEqual([3])
  expect(await order(`from=${started[2]?.started_at}&to=${started[0]?.started_at}`)).toEqual([1, 2])
  const first = await list('limit=3')
  const second = await list(`limit=3&after=${first.next}`)
  expect([...first.data, ...second.data]).toEqual((await list()).data)
  expect(second.next).toBeUndefined()
  expect(first.data[0]).not.toHaveProperty('marks')
  expect(first.data[0]).not.toHaveProperty('code')
  expect(await coded(as(OTHER, 'GET', `/courses/${course}/attendance-sessions`))).toEqual([403, 'not-in-course'])
  for (const query of ['state=live', 'from=today', 'limit=0', 'limit=201', 'after=x'])
    expect((await as(TEA, 'GET', `/courses/${course}/attendance-sessions?${query}`)).status).toBe(400)
})

test('[ATT-19] a whole class checks in at once, and nobody is told to come again', async () => {
  const { enrol, start, report, org } = await school(server)
  const students = Array.from({ length: 600 }, (_, n) => `s${n}`)
  for (let from = 0; from < students.length; from += 200) await enrol(...students.slice(from, from + 200))
  const { id, code } = await start()
  const tokens = await Promise.all(students.map((student) => tokenFor('student', student, org)))
  const answers = await Promise.all(
    tokens.map((token) => call(server.url, token, 'POST', `/attendance-sessions/${id}/check-in`, { code })),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(await report(id)).toMatchObject({ student_count: 600, seq: 600 })
})
