import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { spawnEventStore } from '../support/eventstore-standin-process.ts'
import { call, enter, eventually, lessonOf } from '../support/lessons.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

let eventStore: Awaited<ReturnType<typeof spawnEventStore>>
let redis: Awaited<ReturnType<typeof startRedis>>
let nodes: TestServer[]
const open: Client[] = []

beforeAll(async () => {
  ;[eventStore, redis] = await Promise.all([spawnEventStore(), startRedis()])
  const env = { EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url }
  nodes = [await startServer({ env }), await startServer({ env })]
})
afterAll(async () => {
  for (const client of open) client.close()
  await Promise.all(nodes.map((node) => node.stop()))
  await Promise.all([eventStore.stop(), redis.stop()])
})

test(
  '[LESSON-53] a teacher on one node and a participant on another, who changes nodes, are in one ' + 'lesson',
  async () => {
    const [first, second] = nodes as [TestServer, TestServer] // two were started
    const tea = await tokenFor('teacher', 'tea')
    const { id } = await lessonOf(first.url, tea)
    const come = async (node: TestServer, role: string, who: string, query = {}): Promise<Client> => {
      const client = await enter(node, role, who, { query })
      open.push(client)
      return client
    }
    const teacher = await come(first, 'teacher', 'tea')
    await teacher.ask('join_lesson', { lesson_id: id })
    const student = await come(second, 'student', 'stu')
    expect((await student.ask('join_lesson', { lesson_id: id }))[0]).toBe(true)
    const present = [{ participant_id: 'tea' }, { participant_id: 'stu' }]
    expect(await student.told('lesson_state')).toMatchObject({ state: 'live', participants: present })
    await teacher.told('participant_joined', ({ participants }) => participants[0].participant_id === 'stu')

    student.socket.io.engine.close()
    await eventually(
      async () =>
        (await call(first.url, tea, 'GET', '/presence')).body.data.find((one: { id: string }) => one.id === 'stu')
          ?.state,
      (state) => state === 'lost',
    )
    const back = await come(first, 'student', 'stu', { lesson_id: id })
    expect(await back.told('lesson_state')).toMatchObject({ participants: present })
    expect(await teacher.told('participant_reconnected')).toMatchObject({ participants: [{ participant_id: 'stu' }] })
    await call(second.url, tea, 'POST', `/lessons/${id}/end`)
    for (const one of [teacher, back]) expect(await one.told('lesson_ended')).toMatchObject({ lesson_id: id })
    const people = await call(second.url, tea, 'GET', `/lessons/${id}/participants`)
    expect(people.body.data).toMatchObject([
      { id: 'tea', joins: 1, reconnects: 0 },
      { id: 'stu', joins: 1, reconnects: 1, leaves: 0, intervals: [{ reason: 'lesson-ended' }] },
    ])
  },
)

test(
  '[LESSON-5] [NODE-6] whoever comes to another node while the leases of their dead one still live is ' +
    'back from a loss, and gone when those are over',
  async () => {
    const env = { EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url, LEASE_MS: '6000', DISCONNECT_GRACE_MS: '500' }
    const doomed = await startServer({ env })
    nodes.push(doomed)
    const living = await startServer({ env })
    nodes.push(living)
    const tea = await tokenFor('teacher', 'tea')
    const { id } = await lessonOf(living.url, tea)
    const student = await enter(doomed, 'student', 'nomad')
    open.push(student)
    expect((await student.ask('join_lesson', { lesson_id: id }))[0]).toBe(true)
    doomed.kill('SIGKILL')
    await doomed.ended
    const back = await enter(living, 'student', 'nomad')
    open.push(back)
    const nomad = async () =>
      (await call(living.url, tea, 'GET', `/lessons/${id}/participants`)).body.data.find(
        (one: { id: string }) => one.id === 'nomad',
      )
    await eventually(nomad, ({ reconnects }) => reconnects === 1)
    back.close()
    const closedAt = Date.now()
    const gone = await eventually(nomad, ({ leaves }) => leaves === 1)
    expect(gone).toMatchObject({ joins: 1, reconnects: 1, present: false })
    // Which node records it, and so what it knows, is open: at the latest when they closed.
    expect(Date.parse(gone.intervals[0].to) - closedAt).toBeLessThan(slowly(1_000))
  },
)
