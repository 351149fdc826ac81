import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type School, school, TEA, type Who } from '../support/attendance.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '10000', RATE_PER_ADDRESS: '10000' } })
})
afterAll(async () => void (await server.stop()))

const ADA: Who = ['admin', 'ada']
const STU: Who = ['student', 'stu']
const send = ({ as }: School, id: string, marks: unknown, key?: string) =>
  as(TEA, 'POST', `/attendance-sessions/${id}/marks`, { marks }, key)

describe('[ATT-25] many marks at once', () => {
  test('each has its own answer, in their order: a mark, or why there is none', async () => {
    const acme = await school(server)
    await acme.enrol('stu', 'ben')
    const { id } = await acme.start()
    await acme.checkIn(id, 'stu')
    const { status, body } = await send(acme, id, [
      { student_id: 'ben', status: 'late', reason: ' bus ' },
      { student_id: 'nobody', status: 'present' },
      { student_id: 'stu', status: 'excused', reason: '' },
    ])
    expect(status).toBe(200)
    expect(body.data).toMatchObject([
      { id: 'ben', session_id: id, course_id: acme.course, status: 'late', history: [{ reason: 'bus' }] },
      { student_id: 'nobody', error: { code: 'not-enrolled', message: expect.stringContaining('not enrolled') } },
      { id: 'stu', status: 'excused', history: [{ status: 'present' }, { status: 'excused', reason: null }] },
    ])
    expect(await acme.report(id)).toMatchObject({ student_count: 1, seq: 3 })
  })

  test('five hundred of them, also after the end, and again under the same Idempotency-Key', async () => {
    const acme = await school(server)
    const students = Array.from({ length: 500 }, (_, n) => `s${String(n).padStart(3, '0')}`)
    for (let from = 0; from < 500; from += 250) await acme.enrol(...students.slice(from, from + 250))
    const { id } = await acme.start()
    await acme.end(id)
    const marks = students.map((student_id) => ({ student_id, status: 'present' }))
    const first = await send(acme, id, marks, 'roll-call')
    expect(first.body.data.map((mark: { student_id: string }) => mark.student_id)).toEqual(students)
    await acme.mark(id, 's007', 'absent')
    expect(await send(acme, id, marks, 'roll-call')).toEqual(first)
    expect(await send(acme, id, marks.slice(1), 'roll-call')).toMatchObject({ status: 409 })
    const after = await acme.report(id)
    expect(after).toMatchObject({ final_statistics: { total: 500, present: 499, absent: 1 }, seq: 502 })
    expect(after.marks).toHaveLength(500) // its JSON is written in portions
    expect(after.marks.at(-1)).toMatchObject({ student_id: 's499', history: [{ status: 'present' }] })
  })

  test('what is wrong with any of them is told, and nothing is recorded', async () => {
    const acme = await school(server)
    await acme.enrol('stu')
    const { id } = await acme.start()
    const one = { student_id: 'stu', status: 'present' }
    const why = async (body: object) => {
      const answer = await acme.as(TEA, 'POST', `/attendance-sessions/${id}/marks`, body)
      return `${answer.status} ${answer.body.error.message}`
    }
    expect(await why({ marks: [] })).toMatch(/^400 .*marks/)
    expect(await why({ marks: [one, { ...one, status: 'there' }] })).toMatch(/^400 .*marks\.1\.status/)
    expect(await why({ marks: [one, one] })).toMatch(/^400 .*stu is there twice/)
    expect(await why({ ...one, marks: [one] })).toMatch(/^400 .*student_id: does not go with marks/)
    expect(await why({ marks: Array.from({ length: 501 }, (_, n) => ({ ...one, student_id: `s${n}` })) })).toMatch(
      /^400 .*marks/,
    )
    expect(await why({ student_id: 'stu' })).toMatch(/^400 .*status: is missing/)
    expect(await acme.as(STU, 'POST', `/attendance-sessions/${id}/marks`, { marks: [one] })).toMatchObject({
      status: 403,
    })
    expect(await acme.report(id)).toMatchObject({ seq: 0 })
  })
})

describe('[ATT-27] how often students attended', () => {
  /** Three sessions: ann 2 of 3, ben 1 of 2 and excused once, cem 0 of 3; a fourth was called off. */
  async function term() {
    const acme = await school(server)
    await acme.enrol('ann', 'ben', 'cem')
    const sessions: string[] = []
    for (const said of [
      { ann: 'present', ben: 'late' },
      { ann: 'late', ben: 'excused' },
      { cem: 'absent' },
      { cem: 'present' },
    ]) {
      const { id } = await acme.start({ check_in_mode: 'manual' })
      const marks = Object.entries(said).map(([student_id, status]) => ({ student_id, status }))
      expect((await send(acme, id, marks)).status).toBe(200)
      await acme.end(id)
      sessions.push(id)
    }
    await acme.as(TEA, 'DELETE', `/attendance-sessions/${sessions[3]}`)
    const rates = async (query = '', who: Who = TEA) =>
      (await acme.as(who, 'GET', `/attendance?course=${acme.course}${query}`)).body
    await expect.poll(async () => (await rates()).data.map((one: { rate: number }) => one.rate)).toEqual([66.7, 50, 0])
    return { acme, sessions, rates }
  }

  test('is listed by student, in pages, by their rate, for those who teach it; students see themselves', async () => {
    const { acme, rates } = await term()
    const { data } = await rates()
    expect(data[0]).toEqual({
      ...{ id: 'ann', student_id: 'ann', course_id: acme.course, name: null, email: null },
      ...{ present: 1, late: 1, excused: 0, absent: 1, elsewhere: 0, attended: 2, rate: 66.7 },
    })
    const ids = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id)
    expect(ids(await rates('&min_rate=50'))).toEqual(['ann', 'ben'])
    expect(ids(await rates('&min_rate=66.8', ADA))).toEqual([])
    const page = await rates('&limit=2')
    expect([ids(page), page.next]).toEqual([['ann', 'ben'], 'ben'])
    expect([ids(await rates('&limit=2&after=ben')), (await rates('&limit=2&after=ben')).next]).toEqual([
      ['cem'],
      undefined,
    ])
    expect(ids(await rates('', ['student', 'cem']))).toEqual(['cem'])
    expect(ids(await rates('&from=2100-01-01'))).toEqual(['ann', 'ben', 'cem'])
    expect((await rates('', ['teacher', 'other'])).error.code).toBe('own-course-only')
    expect((await rates('', ['student', 'x'])).error.code).toBe('not-in-course')
    expect((await rates('', ['admin', 'foe', 'evil'])).error.code).toBe('no-such-course')
    expect((await rates('&min_rate=101')).error.code).toBe('bad-request')
    expect((await acme.as(TEA, 'GET', '/attendance')).body.error.message).toContain('course')
  })

  test('is told of one student, by course, as the CSV has it', async () => {
    const { acme, sessions } = await term()
    const of = async (id: string, who: Who, query = '') =>
      (await acme.as(who, 'GET', `/students/${id}/attendance${query}`)).body
    const own = await of('ben', ['student', 'ben'])
    expect(own.data).toMatchObject([
      {
        ...{ id: acme.course, title: 'Algebra', student_id: 'ben', late: 1, excused: 1, absent: 1, rate: 50 },
        sessions: [
          { id: sessions[0], status: 'late' },
          { id: sessions[1], status: 'excused' },
          { id: sessions[2], status: 'absent' },
        ],
      },
    ])
    for (const who of [TEA, ADA]) {
      expect(await of('ben', who)).toEqual(own)
      expect(await of('ben', who, `?course=${acme.course}`)).toEqual(own)
    }
    expect((await of('ben', ['student', 'ann'])).error.code).toBe('own-attendance-only')
    expect((await of('ben', ['agent', 'ben'])).error.code).toBe('teachers-only')
    expect((await of('ben', ['teacher', 'other'])).data).toEqual([])
    expect((await of('ben', ['teacher', 'other'], `?course=${acme.course}`)).error.code).toBe('own-course-only')
    expect((await of('ben', ['admin', 'foe', 'evil'])).data).toEqual([])
  })
})
