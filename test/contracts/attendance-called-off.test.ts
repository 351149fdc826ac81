import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countsOf, type School, school, TEA, type Who } from '../support/attendance.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '1000' } })
})
afterAll(async () => void (await server.stop()))

const ADA: Who = ['admin', 'ada']
const callOff = ({ as, course }: School, id: string, who: Who = TEA) =>
  as(who, 'DELETE', `/courses/${course}/attendance-sessions/${id}`)
const refusalOf = async (answer: ReturnType<School['as']>) => (await answer).body.error?.code

describe('[ATT-21] a session that was started by mistake', () => {
  test('is over for those who watch, counts for nobody, and keeps what was said in it', async () => {
    const acme = await school(server)
    await acme.enrol('stu')
    const [held, mistake] = [await acme.start(), await acme.start()]
    await acme.checkIn(mistake.id, 'stu')
    const watcher = await acme.come(['student', 'stu'])
    await watcher.ask('subscribeToCourse', { course_id: acme.course })
    const { status, body } = await callOff(acme, mistake.id)
    expect(status).toBe(200)
    expect(body.data).toMatchObject({
      state: 'called_off',
      called_off_by: 'tea',
      called_off_by_id: 'tea',
      called_off_at: expect.stringMatching(/Z$/),
      ended_at: null,
      final_statistics: null,
      student_count: 1,
      marks: [{ student_id: 'stu', status: 'present' }],
    })
    expect(body.data).not.toHaveProperty('code')
    const told = await watcher.told('courseSessionEnded')
    expect(told).toMatchObject({
      session_id: mistake.id,
      called_off: true,
      ended_by: 'tea',
      ended_at: body.data.called_off_at,
      final_statistics: { total: 0, present: 0, absent: 0 },
    })
    const data = await watcher.told('activeSessionsData', (one) => Object.keys(countsOf(one)).length === 1)
    expect(countsOf(data)).toEqual({ [held.id]: 0 })

    expect(await refusalOf(acme.mark(mistake.id, 'stu', 'late'))).toBe('session-called-off')
    expect(await refusalOf(acme.end(mistake.id))).toBe('session-called-off')
    expect(await refusalOf(acme.as(TEA, 'GET', `/attendance-sessions/${mistake.id}/code`))).toBe('session-called-off')
    expect(await callOff(acme, mistake.id, ADA)).toEqual({ status, body }) // once
    const listed = await acme.as(TEA, 'GET', `/courses/${acme.course}/attendance-sessions?state=called_off`)
    expect(listed.body.data).toMatchObject([{ id: mistake.id, final_statistics: null }])
    acme.close()
  })

  test('may have ended, and those who watch hear nothing of that', async () => {
    const acme = await school(server)
    await acme.enrol('stu')
    const { id } = await acme.start()
    await acme.end(id)
    const watcher = await acme.come(TEA)
    await watcher.ask('subscribeToCourse', { course_id: acme.course })
    const { body } = await callOff(acme, id)
    expect(body.data).toMatchObject({ state: 'called_off', final_statistics: null, ended_at: expect.any(String) })
    const next = await acme.start()
    await watcher.told('courseSessionStarted', (one) => one.session_id === next.id)
    expect(watcher.all('courseSessionEnded')).toEqual([])
    acme.close()
  })

  test('is called off by nobody else', async () => {
    const acme = await school(server)
    await acme.enrol('stu')
    const { id } = await acme.start()
    expect(await refusalOf(callOff(acme, id, ['student', 'stu']))).toBe('teachers-only')
    expect(await refusalOf(callOff(acme, id, ['teacher', 'other']))).toBe('own-course-only')
    expect(await refusalOf(callOff(acme, id, ['admin', 'foe', 'evil']))).toBe('no-such-session')
    expect(await acme.report(id)).toMatchObject({ state: 'active', seq: 0 })
  })
})

test('[ATT-28] twenty sessions of a course are active at once, whoever starts one more is told why not', async () => {
  const acme = await school(server)
  const at = `/courses/${acme.course}/attendance-sessions`
  const keyed = await acme.as(TEA, 'POST', at, {}, 'first')
  const answers = await Promise.all(Array.from({ length: 24 }, () => acme.as(TEA, 'POST', at, {})))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(19)
  const refused = answers.find(({ status }) => status !== 201)
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'too-many-sessions' } } })
  expect(refused?.body.error.message).toContain('20 attendance sessions that are active: end one')
  expect((await acme.as(TEA, 'POST', at, {}, 'first')).body.data.id).toBe(keyed.body.data.id) // no more of them
  await callOff(acme, keyed.body.data.id)
  const watcher = await acme.come(TEA)
  await watcher.ask('subscribeToCourse', { course_id: acme.course })
  await watcher.told('activeSessionsData', (one) => Object.keys(countsOf(one)).length === 19)
  expect((await acme.as(TEA, 'POST', at, {})).status).toBe(201)
  acme.close()
})
