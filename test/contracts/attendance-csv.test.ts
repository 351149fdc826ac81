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
      `student_id,${first.started_at},${second.started_at},${third.started_at},present,late,excused,absent,attended`,
      `'-1,absent,absent,,0,0,0,2,0`, // what a spreadsheet would compute is a text
      'ann,absent,excused,,0,0,1,1,0',
      'ben,late,present,,1,1,0,0,2', // no longer enrolled, but has marks
      'cem,,absent,present,1,0,0,1,1', // not enrolled yet when the first one ended
      '',
    ])
    expect((await csv(org, course, `from=${second.started_at}&to=${third.started_at}`)).text.split('\r\n')[0]).toBe(
      `student_id,${second.started_at},present,late,excused,absent,attended`,
    )
    expect((await csv(org, course, '', ['admin', 'ada'])).text).toBe(text)
  },
)

test('[ATT-20] a course without students or sessions is a head line; who does not teach it gets none', async () => {
  const { org, course, enrol } = await school(server)
  expect((await csv(org, course)).text).toBe('student_id,present,late,excused,absent,attended\r\n')
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
