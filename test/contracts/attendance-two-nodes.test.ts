import { afterAll, beforeAll, expect, test } from 'vitest'
import { held, type School, school, TEA } from '../support/attendance.ts'
import { spawnEventStore } from '../support/eventstore-standin-process.ts'
import { eventually } from '../support/lessons.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'

let eventStore: Awaited<ReturnType<typeof spawnEventStore>>
let redis: Awaited<ReturnType<typeof startRedis>>
let nodes: TestServer[]
let here: School
let there: School

beforeAll(async () => {
  ;[eventStore, redis] = await Promise.all([spawnEventStore(), startRedis()])
  const env = { EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url }
  nodes = [await startServer({ env }), await startServer({ env })]
  const [first, second] = nodes as [TestServer, TestServer] // two were started
  here = await school(first)
  there = await school(second, here)
  await here.enrol('ann', 'bob', 'cyd')
})
afterAll(async () => {
  here.close()
  there.close()
  await Promise.all(nodes.map((node) => node.stop()))
  await Promise.all([eventStore.stop(), redis.stop()])
})

test(
  '[WATCH-13] a teacher on one node and those who watch on another see one session; who checks in on ' +
    'both is marked once',
  async () => {
    const [ann, tea] = [await there.come(['student', 'ann']), await here.come(TEA)]
    for (const client of [ann, tea])
      expect((await client.ask('subscribeToCourse', { course_id: here.course }))[0]).toBe(true)
    const { id } = await here.start()
    for (const client of [ann, tea])
      expect(await client.told('courseSessionStarted')).toMatchObject({ session_id: id, seq: 0 })
    const answers = await Promise.all([
      here.checkIn(id, 'ann'),
      there.checkIn(id, 'ann'),
      there.checkIn(id, 'bob'),
      here.mark(id, 'cyd', 'absent'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    for (const client of [ann, tea]) {
      await eventually(
        () => held(client, here.course),
        (counts) => counts?.[id] === 2,
      )
    }
    expect(await there.report(id)).toMatchObject({ student_count: 2, seq: 3 })
    await there.end(id)
    const final_statistics = { total: 3, present: 2, absent: 1 }
    const [one, two] = await Promise.all([ann, tea].map((client) => client.told('courseSessionEnded')))
    expect(one).toMatchObject({ session_id: id, final_statistics })
    expect(two).toEqual(one)
    for (const client of [ann, tea]) {
      await eventually(
        () => held(client, here.course),
        (counts) => counts !== undefined && Object.keys(counts).length === 0,
      )
    }
  },
)

test('[WATCH-13] who is unenrolled on one node stops hearing on the other', async () => {
  const [bob, ann] = [await there.come(['student', 'bob']), await there.come(['student', 'ann'])]
  for (const client of [ann, bob]) await client.ask('subscribeToCourse', { course_id: here.course })
  await here.as(TEA, 'DELETE', `/courses/${here.course}/enrollments/bob`)
  expect(await bob.told('activeSessionsError')).toMatchObject({ code: 'not-in-course' })
  const { id } = await here.start()
  await ann.told('courseSessionStarted', ({ session_id }) => session_id === id)
  expect(bob.all('courseSessionStarted')).toEqual([])
  expect((await bob.ask('subscribeToCourse', { course_id: here.course }))[2]).toMatchObject({ code: 'not-in-course' })
  await here.end(id)
})

test('[WATCH-13] with Redis away sessions are started, marked, ended and watched all the same', async () => {
  const ann = await there.come(['student', 'ann'])
  await redis.kill()
  await ann.ask('subscribeToCourse', { course_id: here.course })
  const { id } = await here.start()
  await ann.told('courseSessionStarted', ({ session_id }) => session_id === id)
  expect((await there.checkIn(id, 'ann')).status).toBe(200)
  await eventually(
    () => held(ann, here.course),
    (counts) => counts?.[id] === 1,
  )
  await here.end(id)
  expect(await ann.told('courseSessionEnded', ({ session_id }) => session_id === id)).toMatchObject({
    final_statistics: { present: 1 },
  })
  await redis.restart()
  const listed = await eventually(
    () => here.as(TEA, 'GET', `/courses/${here.course}/attendance-sessions`),
    ({ status, body }) => status === 200 && body.data.length === 3,
    20_000,
  )
  expect(listed.body.data[0]).toMatchObject({ id, state: 'ended', student_count: 1 })
})
