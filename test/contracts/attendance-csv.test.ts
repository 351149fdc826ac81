import { afterAll, beforeAll, expect, test } from 'vitest'
import { school } from '../support/attendance.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

const csv = async (org: string, course: string, query = '', who: readonly [string, string] = ['teacher', 'tea']) => {
  const response = await fetch(`${server.url}/api/v1/courses/${course}/attendance.csv?${query}`, {
    headers: { Authorization: `Bearer ${await tokenFor(who[0], who[1], org)}` },
  })
  return { status: response.status, type: response.headers.get('Content-Type'), text: await response.text() }
}
const LAST = 'present,late,excused,absent,attended,elsewhere,rate,name,email'
const tick = () => new Promise((soon) => setTimeout(soon, 2)) // no two sessions in one millisecond

test(
  '[ATT-20] a term is a line for each student and a column for each session, with how often they were ' + 'what',
  async () => {
    const { org, course, enrol, start, checkIn, mark, end, as } = await school(server)
    await enrol('ann', 'ben', '-1')
    const first = await start()
    await checkIn(first.id, 'ann')
    await mark(first.id, 'ben', 'late')
    await end(first.id)
    await tick()
    await enrol('cem')
    const second = await start()
    await mark(second.id, 'ann', 'excused')
    await checkIn(second.id, 'ben')
    await as(['teacher', 'tea'], 'DELETE', `/courses/${course}/enrollments/ben`)
    await end(second.id)
    await mark(first.id, 'ann', 'absent', 'was her sister')
    await tick()
    const third = await start()
    await checkIn(third.id, 'cem')

    const { status, type, text } = await csv(org, course)
    expect([status, type]).toEqual([200, 'text/csv; charset=utf-8'])
    expect(text.split('\r\n')).toEqual([
      `student_id,${first.started_at},${second.started_at},${third.started_at},${LAST}`,
      `'-1,absent,absent,,0,0,0,2,0,0,0,,`, // what a spreadsheet would compute is a text
      'ann,absent,excused,,0,0,1,1,0,0,0,,',
      'ben,late,(present),,0,1,0,0,1,0,100,,', // not enrolled at the end: the mark does not count
      'cem,,absent,present,1,0,0,1,1,0,50,,', // not enrolled yet when the first one ended
      '',
    ])
    expect((await csv(org, course, `from=${second.started_at}&to=${third.started_at}`)).text.split('\r\n')[0]).toBe(
      `student_id,${second.started_at},${LAST}`,
    )
    expect((await csv(org, course, '', ['admin', 'ada'])).text).toBe(text)
  },
)

test('[ATT-20] a course without students or sessions is a head line; who does not teach it gets none', async () => {
  const { org, course, enrol } = await school(server)
  expect((await csv(org, course)).text).toBe(`student_id,${LAST}\r\n`)
  await enrol('stu')
  expect(await csv(org, course, '', ['student', 'stu'])).toMatchObject({
    status: 403,
    text: expect.stringContaining('teachers-only'),
  })
  expect(await csv(org, course, '', ['teacher', 'other'])).toMatchObject({
    status: 403,
    text: expect.stringContaining('own-course-only'),
  })
  expect((await csv(org, course, 'from=monday')).status).toBe(400)
})

test('[ATT-26] it says how the students are called, and nothing in a name is a formula', async () => {
  const { org, course, enrol, as, start, end } = await school(server)
  await enrol('ann', 'ben', 'cem')
  const comes = async (id: string, claims: Record<string, unknown>) =>
    fetch(`${server.url}/api/v1/users/me`, {
      headers: { Authorization: `Bearer ${await tokenFor('student', id, org, claims)}` },
    })
  await comes('ann', { full_name: '=2+3', email: 'ann@acme.example' })
  await comes('ben', { full_name: 'Lee, "Ben"', email: 'ben@acme.example' })
  const { id } = await start()
  const marks = [
    { student_id: 'ann', status: 'late' },
    { student_id: 'ben', status: 'excused' },
  ]
  expect((await as(['teacher', 'tea'], 'POST', `/attendance-sessions/${id}/marks`, { marks })).status).toBe(200)
  await end(id)
  await expect
    .poll(async () => (await csv(org, course)).text.split('\r\n').slice(1))
    .toEqual([
      `ann,late,0,1,0,0,1,0,100,'=2+3,ann@acme.example`,
      'ben,excused,0,0,1,0,0,0,,"Lee, ""Ben""",ben@acme.example', // who is excused is not asked
      'cem,absent,0,0,0,1,0,0,0,,',
      '',
    ])
})

test('[ATT-23] sessions of one millisecond have heads of their own; of two at once nobody can be in both', async () => {
  const { course, org, enrol, start, mark, end } = await school(server)
  await enrol('ann', 'ben', 'cem')
  const twins = async (): Promise<string[]> => {
    for (;;) {
      const both = await Promise.all([1, 2, 3].map(() => start({ check_in_mode: 'manual' })))
      if (new Set(both.map(({ started_at }) => started_at)).size < 3) return both.map(({ id }) => id)
      for (const { id } of both) await end(id)
    }
  }
  const ids = await twins()
  const heads = ((await csv(org, course)).text.split('\r\n')[0] ?? '').split(',').slice(1, -9)
  expect(new Set(heads).size).toBe(heads.length)
  expect(heads.some((head) => head.endsWith('Z (2)'))).toBe(true)

  await mark(ids[0] ?? '', 'ann', 'present')
  await mark(ids[1] ?? '', 'ben', 'late')
  for (const id of ids) await end(id)
  const lines = (await csv(org, course)).text.split('\r\n').slice(1, 4)
  const cellsOf = (line = '') => line.split(',').slice(1, -9).slice(-3).sort()
  expect(lines.map(cellsOf)).toEqual([
    ['elsewhere', 'elsewhere', 'present'],
    ['elsewhere', 'elsewhere', 'late'],
    ['absent', 'absent', 'absent'],
  ])
})
