import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { anonymous, call, type Entrance, enter, eventually, type Lesson, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

const GRACE_MS = slowly(400)
let server: TestServer
let tea: string
const open: Client[] = []

beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: String(GRACE_MS), TRUST_PROXY: '1' } })
  tea = await tokenFor('teacher', 'tea')
})
afterAll(async () => void (await server.stop()))
afterEach(() => {
  for (const client of open.splice(0)) client.close()
})

const kept = (client: Client): Client => {
  open.push(client)
  return client
}
const come = async (role: string, id: string, how?: Entrance): Promise<Client> =>
  kept(await enter(server, role, id, how))
const guest = async (token?: string): Promise<Client> => kept(await anonymous(server, token))
const people = async (lesson: Lesson) =>
  (await call(server.url, tea, 'GET', `/lessons/${lesson.id}/participants`)).body.data
const person = async (lesson: Lesson, id: string) => (await people(lesson)).find((one: { id: string }) => one.id === id)
/** A connection that breaks instead of being closed. */
const drop = (client: Client): void => void client.socket.io.engine.close()
const named = (id: string) => (data: { participants: { participant_id: string }[] }) =>
  data.participants.some(({ participant_id }) => participant_id === id)

describe.each([['websocket'], ['polling']])('over %s', (transport) => {
  const how = { transports: [transport] }

  test(
    '[LESSON-20] those in a lesson hear who joins and leaves, that it starts and ends; others hear ' + 'nothing',
    async () => {
      const lesson = await lessonOf(server.url, tea, false)
      const teacher = await come('teacher', 'tea', how)
      const outside = await come('student', `out-${transport}`, how)
      const ack = await teacher.ask('join_lesson', { lesson_id: lesson.id })
      expect(ack).toEqual([
        true,
        null,
        { lesson_id: lesson.id, id: expect.any(String), seq: 1, pos: expect.any(String) },
      ])
      expect(teacher.all('lesson_state')).toMatchObject([
        {
          lesson_id: lesson.id,
          state: 'scheduled',
          title: 'Algebra',
          seq: 1,
          participants: [{ participant_id: 'tea', role: 'teacher' }],
        },
      ])

      const student = await come('student', `s-${transport}`, how)
      expect((await student.ask('join_lesson', { lesson_id: lesson.id }))[0]).toBe(true)
      expect(await teacher.told('participant_joined', named(`s-${transport}`))).toEqual({
        lesson_id: lesson.id,
        id: expect.any(String),
        seq: 2,
        pos: expect.any(String),
        participants: [
          { participant_id: `s-${transport}`, role: 'student', name: `s-${transport}`, at: expect.any(String), seq: 2 },
        ],
      })
      await call(server.url, tea, 'POST', `/lessons/${lesson.id}/start`)
      for (const one of [teacher, student])
        expect(await one.told('lesson_started')).toMatchObject({ lesson_id: lesson.id, seq: 3 })

      expect((await student.ask('leave_lesson', {}))[0]).toBe(true)
      expect(await teacher.told('participant_left')).toMatchObject({
        participants: [{ participant_id: `s-${transport}`, reason: 'left', seq: 4 }],
      })
      expect(await student.told('participant_left')).toMatchObject({ seq: 4 })
      await call(server.url, tea, 'POST', `/lessons/${lesson.id}/end`)
      expect(await teacher.told('lesson_ended')).toMatchObject({ lesson_id: lesson.id, reason: 'ended', seq: 5 })
      expect(student.all('lesson_ended')).toEqual([])
      expect(outside.heard).toEqual([])
    },
  )
})

describe('joining', () => {
  test('[LESSON-21] a guest joins by the code, however it is typed, and is told everything else', async () => {
    const lesson = await lessonOf(server.url, tea)
    const someone = await guest()
    const { participant_id } = await someone.told('participant_id')
    const typed = ` ${lesson.code.slice(0, 4).toLowerCase()}-${lesson.code.slice(4)}`
    expect(await someone.ask('join_lesson', { code: typed, name: 'Gus' })).toMatchObject([
      true,
      null,
      { lesson_id: lesson.id },
    ])
    expect(someone.all('lesson_state')).toMatchObject([
      { state: 'live', participants: [{ participant_id, name: 'Gus', role: 'student' }] },
    ])
  })
  test(
    '[LESSON-21] a guest does not join by the id, and nobody by a code that is wrong or whose lesson ' + 'has ended',
    async () => {
      const lesson = await lessonOf(server.url, tea)
      const someone = await guest()
      expect(await someone.ask('join_lesson', { lesson_id: lesson.id })).toMatchObject([
        false,
        expect.stringContaining('no-such-lesson'),
        {},
      ])
      expect(await someone.ask('join_lesson', { code: 'ZZZZ9999' })).toMatchObject([
        false,
        expect.stringContaining('no-such-code'),
        {},
      ])
      await call(server.url, tea, 'POST', `/lessons/${lesson.id}/end`)
      expect((await someone.ask('join_lesson', { code: lesson.code }))[2]).toMatchObject({ code: 'no-such-code' })
      expect((await (await come('student', 'late')).ask('join_lesson', { lesson_id: lesson.id }))[2]).toMatchObject({
        code: 'lesson-ended',
      })
    },
  )
  test('[LESSON-22] after five wrong codes a connection has to wait', async () => {
    const someone = await guest()
    const codes: string[] = []
    for (let n = 2; n < 9; n++)
      codes.push(((await someone.ask('join_lesson', { code: `ZZZZZZZ${n}` }))[2] as { code: string }).code)
    expect(codes).toEqual([...Array(5).fill('no-such-code'), 'rate-limited', 'rate-limited'])
  })
  test('[LESSON-22] [DOOR-19] sixty wrong codes of an address keep out who was wrong, no known code', async () => {
    const lesson = await lessonOf(server.url, tea)
    const query = { role: 'student', protocol: '2' }
    const atSchool = async () =>
      kept(await connect(server.url, { query, extraHeaders: { 'X-Forwarded-For': '192.0.2.7' } }))
    const tried = async (client: Client, code: string) => (await client.ask('join_lesson', { code, name: 'Al' }))[2]
    const guessers = await Promise.all(Array.from({ length: 12 }, atSchool))
    await Promise.all(guessers.flatMap((one) => Array.from({ length: 5 }, (_, n) => tried(one, `ZZZZZZZ${n + 2}`))))
    const late = await atSchool()
    expect(await tried(late, 'ZZZZZZZ8'), 'nobody who has not been wrong').toMatchObject({ code: 'no-such-code' })
    expect(await tried(late, 'ZZZZZZZ9')).toMatchObject({ code: 'rate-limited' })
    expect(await tried(late, lesson.code)).toMatchObject({ lesson_id: lesson.id })
    expect(await tried(guessers[0] as Client, lesson.code), 'who guesses').toMatchObject({ code: 'rate-limited' })
  })
  test('[LESSON-28] who comes and goes without end has to wait', async () => {
    const lesson = await lessonOf(server.url, tea)
    const restless = await come('student', 'restless')
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => restless.ask('join_lesson', { lesson_id: lesson.id })),
    )
    expect(answers.filter(([ok]) => ok).length).toBeLessThan(25)
    expect(answers.at(-1)).toMatchObject([false, expect.stringContaining('rate-limited'), { code: 'rate-limited' }])
  })
  test('[LESSON-2] a member of another organisation finds nothing, neither by id nor by code', async () => {
    const lesson = await lessonOf(server.url, tea)
    const foe = await come('student', 'foe', { org: 'evil' })
    expect((await foe.ask('join_lesson', { lesson_id: lesson.id }))[2]).toMatchObject({ code: 'no-such-lesson' })
    expect((await foe.ask('join_lesson', { code: lesson.code }))[2]).toMatchObject({ code: 'no-such-code' })
    expect((await foe.ask('leave_lesson', { lesson_id: lesson.id }))[2]).toMatchObject({ code: 'no-such-lesson' })
  })
  test('[LESSON-23] what is asked wrongly is refused with a sentence', async () => {
    const student = await come('student', 'clumsy')
    const refusals = [undefined, {}, { lesson_id: 'a b' }, { lesson_id: 'x', code: 'y' }, { code: 7 }]
    for (const data of refusals)
      expect((await student.ask('join_lesson', data))[2]).toMatchObject({ code: 'bad-request' })
    expect((await student.ask('leave_lesson'))[2]).toMatchObject({ code: 'not-in-lesson' })
  })
  test('[LESSON-24] a repeated client_id joins once', async () => {
    const lesson = await lessonOf(server.url, tea)
    const student = await come('student', 'twice')
    const first = await student.ask('join_lesson', { lesson_id: lesson.id, client_id: 'c1' })
    expect(await student.ask('join_lesson', { lesson_id: lesson.id, client_id: 'c1' })).toEqual(first)
    expect(await person(lesson, 'twice')).toMatchObject({ joins: 1 })
  })
  test('[LESSON-24] a leaving that is repeated gives the first answer, with the lesson named or not', async () => {
    const lesson = await lessonOf(server.url, tea)
    const student = await come('student', 'leaver')
    await student.ask('join_lesson', { lesson_id: lesson.id, client_id: null, code: null, name: null }) // null is none
    const first = await student.ask('leave_lesson', { client_id: 'l1' })
    expect(first).toMatchObject([true, null, { lesson_id: lesson.id }])
    expect(await student.ask('leave_lesson', { client_id: 'l1' })).toEqual(first)
    expect(await student.ask('leave_lesson', { client_id: 'l1', lesson_id: lesson.id })).toEqual(first)
    expect((await student.ask('leave_lesson', { client_id: 'l2' }))[2]).toMatchObject({ code: 'not-in-lesson' })
    await student.ask('join_lesson', { lesson_id: lesson.id })
    expect(await student.ask('leave_lesson', { client_id: 'l1' })).toEqual(first)
    expect(await person(lesson, 'leaver')).toMatchObject({ joins: 2, leaves: 1, present: true })
  })
  test('[LESSON-24] a leaving that is repeated when its lesson has ended takes nobody out of another one', async () => {
    const [first, second] = [await lessonOf(server.url, tea), await lessonOf(server.url, tea)]
    const student = await come('student', 'mover')
    await student.ask('join_lesson', { lesson_id: first.id })
    const answer = await student.ask('leave_lesson', { client_id: 'm1' })
    await call(server.url, tea, 'POST', `/lessons/${first.id}/end`)
    await student.ask('join_lesson', { lesson_id: second.id })
    expect(await student.ask('leave_lesson', { client_id: 'm1' })).toEqual(answer)
    expect(await person(second, 'mover')).toMatchObject({ present: true })
  })
  test(
    '[LESSON-20] a joining that changed nothing, repeated by somebody who has left, lets nobody ' + 'listen',
    async () => {
      const lesson = await lessonOf(server.url, tea)
      const student = await come('student', 'listener')
      await student.ask('join_lesson', { lesson_id: lesson.id })
      await student.ask('join_lesson', { lesson_id: lesson.id, client_id: 'j2' })
      await student.ask('leave_lesson')
      const heard = student.heard.length
      expect((await student.ask('join_lesson', { lesson_id: lesson.id, client_id: 'j2' }))[0]).toBe(true)
      const other = await come('student', 'other')
      await other.ask('join_lesson', { lesson_id: lesson.id })
      await call(server.url, tea, 'POST', `/lessons/${lesson.id}/end`)
      await other.told('lesson_ended')
      expect(student.heard.slice(heard)).toEqual([])
    },
  )
  test('[LESSON-25] a client without protocol=2 gets two values', async () => {
    const lesson = await lessonOf(server.url, tea)
    const student = await come('student', 'old', { query: { protocol: '1' } })
    expect(await student.ask('join_lesson', { lesson_id: lesson.id })).toEqual([true, null])
  })
})

describe('times present', () => {
  test('[LESSON-4] several devices are one presence, and all of them hear', async () => {
    const lesson = await lessonOf(server.url, tea)
    const phone = await come('student', 'dev')
    await phone.ask('join_lesson', { lesson_id: lesson.id })
    const laptop = await come('student', 'dev')
    expect(await laptop.told('lesson_state')).toMatchObject({
      lesson_id: lesson.id,
      participants: [{ participant_id: 'dev' }],
    })
    await laptop.ask('join_lesson', { lesson_id: lesson.id })
    phone.close()
    const other = await come('student', 'dev2')
    await other.ask('join_lesson', { lesson_id: lesson.id })
    await laptop.told('participant_joined', named('dev2'))
    expect(await person(lesson, 'dev')).toMatchObject({ joins: 1, leaves: 0, reconnects: 0, present: true })
  })
  test('[LESSON-5] a drop inside the grace is one interval and one reconnect', async () => {
    const lesson = await lessonOf(server.url, tea)
    const [teacher, student] = [await come('teacher', 'tea'), await come('student', 'drop')]
    await teacher.ask('join_lesson', { lesson_id: lesson.id })
    await student.ask('join_lesson', { lesson_id: lesson.id })
    drop(student)
    await eventually(
      async () =>
        (await call(server.url, tea, 'GET', '/presence')).body.data.find((one: { id: string }) => one.id === 'drop')
          ?.state,
      (state) => state === 'lost',
    )
    const back = await come('student', 'drop', { query: { lesson_id: lesson.id } })
    expect(await back.told('lesson_state')).toMatchObject({ state: 'live' })
    const { participants } = await teacher.told('participant_reconnected')
    expect(participants).toMatchObject([{ participant_id: 'drop', role: 'student' }])
    expect(participants[0].seconds_away).toBeLessThan(GRACE_MS / 1000)
    expect(await person(lesson, 'drop')).toMatchObject({
      joins: 1,
      leaves: 0,
      reconnects: 1,
      present: true,
      intervals: [{ to: null }],
    })
  })
  test(
    '[LESSON-4] when the grace is over they left when they were lost; a connection that names the ' +
      'lesson resumes it',
    async () => {
      const lesson = await lessonOf(server.url, tea)
      const student = await come('student', 'gone')
      await student.ask('join_lesson', { lesson_id: lesson.id })
      const lostAt = Date.now()
      drop(student)
      const { intervals } = await eventually(
        () => person(lesson, 'gone'),
        (one) => one.leaves === 1,
      )
      expect(intervals).toMatchObject([{ reason: 'disconnected' }])
      const leftAfter = Date.parse(intervals[0].to) - lostAt
      expect(leftAfter).toBeGreaterThanOrEqual(-1)
      expect(leftAfter).toBeLessThan(GRACE_MS)

      await come('student', 'gone', { query: { lesson_id: lesson.id } })
      const again = await eventually(
        () => person(lesson, 'gone'),
        (one) => one.joins === 2,
      )
      expect(again).toMatchObject({ leaves: 1, reconnects: 1, present: true })
    },
  )
  test('[LESSON-26] who closes their last connection leaves at once', async () => {
    const lesson = await lessonOf(server.url, tea)
    const student = await come('student', 'closer')
    await student.ask('join_lesson', { lesson_id: lesson.id })
    student.close()
    const { intervals } = await eventually(
      () => person(lesson, 'closer'),
      (one) => one.leaves === 1,
    )
    expect(intervals).toMatchObject([{ reason: 'left' }])
  })
  test('[LESSON-5] a guest comes back as the same participant, by the token they were given', async () => {
    const lesson = await lessonOf(server.url, tea)
    const someone = await guest()
    const { participant_id, token } = await someone.told('participant_id')
    await someone.ask('join_lesson', { code: lesson.code })
    let here = someone
    // Whoever is back before the server has noticed was never away: then once more.
    const again = await eventually(
      async () => {
        drop(here)
        here = await guest(token)
        expect(await here.told('lesson_state')).toMatchObject({ participants: [{ participant_id }] })
        return person(lesson, participant_id)
      },
      (one) => one.reconnects > 0,
    )
    expect(again).toMatchObject({ joins: 1, leaves: 0, present: true })
  })
  test('[LESSON-27] a handshake that names a lesson in vain is told so, and stays connected', async () => {
    const student = await come('student', 'lost', { query: { lesson_id: 'nowhere' } })
    expect(await student.told('error')).toMatchObject({ code: 'no-such-lesson', event: 'connect' })
    expect(student.socket.connected).toBe(true)
  })
  test('[LESSON-27] a handshake that names a lesson for the first time joins it', async () => {
    const lesson = await lessonOf(server.url, tea)
    const student = await come('student', 'first', { query: { lesson_id: lesson.id } })
    await student.told('lesson_state')
    expect(await person(lesson, 'first')).toMatchObject({ joins: 1, reconnects: 0 })
  })
})
