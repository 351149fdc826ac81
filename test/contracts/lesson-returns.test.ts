import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { tcpUnder } from '../faults/paused.ts'
import { type Client, connect } from '../support/client.ts'
import { call, type Entrance, enter, eventually, type Lesson, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

let server: TestServer
let tea: string
const open: Client[] = []
const frozen: Socket[] = []

beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: String(slowly(1_500)) } })
  tea = await tokenFor('teacher', 'tea')
})
afterAll(async () => void (await server.stop()))
afterEach(() => {
  for (const tcp of frozen.splice(0)) tcp.destroy() // or the server would wait for them when it stops
  for (const client of open.splice(0)) client.close()
})

const come = async (id: string, how?: Entrance): Promise<Client> => {
  const client = await enter(server, 'student', id, how)
  open.push(client)
  return client
}
const inLesson = async (id: string, lesson: Lesson): Promise<Client> => {
  const client = await come(id)
  expect((await client.ask('join_lesson', { lesson_id: lesson.id }))[0]).toBe(true)
  return client
}
/** Its network is gone: nothing is read any more, nobody closes anything, and the server takes it for open. */
const freeze = (client: Client): void => void frozen.push(tcpUnder(client.socket).pause())
const person = async (lesson: Lesson, id: string) =>
  (await call(server.url, tea, 'GET', `/lessons/${lesson.id}/participants`)).body.data.find(
    (one: { id: string }) => one.id === id,
  )
const named = (id: string) => (data: { participants: { participant_id: string }[] }) =>
  data.participants[0]?.participant_id === id

test(
  '[LESSON-5] a return is recorded although the old connection still counts as open; a second device ' +
    'that is alive is none',
  async () => {
    const lesson = await lessonOf(server.url, tea)
    const witness = await inLesson('witness', lesson)
    await inLesson('two', lesson)
    const half = await inLesson('half', lesson)
    const other = await inLesson('other', lesson)
    await come('two', { query: { lesson_id: lesson.id } })
    freeze(half)
    freeze(other)
    await come('half', { query: { lesson_id: lesson.id } })
    await come('other') // without naming it
    for (const id of ['half', 'other']) {
      const { participants } = await witness.told('participant_reconnected', named(id))
      expect(participants[0].seconds_away).toBeLessThan(20)
      expect(await person(lesson, id)).toMatchObject({ joins: 1, leaves: 0, reconnects: 1, present: true })
    }
    // looked at before the others
    expect(await person(lesson, 'two')).toMatchObject({ joins: 1, reconnects: 0, present: true })
  },
)

test(
  '[NODE-7] a tab that answers nobody for a while keeps its person in a lesson when the other one ' + 'is closed',
  async () => {
    const lesson = await lessonOf(server.url, tea)
    const half = await inLesson('half', lesson)
    const felt = new Promise<void>((resolve) => half.socket.io.engine.once('ping', resolve))
    const other = await come('half')
    await felt // it was alive when the other one came
    await half.ask('leave_lesson', { lesson_id: 'another' }) // and its answer has arrived
    freeze(half)
    other.close()
    // Twice as long as whoever loses their only connection would be given.
    for (const id of ['first', 'second']) {
      const witness = await inLesson(id, lesson)
      witness.socket.io.engine.close()
      await eventually(
        () => person(lesson, id),
        ({ present }) => !present,
      )
    }
    expect(await person(lesson, 'half')).toMatchObject({ joins: 1, leaves: 0, present: true })
    frozen.at(-1)?.resume()
    expect(await half.ask('leave_lesson', { lesson_id: lesson.id })).toMatchObject([true, null, {}])
  },
)

test(
  '[LESSON-8] who has left is not pulled back in when the connection comes back and still names the ' + 'lesson',
  async () => {
    const lesson = await lessonOf(server.url, tea)
    const token = await tokenFor('student', 'leaver')
    const client = await connect(server.url, {
      reconnection: true,
      reconnectionDelay: 10,
      query: { role: 'student', protocol: '2', lesson_id: lesson.id },
      auth: { token },
    })
    open.push(client)
    await client.told('lesson_state')
    expect((await client.ask('leave_lesson'))[0]).toBe(true)
    client.socket.io.engine.close()
    expect(await client.told('error')).toMatchObject({ code: 'left-lesson', event: 'connect' })
    expect(client.socket.connected).toBe(true)
    expect(await person(lesson, 'leaver')).toMatchObject({ joins: 1, leaves: 1, reconnects: 0, present: false })
    await client.ask('join_lesson', { lesson_id: lesson.id })
    expect(await person(lesson, 'leaver')).toMatchObject({ joins: 2, reconnects: 0, present: true })
  },
)

test('[LESSON-9] a TeacherHub that names a lesson takes no part, and one that names it in vain is told', async () => {
  const lesson = await lessonOf(server.url, tea)
  const witness = await inLesson('witness', lesson)
  const hubOf = async (id: string, lessonId: string): Promise<Client> => {
    const query = { role: 'admin', org_id: 'acme', product_type: 'manager', lesson_id: lessonId }
    const hub = await connect(server.url, { query, auth: { token: await tokenFor('admin', id) } })
    open.push(hub)
    return hub
  }
  const hub = await hubOf('hub', lesson.id)
  expect(await (await hubOf('hub', 'nowhere')).told('error')).toMatchObject({
    code: 'no-such-lesson',
    event: 'connect',
  })
  const seqOf = async () => (await call(server.url, tea, 'GET', `/lessons/${lesson.id}`)).body.data.seq
  const seq = await eventually(seqOf, (now) => now === 3) // scheduled, started, the witness, the hub
  hub.socket.io.engine.close()
  await eventually(
    async () => (await call(server.url, tea, 'GET', '/presence')).body.hubs,
    (hubs) => hubs === 1,
  )
  await hubOf('hub', lesson.id)
  await eventually(seqOf, (now) => now === seq + 1)
  await call(server.url, tea, 'POST', `/lessons/${lesson.id}/end`)
  await witness.told('lesson_ended')
  const names = witness.heard.map(({ name }) => name)
  // the witness itself
  expect(names.filter((name) => name !== 'lesson_state')).toEqual(['participant_joined', 'lesson_ended'])
  expect((await call(server.url, tea, 'GET', `/lessons/${lesson.id}/participants`)).body.data).toHaveLength(1)
})
