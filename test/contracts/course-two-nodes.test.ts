import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Campus, campus, progress, TEA } from '../support/campus.ts'
import type { Client } from '../support/client.ts'
import { spawnEventStore } from '../support/eventstore-standin-process.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'

let eventStore: Awaited<ReturnType<typeof spawnEventStore>>
let redis: Awaited<ReturnType<typeof startRedis>>
let nodes: TestServer[]
let here: Campus
let there: Campus

beforeAll(async () => {
  ;[eventStore, redis] = await Promise.all([spawnEventStore(), startRedis()])
  const env = { EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url }
  nodes = await Promise.all([startServer({ env }), startServer({ env })])
  const [first, second] = nodes as [TestServer, TestServer] // two were started
  here = await campus(first, { students: ['ann', 'bob', 'cyd'] })
  there = await campus(second, { as: here })
})
afterAll(async () => {
  here.close()
  there.close()
  await Promise.all(nodes.map((node) => node.stop()))
  await Promise.all([eventStore.stop(), redis.stop()])
})

const beside = async (client: Client): Promise<Client> => {
  expect(await client.ask('join_video', { video_id: here.video })).toEqual([true, null])
  return client
}
const report = (client: Client, timestamp: number) => client.ask('video_progress', progress(here, timestamp))
const position = async (at: Campus, id: string) =>
  (await at.ask(['student', id], 'GET', `/videos/${here.video}/position`)).body.data

test('[COURSE-46] those beside a video hear of each other on any node, each person once', async () => {
  const ann = await beside(await here.come('student', 'ann'))
  const bob = await beside(await there.come('student', 'bob'))
  expect(await ann.told('user_joined_video')).toMatchObject({ user_id: 'bob', user_email: 'bob@acme.example' })
  await beside(await here.come('student', 'bob')) // a second tab, on the other node
  await beside(await here.come('student', 'cyd'))
  for (const one of [ann, bob]) await one.told('user_joined_video', ({ user_id }) => user_id === 'cyd')
  expect(ann.all('user_joined_video').map(({ user_id }) => user_id)).toEqual(['bob', 'cyd'])
  await ann.ask('send_chat_message', { video_id: here.video, message: 'hello', timestamp: 't' })
  for (const one of [ann, bob]) expect((await one.told('new_chat_message')).message).toBe('hello')
  expect(await bob.told('new_chat_message')).toEqual(await ann.told('new_chat_message'))
})

test('[COURSE-46] an instructor on one node is told of a student on another; who moves goes on there', async () => {
  const tea = await there.come(...TEA)
  await tea.ask('join_course', { course_id: here.course })
  const ann = await here.come('student', 'ann')
  for (const timestamp of [0, 1, 2]) await report(ann, timestamp)
  await tea.told('student_progress', ({ timestamp }) => timestamp === 0) // the first report is recorded at once
  ann.close()
  await tea.told('progress_update', (data) => data.user_id === 'ann' && data.watched_seconds === 2)
  expect(await position(there, 'ann')).toMatchObject({ timestamp: 2, watched_seconds: 2 })
  const again = await there.come('student', 'ann')
  await report(again, 3)
  await again.ask('leave_video', { video_id: here.video })
  await expect.poll(async () => (await position(here, 'ann')).watched_seconds, { timeout: 20_000 }).toBe(3)
})

test('[COURSE-26] [COURSE-46] who leaves with one of two tabs, on two nodes, is told of no more', async () => {
  const tea = await here.come(...TEA)
  await beside(tea)
  await here.enrol('dan')
  const [one, two] = [await beside(await here.come('student', 'dan')), await beside(await there.come('student', 'dan'))]
  const came = () => tea.all('user_joined_video').filter(({ user_id }) => user_id === 'dan').length
  await expect.poll(came).toBe(1)
  for (const name of ['leave_video', 'join_video', 'leave_video']) await one.ask(name, { video_id: here.video })
  await two.ask('send_chat_message', { video_id: here.video, message: 'still here', timestamp: 't' })
  await tea.told('new_chat_message', ({ message }) => message === 'still here')
  expect(came()).toBe(1)
  await two.ask('leave_video', { video_id: here.video })
  await beside(one)
  await expect.poll(came).toBe(2)
  one.close()
  two.close()
})

test('[COURSE-36] who watches on two nodes is where they said last; what they have watched never shrinks', async () => {
  const tea = await here.come(...TEA)
  await tea.ask('join_course', { course_id: here.course })
  const [one, two] = [await here.come('student', 'cyd'), await there.come('student', 'cyd')]
  for (let n = 0; n < 8; n++) {
    await report(one, 20 + n * 0.5)
    await report(two, 300 + n * 0.5)
  }
  await one.ask('leave_video', { video_id: here.video })
  await report(two, 305)
  await two.ask('leave_video', { video_id: here.video })
  for (const at of [here, there])
    await expect.poll(() => position(at, 'cyd')).toMatchObject({ timestamp: 305, watched_seconds: 8 })
  await tea.told('progress_update', (data) => data.user_id === 'cyd' && data.watched_seconds === 8)
  const told = tea
    .all('progress_update')
    .flatMap((data) => data.students ?? [data])
    .filter(({ user_id }) => user_id === 'cyd')
  for (const [n, { watched_seconds }] of told.entries())
    expect(watched_seconds).toBeGreaterThanOrEqual(told[n - 1]?.watched_seconds ?? 0)
})

test('[COURSE-46] who is taken out on one node hears no more on the other', async () => {
  const bob = await there.come('student', 'bob')
  await bob.ask('join_course', { course_id: here.course })
  await here.ask(TEA, 'DELETE', '/enrollments/bob')
  expect((await bob.told('error')).message).toMatch(/forbidden/)
  expect((await bob.ask('join_course', { course_id: here.course }))[0]).toBe(false)
})
