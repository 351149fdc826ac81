import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import type { Recorded } from '../../src/log/log.ts'
import { school, TEA, type Who } from '../support/attendance.ts'
import { spawnEventStore } from '../support/eventstore-standin-process.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

const org = 'acme'
let eventStore: Awaited<ReturnType<typeof spawnEventStore>>
let redis: Awaited<ReturnType<typeof startRedis>>
let data: string
let embedded: TestServer
let remote: TestServer

beforeAll(async () => {
  ;[eventStore, redis, data] = await Promise.all([
    spawnEventStore(),
    startRedis(),
    mkdtemp(join(tmpdir(), 'lyceum-two-logs-')),
  ])
  embedded = await startServer({ data })
  remote = await startServer({ env: { EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url } })
})
afterAll(async () => {
  await Promise.all([embedded.stop(), remote.stop()])
  await Promise.all([eventStore.stop(), redis.stop(), rm(data, { recursive: true, force: true })])
})

const text = async (server: TestServer, [role, id]: Who, path: string): Promise<string> => {
  const headers = { Authorization: `Bearer ${await tokenFor(role, id, org)}` }
  return (await fetch(`${server.url}/api/v1${path}`, { headers })).text()
}

/** One session with everything that can happen in it. Named requests make the same ids on every server. */
async function drive(server: TestServer, nth: string): Promise<{ course: string; session: string }> {
  const made = await (await school(server, { org, course: '' })).as(
    TEA,
    'POST',
    '/courses',
    { title: 'Algebra' },
    `course ${nth}`,
  )
  const it = await school(server, { org, course: made.body.data.id })
  for (const id of ['ann', 'bob', 'cyd', '__proto__', 'gone']) await it.enrol(id)
  const started = await it.as(
    TEA,
    'POST',
    `/courses/${it.course}/attendance-sessions`,
    { late_after_minutes: 5 },
    `session ${nth}`,
  )
  const { id } = started.body.data
  for (const who of ['cyd', 'ann']) expect((await it.checkIn(id, who)).status).toBe(200)
  for (const who of ['__proto__', 'gone']) expect((await it.mark(id, who, 'late')).status).toBe(200)
  await it.as(TEA, 'DELETE', `/courses/${it.course}/enrollments/gone`)
  await it.mark(id, 'ann', 'absent', 'left after five minutes')
  expect((await it.end(id)).status).toBe(200)
  await it.mark(id, 'bob', 'excused', 'ill')
  await it.mark(id, 'ann', 'present', 'was in the other room')
  return { course: it.course, session: id }
}

/**
 * Everything that is told of the session: its report as of each event, to the teacher and to a student, and the
 * course's CSV.
 */
async function told(
  server: TestServer,
  { course, session }: { course: string; session: string },
): Promise<readonly string[]> {
  const path = `/courses/${course}/attendance-sessions/${session}`
  const texts = [
    await text(server, TEA, path),
    await text(server, ['student', 'ann'], path),
    await text(server, TEA, `/courses/${course}/attendance.csv`),
  ]
  const { seq } = JSON.parse(texts[0] ?? '').data
  for (let at = 0; at <= seq; at++) texts.push(await text(server, TEA, `${path}?at=${at}`))
  return texts
}
const timeless = (one: string): string => one.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')

test(
  '[WATCH-17] the same session driven on the embedded log and on EventStoreDB with Redis is told the ' +
    'same, but for the clock',
  async () => {
    const here = await drive(embedded, 'one')
    const there = await drive(remote, 'one')
    expect(there).toEqual(here)
    const [one, two] = [await told(embedded, here), await told(remote, there)]
    expect(one.length).toBeGreaterThan(10)
    expect(two.map(timeless)).toEqual(one.map(timeless))
    expect(JSON.parse(one[0] ?? '').data).toMatchObject({ final_statistics: { total: 4, present: 3, absent: 1 } })
  },
)

test('[WATCH-17] the same history is told in the same bytes on both logs', async () => {
  const its = await drive(embedded, 'two')
  const before = await told(embedded, its)
  const again = await startRedis()
  const other = await spawnEventStore()
  await embedded.stop()
  try {
    await copy(other.url)
    const server = await startServer({ env: { EVENTSTORE_URL: other.url, REDIS_URL: again.url } })
    expect(await told(server, its)).toEqual(before)
    await server.stop()
  } finally {
    await Promise.all([again.stop(), other.stop()])
    embedded = await startServer({ data })
  }
  expect(await told(embedded, its)).toEqual(before)
})

async function copy(to: string): Promise<void> {
  const schemas = codec(eventSchemas)
  const from = await openEmbeddedLog({
    path: join(data, 'log'),
    codec: schemas,
    now: Date.now,
    onFatal: () => {},
    readOnly: true,
  })
  const log = await openEventStoreLog({ url: to, codec: schemas })
  for await (const batch of from.readAll()) {
    for (const { stream, revision, id, event, meta } of batch as readonly Recorded[]) {
      await log.append(stream, revision - 1, [{ id, event, meta }])
    }
  }
  await Promise.all([from.close(), log.close()])
}
