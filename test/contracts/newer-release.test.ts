import { describe, expect, onTestFinished, test } from 'vitest'
import { all } from '../../src/contracts/all.ts'
import { viewsOf } from '../../src/storage.ts'
import { foldIn, freshData, recordIn } from '../support/data.ts'
import { newerSchemas } from '../support/newer-release.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { company } from './company.ts'

const at = Date.now()
const until = at + 3_600_000
const person = (id: string, role: string) =>
  ({ type: 'PersonIntroduced', org: 'acme', id, role, profile: { name: id }, issuedAt: 0, at }) as const
const visitor = { name: 'vera', email: null, createdAt: at, updatedAt: null }

/** One stream of each kind; its last event a newer release has recorded, before it was taken back. */
const before = [
  ['person-acme.ann', person('ann', 'agent')],
  ['person-acme.vera', person('vera', 'visitor')],
  ['presence-acme.ann', { type: 'CameOnline', role: 'agent', at }],
  ['presence-acme.vera', { type: 'CameOnline', role: 'visitor', at }],
  ['chat-old', { type: 'ChatOpened', org: 'acme', visitorId: 'vera', visitor, content: { n: 0 } }],
  [
    'lesson-old',
    {
      type: 'LessonScheduled',
      org: 'acme',
      teacherId: 'tea',
      title: 'T',
      startsAt: at,
      plannedMinutes: 45,
      code: 'K7MP2RXQ',
    },
  ],
  ['course-old', { type: 'CourseCreated', org: 'acme', title: 'Fractions', teacherIds: ['tea'], at }],
  [
    'attendance-old',
    {
      type: 'AttendanceStarted',
      org: 'acme',
      courseId: 'old',
      teacherId: 'tea',
      teacherName: 'Tea',
      plannedMinutes: 45,
      checkIn: 'code',
      lateAfterMinutes: null,
      secret: 's',
      at,
      dueAt: until,
    },
  ],
] as const
const newer = [
  ['person-acme.ann', { type: 'ProfileChanged', role: 'agent', profile: { name: 'Ann' }, at }],
  ['presence-acme.vera', { type: 'ConnectionLost', until, at }],
  ['chat-old', { type: 'ChatClaimed', staffId: 'ann', role: 'agent' }],
  ['lesson-old', { type: 'LessonStarted', at, dueAt: until }],
  ['course-old', { type: 'StudentEnrolled', studentId: 'stu', at }],
  [
    'attendance-old',
    { type: 'StudentMarked', studentId: 'stu', status: 'present', via: 'code', by: 'stu', at, reason: null },
  ],
  ['joincode-K7MP2RXQ', { type: 'JoinCodeReserved', lessonId: 'old' }],
  ['login-3f1c9a7e5b2d4860', { type: 'LoginAdded', org: 'acme', person: 'ann', at }],
  ['request-5b7d0c4f9a1e5d2c8f3b6a7e1d0c9b8a', { type: 'RequestNamed', at }],
] as const
const schemas = newerSchemas(...newer.map(([, { type }]) => type))

async function start(data: string): Promise<TestServer> {
  const server = await startServer({ data, env: { DISCONNECT_GRACE_MS: '60000' } })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

const nothing = async (): Promise<void> => {}
const ours = (data: string) => foldIn(data, viewsOf(all))
const theirs = (data: string) => foldIn(data, viewsOf(all), schemas)

describe.each([
  ['has no views', nothing, nothing],
  ['has the views of before the newer release', ours, nothing],
  ['has the views that the newer release has folded', ours, theirs],
])('[LOG-2] a server whose log holds events of a newer version, and which %s', (_, foldFirst, foldThen) => {
  test('starts, says so, serves all others, and starts again', async () => {
    const data = await freshData()
    await recordIn(data, before)
    await foldFirst(data)
    await recordIn(data, newer, schemas)
    await foldThen(data)
    const server = await start(data)
    const acme = company(server, 'websocket', 'acme')
    const bob = await acme.join('agent', 'bob')
    const { visitor: vic, room } = await acme.chat('vic', bob)
    expect(await bob.ask('staff_join', { room })).toEqual([true, null])
    expect(await vic.ask('visitor_msg', { n: 1 })).toEqual([true, null])
    await bob.told('visitor_send')
    const teach = { title: 'T', starts_at: new Date(until).toISOString(), planned_minutes: 45 }
    const lesson = await acme.http('teacher', '/api/v1/lessons', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(teach),
    })
    expect(lesson.status).toBe(201)
    expect((await acme.http('admin', '/api/v1/chats')).status).toBe(200)

    expect(await bob.ask('staff_join', { room: 'old' })).toEqual([false, expect.stringMatching(/^damaged/)])
    await expect(acme.join('agent', 'ann')).rejects.toThrow()
    const shown = await acme.http('admin', '/api/v1/chats/old/events')
    const note = expect.stringContaining('at event 1')
    expect(await shown.json()).toMatchObject({ data: [{ type: 'ChatOpened' }], note })
    expect(await (await acme.http('teacher', '/api/v1/lessons/old')).json()).toMatchObject({ data: { seq: 0, note } })
    const said = /event 1 of chat-old cannot be read: it is ChatClaimed version 2, .* start that release again/
    expect(server.output()).toMatch(said)
    acme.close()
    expect(await server.stop()).toBe(0)

    const again = await start(data)
    const back = company(again, 'websocket', 'acme')
    await (await back.join('supervisor', 'sue')).told('staff_init')
    back.close()
    expect(await again.stop()).toBe(0)
  })
})
