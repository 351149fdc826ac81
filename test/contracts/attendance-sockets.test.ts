import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { countsOf, held, type School, school, TEA, type Who } from '../support/attendance.ts'
import { type Client, connect } from '../support/client.ts'
import { anonymous, eventually } from '../support/lessons.ts'
import { startServer, type TestServer } from '../support/server.ts'

const place = { id: expect.any(String), seq: expect.any(Number), pos: expect.any(String) }
let server: TestServer
let it: School
const open: Client[] = []

beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))
beforeEach(async () => {
  it = await school(server)
  await it.enrol('stu', 'sue')
})
afterEach(() => {
  it.close()
  for (const client of open.splice(0)) client.close()
})

const subscribe = async (client: Client, course = it.course): Promise<Client> => {
  expect((await client.ask('subscribeToCourse', { course_id: course }))[0]).toBe(true)
  return client
}
const watching = async (who: Who, options = {}): Promise<Client> => subscribe(await it.come(who, options))
const counts = (client: Client, expected: Record<string, number>) =>
  eventually(
    () => held(client, it.course),
    (seen) => JSON.stringify(seen) === JSON.stringify(expected),
  )
/**
 * Resolves when the client has been told everything that was acknowledged so far: the next session of the course, which
 * `witness` hears, too.
 */
const fence = async (witness: Client): Promise<void> => {
  const { id } = await it.start({ check_in_mode: 'manual' })
  await witness.told('courseSessionStarted', ({ session_id }) => session_id === id)
  await it.end(id)
  await witness.told('courseSessionEnded', ({ session_id }) => session_id === id)
  await witness.told(
    'activeSessionsData',
    ({ pos }) => BigInt(pos) >= BigInt(witness.all('courseSessionEnded').at(-1).pos),
  )
}
const names = (client: Client): string[] => client.heard.map(({ name }) => name)

describe.each([['websocket'], ['polling']])('over %s', (transport) => {
  test(
    '[WATCH-1] a subscriber is told the active sessions at once, and then of every start, end and ' +
      'change of a count',
    async () => {
      const student = await it.come(['student', 'stu'], { transports: [transport] })
      expect(await student.ask('subscribeToCourse', { course_id: it.course })).toEqual([
        true,
        null,
        { course_id: it.course, ...place },
      ])
      expect(student.heard).toEqual([
        { name: 'activeSessionsData', data: { course_id: it.course, activeSessions: [], ...place } },
      ])

      const session = await it.start()
      const startedAt = session.started_at
      expect(await student.told('courseSessionStarted')).toEqual({
        course_id: it.course,
        session_id: session.id,
        teacher_id: 'tea',
        teacher_name: 'tea',
        started_by: 'tea',
        started_at: startedAt,
        ...place,
      })
      const active = { sessionId: session.id, teacherId: 'tea', studentCount: 0, startedAt }
      expect(
        await student.told('activeSessionsData', ({ seq, activeSessions }) => seq === 0 && activeSessions.length === 1),
      ).toEqual({
        course_id: it.course,
        activeSessions: [active],
        ...place,
      })
      expect((await it.checkIn(session.id, 'stu')).status).toBe(200)
      await counts(student, { [session.id]: 1 })
      await it.mark(session.id, 'sue', 'late')
      await counts(student, { [session.id]: 2 })
      await it.mark(session.id, 'stu', 'absent')
      await counts(student, { [session.id]: 1 })

      const ended = await it.end(session.id)
      expect(await student.told('courseSessionEnded')).toEqual({
        course_id: it.course,
        session_id: session.id,
        teacher_id: 'tea',
        teacher_name: 'tea',
        final_statistics: { present: 1, absent: 1, total: 2 },
        ended_by: 'tea',
        ended_at: ended.body.data.ended_at,
        ...place,
      })
      await counts(student, {})
    },
  )
})

describe('who may look', () => {
  test('[WATCH-2] students and teachers of the course, and admins of the organisation', async () => {
    const session = await it.start()
    for (const who of [TEA, ['student', 'stu'], ['admin', 'ada']] as const) {
      const client = await watching(who)
      expect(held(client, it.course)).toEqual({ [session.id]: 0 })
      expect((await client.ask('checkActiveSessions', { course_id: it.course }))[0]).toBe(true)
    }
  })
  test('[WATCH-2] nobody else, whatever they are called', async () => {
    await it.start()
    const others: Who[] = [
      ['student', 'stranger'],
      ['teacher', 'other'],
      ['teacher', 'stu'],
      ['student', 'tea'],
    ]
    for (const role of ['agent', 'supervisor', 'visitor']) others.push([role, 'stu'])
    for (const who of others) {
      const client = await it.come(who)
      for (const name of ['subscribeToCourse', 'checkActiveSessions']) {
        const answer = await client.ask(name, { course_id: it.course })
        expect(answer).toEqual([
          false,
          expect.stringContaining('forbidden'),
          { course_id: it.course, code: 'not-in-course' },
        ])
      }
      expect(client.all('activeSessionsError')).toHaveLength(2)
      expect(
        names(client).filter((name) => name.startsWith('activeSessionsD') || name.startsWith('activeSessionsR')),
      ).toEqual([])
    }
  })
  test('[WATCH-3] a course of another organisation is answered exactly like one that does not exist', async () => {
    await it.start()
    for (const role of ['admin', 'teacher', 'student']) {
      const client = await it.come([role, role === 'teacher' ? 'tea' : 'stu', 'evil'])
      for (const name of ['subscribeToCourse', 'checkActiveSessions']) {
        const [foreign, none] = [
          await client.ask(name, { course_id: it.course }),
          await client.ask(name, { course_id: 'nowhere' }),
        ]
        expect(foreign.slice(0, 2)).toEqual(none.slice(0, 2))
        expect(foreign).toEqual([
          false,
          expect.stringContaining('not found'),
          { course_id: it.course, code: 'no-such-course' },
        ])
      }
      const told = client.all('activeSessionsError')
      expect(new Set(told.map(({ message }) => message)).size).toBe(1)
      expect(names(client).filter((name) => name.startsWith('activeSessions'))).toHaveLength(4)
    }
  })
  test('[WATCH-2] not a hub, nor a participant without a token', async () => {
    const hub = await it.come(TEA, { query: { product_type: 'manager', protocol: '2' } })
    expect((await hub.ask('subscribeToCourse', { course_id: it.course }))[2]).toMatchObject({ code: 'hub-looks-on' })
    const guest = await anonymous(server)
    open.push(guest)
    expect((await guest.ask('checkActiveSessions', { course_id: it.course }))[2]).toMatchObject({
      code: 'token-needed',
    })
    for (const client of [hub, guest]) expect(client.all('activeSessionsError')).toHaveLength(1)
  })
})

describe('refusals', () => {
  test('[WATCH-4] every refusal is told by activeSessionsError, ack or none, to the asking socket alone', async () => {
    const [asking, other] = [await it.come(['student', 'stu']), await it.come(['student', 'stu'])]
    const wrong: unknown[] = [
      undefined,
      null,
      'x',
      7,
      [],
      {},
      { course_id: null },
      { course_id: 7 },
      { course_id: '' },
      { course_id: 'a b' },
    ]
    wrong.push(
      { course_id: 'x'.repeat(65) },
      { course_id: ['a'] },
      { courseId: it.course },
      { course_id: it.course, client_id: 7 },
    )
    for (const name of ['subscribeToCourse', 'unsubscribeFromCourse', 'checkActiveSessions']) {
      for (const data of wrong) {
        const before = asking.all('activeSessionsError').length
        const answer = await asking.ask(name, ...(data === undefined ? [] : [data]))
        // nothing else in it need be right
        const named = (data as { course_id?: unknown } | null)?.course_id === it.course
        expect(answer).toEqual([
          false,
          expect.stringMatching(/^bad-request: .*(course_id|client_id)/),
          { course_id: named ? it.course : null, code: 'bad-request' },
        ])
        const error = { message: answer[1], code: 'bad-request', ...(named ? { course_id: it.course } : {}) }
        expect(asking.all('activeSessionsError').slice(before)).toEqual([error])
      }
    }
    asking.socket.emit('subscribeToCourse', { course_id: 'nowhere' })
    const told = await asking.told('activeSessionsError', ({ code }) => code === 'no-such-course')
    expect(told).toEqual({
      message: expect.stringContaining('not found'),
      code: 'no-such-course',
      course_id: 'nowhere',
    })
    expect(asking.socket.connected).toBe(true)
    expect(other.heard).toEqual([])
  })
  test('[WATCH-4] whatever is sent is answered, and refused in both ways or in none', async () => {
    const client = await it.come(['student', 'stu'])
    const names = fc.constantFrom('subscribeToCourse', 'unsubscribeFromCourse', 'checkActiveSessions')
    const data = fc.oneof(
      fc.jsonValue(),
      fc.record({ course_id: fc.jsonValue(), client_id: fc.option(fc.jsonValue(), { nil: undefined }) }),
    )
    const asking = fc.asyncProperty(names, fc.array(data, { maxLength: 3 }), async (name, args) => {
      const before = client.all('activeSessionsError').length
      const [ok, error, where] = await client.ask(name, ...args)
      const told = client.all('activeSessionsError').slice(before)
      if (ok) expect([error, told]).toEqual([null, []])
      else expect(told).toMatchObject([{ message: error, code: (where as { code: string }).code }])
    })
    await fc.assert(asking, { numRuns: 150 })
    expect(client.socket.connected).toBe(true)
  })
  test('[WATCH-4] [FLOOD-4] who asks too much is told so, by the ack or else by activeSessionsError', async () => {
    const client = await it.come(['student', 'sue'])
    const asked = Array.from({ length: 400 }, () => client.ask('checkActiveSessions', { course_id: it.course }))
    const answers = await Promise.all(asked)
    const refused = answers.filter(([ok]) => !ok)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject([false, expect.stringContaining('rate-limited'), { code: 'rate-limited' }])
    expect(client.all('activeSessionsError')).toEqual([])
    expect(client.all('activeSessionsResponse')).toHaveLength(400 - refused.length)
    for (let i = 0; i < 100; i++) client.socket.emit('checkActiveSessions', { course_id: it.course })
    expect(await client.told('activeSessionsError')).toMatchObject({ code: 'rate-limited' })
  })
  test(
    '[WATCH-16] a client without protocol=2 gets two values in its ack, and one that asks for none is ' + 'served',
    async () => {
      const client = await it.come(['student', 'stu'], { query: {} })
      expect(await client.ask('subscribeToCourse', { course_id: it.course })).toEqual([true, null])
      expect(await client.ask('subscribeToCourse', { course_id: 'x' })).toEqual([
        false,
        expect.stringContaining('not found'),
      ])
      client.socket.emit('checkActiveSessions', { course_id: it.course })
      expect(await client.told('activeSessionsResponse')).toEqual({
        course_id: it.course,
        activeSessions: [],
        ...place,
      })
      expect(await client.ask('unsubscribeFromCourse', { course_id: it.course })).toEqual([true, null])
    },
  )
  test('[WATCH-16] a client_id is taken and changes nothing', async () => {
    const client = await it.come(['student', 'stu'])
    for (let n = 0; n < 2; n++) {
      expect((await client.ask('subscribeToCourse', { course_id: it.course, client_id: 'c1' }))[0]).toBe(true)
      expect((await client.ask('unsubscribeFromCourse', { course_id: it.course, client_id: 'c1' }))[0]).toBe(true)
    }
    expect(client.all('activeSessionsData')).toHaveLength(2)
  })
})

describe('asking once', () => {
  test('[WATCH-5] checkActiveSessions is answered to the asking socket, which hears nothing afterwards', async () => {
    const session = await it.start()
    const [asking, tab, witness] = [
      await it.come(['student', 'stu']),
      await it.come(['student', 'stu']),
      await watching(TEA),
    ]
    expect((await asking.ask('checkActiveSessions', { course_id: it.course }))[0]).toBe(true)
    const response = {
      course_id: it.course,
      activeSessions: [expect.objectContaining({ sessionId: session.id })],
      ...place,
    }
    expect(asking.heard).toEqual([{ name: 'activeSessionsResponse', data: response }])
    await it.end(session.id)
    await fence(witness)
    expect(asking.heard).toHaveLength(1)
    expect(tab.heard).toEqual([])
  })
  test('[WATCH-12] whoever has started, marked or ended a session finds that when they look', async () => {
    const [teacher, asking] = [await it.come(TEA), await it.come(['student', 'stu'])]
    const look = async (client: Client) => {
      await client.ask('checkActiveSessions', { course_id: it.course })
      return countsOf(client.all('activeSessionsResponse').at(-1))
    }
    for (let n = 0; n < 5; n++) {
      const session = await it.start()
      expect(await look(teacher)).toEqual({ [session.id]: 0 })
      await it.mark(session.id, 'stu', 'present')
      expect(await look(asking)).toEqual({ [session.id]: 1 })
      await it.end(session.id)
      expect(await look(teacher)).toEqual({})
    }
  })
})

describe('subscriptions', () => {
  test(
    '[WATCH-6] unsubscribing ends them for that socket alone; twice is harmless, and so is ' + 'subscribing twice',
    async () => {
      const [one, two] = [await watching(['student', 'stu']), await watching(['student', 'stu'])]
      await subscribe(one)
      await fence(one)
      expect(one.all('courseSessionStarted')).toHaveLength(1)
      const gone = await one.ask('unsubscribeFromCourse', { course_id: it.course })
      expect(gone).toEqual([true, null, { course_id: it.course, id: null, seq: null, pos: null }])
      expect((await one.ask('unsubscribeFromCourse', { course_id: it.course }))[0]).toBe(true)
      const heard = one.heard.length
      await fence(two)
      expect(one.heard).toHaveLength(heard)
    },
  )
  test('[WATCH-6] the last word counts, however quickly it follows', async () => {
    const [client, witness] = [await it.come(['student', 'stu']), await watching(TEA)]
    for (let n = 0; n < 20; n++) {
      client.socket.emit('subscribeToCourse', { course_id: it.course })
      client.socket.emit('unsubscribeFromCourse', { course_id: it.course })
    }
    await client.ask('checkActiveSessions', { course_id: it.course })
    await eventually(
      () => client.all('activeSessionsData').length,
      (n) => n === 20,
    )
    await fence(witness)
    expect(client.all('courseSessionStarted')).toEqual([])
    client.socket.emit('unsubscribeFromCourse', { course_id: it.course })
    await subscribe(client)
    await fence(client)
  })
  test('[WATCH-6] a socket hears the courses that it has subscribed to, and no others', async () => {
    const elsewhere = await it.as(TEA, 'POST', '/courses', { title: 'Botany' })
    const botany = elsewhere.body.data.id
    const [here, there, both] = [await watching(TEA), await it.come(TEA), await watching(TEA)]
    await subscribe(there, botany)
    await subscribe(both, botany)
    await it.as(TEA, 'POST', `/courses/${botany}/attendance-sessions`, {})
    await fence(here)
    await fence(both)
    expect(new Set(here.heard.map(({ data }) => data.course_id))).toEqual(new Set([it.course]))
    expect(new Set(there.heard.map(({ data }) => data.course_id))).toEqual(new Set([botany]))
    expect(new Set(both.heard.map(({ data }) => data.course_id))).toEqual(new Set([it.course, botany]))
  })
  test('[WATCH-7] who is taken out of the course hears nothing more on any socket, and is told so', async () => {
    const [phone, laptop, sue, witness] = await Promise.all([
      watching(['student', 'stu']),
      watching(['student', 'stu']),
      watching(['student', 'sue']),
      watching(TEA),
    ])
    await it.as(TEA, 'DELETE', `/courses/${it.course}/enrollments/stu`)
    for (const client of [phone, laptop]) {
      const told = await client.told('activeSessionsError')
      expect(told).toEqual({
        message: expect.stringContaining('forbidden'),
        code: 'not-in-course',
        course_id: it.course,
      })
    }
    const heard = phone.heard.length
    await fence(witness)
    await fence(sue)
    expect([phone.heard.length, laptop.heard.length]).toEqual([heard, heard])
    expect((await phone.ask('subscribeToCourse', { course_id: it.course }))[2]).toMatchObject({ code: 'not-in-course' })
    await it.enrol('stu')
    await subscribe(phone)
    await fence(phone)
  })
  test(
    '[WATCH-7] a teacher who is withdrawn hears nothing more; who is put out and back again, and ' + 'subscribes, does',
    async () => {
      await it.as(TEA, 'POST', `/courses/${it.course}/teachers`, { teacher_id: 'ted' })
      const [ted, witness] = [await watching(['teacher', 'ted']), await watching(TEA)]
      await it.as(TEA, 'DELETE', `/courses/${it.course}/teachers/ted`)
      await ted.told('activeSessionsError')
      const heard = ted.heard.length
      await fence(witness)
      expect(ted.heard).toHaveLength(heard)
      const outAndBack = async (id: string): Promise<void> => {
        const socket = await it.come(['student', id])
        for (let n = 0; n < 2; n++) {
          await it.as(TEA, 'DELETE', `/courses/${it.course}/enrollments/${id}`)
          await it.enrol(id)
          await subscribe(socket)
          await fence(socket)
        }
      }
      await Promise.all(['sue', 'sam', 'sia'].map(outAndBack))
    },
  )
  test('[WATCH-7] who subscribes while being taken out does not stay', async () => {
    const witness = await watching(TEA)
    for (let n = 0; n < 20; n++) {
      await it.enrol('in-out')
      const client = await it.come(['student', 'in-out'])
      const leaving = it.as(TEA, 'DELETE', `/courses/${it.course}/enrollments/in-out`)
      await Promise.all([leaving, client.ask('subscribeToCourse', { course_id: it.course })])
      await eventually(
        () => client.all('activeSessionsError').length,
        (told) => told === 1,
      )
      const heard = client.heard.length
      if (n % 5 === 0) await fence(witness)
      expect(client.heard).toHaveLength(heard)
      client.close()
    }
  })
  test('[WATCH-7] a student who is disabled is out', async () => {
    const [sue, witness] = [await watching(['student', 'sue']), await watching(TEA)]
    const disabled = await it.as(['admin', 'ada'], 'POST', '/users/sue/disable')
    expect(disabled.status, JSON.stringify(disabled.body)).toBeLessThan(300)
    await eventually(
      () => sue.socket.connected,
      (connected) => !connected,
    )
    await fence(witness)
    expect(sue.all('courseSessionStarted')).toEqual([])
  })
})

test(
  '[WATCH-8] a client that does what the document’s hook does knows of the sessions, over a lost ' +
    'connection, until it goes',
  async () => {
    const student = await it.come(['student', 'stu'])
    const { token } = student.socket.auth as { token: string }
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      let active: { sessionId: string; studentCount: number }[] = []
      const errors: string[] = []
      const told: string[] = []
      const hook = await connect(server.url, { auth: { token }, transports, reconnection: true, reconnectionDelay: 20 })
      open.push(hook)
      const join = (): void => void hook.socket.emit('subscribeToCourse', { course_id: it.course })
      hook.socket.on('connect', join)
      hook.socket.on('courseSessionStarted', (data) => told.push(`started ${data.session_id}`))
      hook.socket.on('courseSessionEnded', (data) => told.push(`ended ${data.session_id}`))
      hook.socket.on('activeSessionsData', (data) => {
        if (data.course_id === it.course) active = data.activeSessions
      })
      hook.socket.on('activeSessionsError', (error) => errors.push(error.message))
      join()
      await hook.told('activeSessionsData')
      const session = await it.start()
      await eventually(
        () => active.map(({ sessionId }) => sessionId),
        (ids) => ids.includes(session.id),
      )
      hook.socket.io.engine.close() // lost; Socket.IO connects again by itself
      await it.mark(session.id, 'stu', 'present')
      await eventually(
        () => active[0]?.studentCount,
        (count) => count === 1,
      )
      await it.end(session.id)
      await eventually(
        () => active.length,
        (length) => length === 0,
      )
      expect(told).toContain(`ended ${session.id}`)
      expect(errors).toEqual([])
      hook.socket.emit('unsubscribeFromCourse', { course_id: it.course })
      hook.socket.disconnect()
    }
  },
)
