import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Proposed } from '../../src/log/log.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'
import type { Client } from '../support/client.ts'
import { call, enter, eventually, lessonOf } from '../support/lessons.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

const GRACE_MS = slowly(1_200)

let data: string
let server: TestServer
let tea: string
let open: Client[]

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-lessons-'))
  tea = await tokenFor('teacher', 'tea')
  open = []
})
afterEach(async () => {
  for (const client of open) client.close()
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const start = async (): Promise<void> => {
  server = await startServer({ data, env: { DISCONNECT_GRACE_MS: String(GRACE_MS) } })
}
const kill = async (): Promise<void> => {
  server.kill('SIGKILL')
  await server.ended
}
/** Milliseconds that are enough for a server to start, whatever else this machine does. */
const aWhile = async (): Promise<number> => {
  const began = performance.now()
  await start()
  await kill()
  return 2 * (performance.now() - began) + 1_000
}
const come = async (id: string, lesson?: string): Promise<Client> => {
  const client = await enter(server, 'student', id, lesson === undefined ? {} : { query: { lesson_id: lesson } })
  open.push(client)
  return client
}
const inLesson = async (id: string, lesson: string): Promise<Client> => {
  const client = await come(id)
  expect((await client.ask('join_lesson', { lesson_id: lesson }))[0]).toBe(true)
  return client
}
/** Breaks the connection; resolves to the time, once the loss is recorded. */
const drop = async (client: Client, id: string): Promise<number> => {
  const at = Date.now()
  client.socket.io.engine.close()
  await eventually(
    async () =>
      (await call(server.url, tea, 'GET', '/presence')).body.data.find((one: { id: string }) => one.id === id)?.state,
    (state) => state === 'lost',
  )
  return at
}
const person = async (lesson: string, id: string) =>
  (await call(server.url, tea, 'GET', `/lessons/${lesson}/participants`)).body.data.find(
    (one: { id: string }) => one.id === id,
  )

test(
  '[LESSON-30] [GRACE-9] a server killed in the middle of a lesson, and of two graces, leaves the ' +
    'intervals as they would have been',
  async () => {
    await start()
    const { id } = await lessonOf(server.url, tea)
    await inLesson('stays', id)
    await inLesson('goes', id)
    const returning = await inLesson('returns', id)
    const lostAt = await drop(await inLesson('lost', id), 'lost')
    await drop(returning, 'returns')
    const heartbeats = await eventually(() => readFile(join(data, 'alive'), 'utf8'), Boolean)
    await eventually(
      () => readFile(join(data, 'alive'), 'utf8'),
      (now) => now !== '' && now !== heartbeats,
    )
    const killedAt = Date.now()
    await kill()
    const diedAt = Date.now()
    await eventually(Date.now, (now) => now > killedAt + 2_000) // longer than between two heartbeats
    await start()
    await Promise.all([come('stays', id), come('returns')])

    const left = async (who: string) =>
      eventually(
        () => person(id, who),
        (one) => one.leaves === 1,
      )
    const [lost, goes] = await Promise.all([left('lost'), left('goes')])
    expect(lost).toMatchObject({ joins: 1, reconnects: 0, intervals: [{ reason: 'disconnected' }] })
    expect(Math.abs(Date.parse(lost.intervals[0].to) - lostAt)).toBeLessThan(slowly(1_000))
    // They were there until the server died, which is known by its last heartbeat.
    expect(Date.parse(goes.intervals[0].to)).toBeGreaterThanOrEqual(killedAt - slowly(3_000))
    expect(Date.parse(goes.intervals[0].to)).toBeLessThanOrEqual(diedAt)
    for (const who of ['stays', 'returns'])
      expect(await person(id, who)).toMatchObject({ joins: 1, leaves: 0, reconnects: 1, present: true })
  },
)

test(
  '[LESSON-31] a lesson that was due while no server was there has ended when it was due, and so have ' +
    'the times present',
  async () => {
    const startMs = await aWhile()
    const dueAt = Date.now() + startMs
    const id = 'early'
    await record(id, dueAt)
    await start()
    await inLesson('stays', id)
    const lostAt = await drop(await inLesson('lost', id), 'lost')
    await kill()
    await eventually(Date.now, (now) => now > dueAt, startMs + PATIENCE_MS)
    await start()
    const lesson = await eventually(
      async () => (await call(server.url, tea, 'GET', `/lessons/${id}`)).body.data,
      ({ state }) => state === 'ended',
    )
    expect(lesson).toMatchObject({ end_reason: 'overrun', ended_at: new Date(dueAt).toISOString() })
    expect((await person(id, 'stays')).intervals).toMatchObject([
      { to: new Date(dueAt).toISOString(), reason: 'lesson-ended' },
    ])
    const { intervals } = await person(id, 'lost')
    expect(intervals).toMatchObject([{ reason: 'disconnected' }])
    expect(Math.abs(Date.parse(intervals[0].to) - lostAt)).toBeLessThan(slowly(1_000))
  },
)

test('[LESSON-6] a lesson that nobody ends is ended when it is due, and those in it are told', async () => {
  const startMs = await aWhile()
  const dueAt = Date.now() + startMs
  await record('long', dueAt)
  await start()
  const student = await inLesson('stays', 'long')
  await eventually(Date.now, (now) => now > dueAt, startMs + PATIENCE_MS)
  expect(await student.told('lesson_ended')).toMatchObject({
    lesson_id: 'long',
    reason: 'overrun',
    ended_at: new Date(dueAt).toISOString(),
  })
})

/** A lesson that began a while ago: no test can wait for a whole minute. */
async function record(id: string, dueAt: number): Promise<void> {
  const startsAt = dueAt - 60 * 60_000
  const plan = { org: 'acme', teacherId: 'tea', title: 'Algebra', startsAt, plannedMinutes: 30, code: 'ABCDEFGH' }
  const events: LessonEvent[] = [
    { type: 'LessonScheduled', ...plan },
    { type: 'LessonStarted', at: startsAt, dueAt },
  ]
  const log = await openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(eventSchemas),
    now: Date.now,
    onFatal: () => {},
  })
  const proposed = events.map((event, n): Proposed => {
    const uuid = derivedUuid(`${id}/${n}`)
    return { id: uuid, event, meta: { correlationId: uuid, by: 'system' } }
  })
  await log.append(`lesson-${id}`, -1, proposed)
  await log.close()
}
