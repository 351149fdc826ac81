import type { ManagerOptions, SocketOptions } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '60000' } })
})
afterAll(() => server.stop())

const clients: Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

type Transport = 'websocket' | 'polling'
type Options = Partial<ManagerOptions & SocketOptions>
async function open(options: Options): Promise<Client> {
  const client = await connect(server.url, options)
  clients.push(client)
  return client
}

// The three programs as their document has them connect: everything in the query string.
const teacherApp = async (id: string, org: string, transport: Transport = 'websocket', claims = {}) =>
  open({
    transports: [transport],
    query: { role: 'teacher', org_id: org, auth: await tokenFor('teacher', id, org, claims) },
  })
const teacherHub = async (
  id: string,
  org: string,
  role: 'teacher' | 'admin' = 'teacher',
  transport: Transport = 'websocket',
) =>
  open({
    transports: [transport],
    query: { role, org_id: org, product_type: 'manager', auth: await tokenFor(role, id, org) },
  })
const participantWeb = (transport: Transport = 'websocket', auth = {}) =>
  open({ transports: [transport], query: { role: 'student' }, auth })

const refusal = (options: Options): Promise<unknown> =>
  open(options).then(
    () => 'let in',
    (error: Error & { data?: unknown }) => error.data ?? error.message,
  )
/** Whatever the server had to say before is heard by now: one connection is in order. */
const settled = (client: Client) => client.ask('change_chat_priority', {})
const presenceOf = async (token: string, query = '') => {
  const answer = await fetch(`${server.url}/api/v1/presence${query}`, { headers: { Authorization: `Bearer ${token}` } })
  return {
    status: answer.status,
    body: (await answer.json()) as { data: Record<string, unknown>[]; hubs: number; next?: string },
  }
}

describe.each<Transport>(['websocket', 'polling'])('over %s', (transport) => {
  test('[PRES-1] TeacherApp, TeacherHub and ParticipantWeb connect as the document shows', async () => {
    const hub = await teacherHub('hanna', 'one', 'admin', transport)
    await teacherApp(`tom-${transport}`, 'one', transport, { display_name: 'Tom T.' })
    const login = await hub.told('teacher_login')
    expect(login).toMatchObject({ user_id: `tom-${transport}`, display_name: 'Tom T.' })
    expect(login).toMatchObject({ id: expect.any(String), seq: 0, pos: expect.any(String) })
    const participant = await participantWeb(transport)
    expect(await participant.told('participant_id')).toEqual({
      participant_id: expect.stringMatching(/^anon-[\w-]{24}$/),
      token: expect.stringMatching(/^participant\./),
    })
  })
})

test('[PRES-27] [GUARD-1] a handshake of any shape leaves nobody behind', async () => {
  const token = await tokenFor('teacher', 'odd', 'odds')
  const asker = await tokenFor('admin', 'asker', 'odds')
  const shapes: unknown[] = [{ toString: 1 }, [], [['2']], { valueOf: {} }, null, 'x'.repeat(5_000), -1, true]
  for (const protocol of shapes) {
    const client = await open({ auth: { token, protocol, more: shapes } })
    client.close()
  }
  await expect.poll(async () => (await presenceOf(asker)).body.data).toEqual([])
})

describe('teacher_login', () => {
  test('[PRES-2] reaches all hubs of the organisation, of teachers and of admins, and of no other', async () => {
    const hubs = [await teacherHub('h1', 'two'), await teacherHub('h2', 'two', 'admin')]
    const elsewhere = await teacherHub('h1', 'two-b')
    const app = await teacherApp('tina', 'two')
    for (const hub of hubs) expect(await hub.told('teacher_login')).toMatchObject({ user_id: 'tina' })
    await settled(elsewhere)
    expect(elsewhere.heard).toEqual([])
    await settled(app)
    expect(app.heard).toEqual([])
  })

  test(
    '[PRES-2] is told once for each presence: neither for a second tab nor for a return within the ' + 'grace',
    async () => {
      const hub = await teacherHub('h1', 'three')
      const app = await teacherApp('tina', 'three')
      await teacherApp('tina', 'three')
      app.socket.io.engine.close() // as a broken network does
      clients.at(-1)?.socket.io.engine.close()
      await expectLost('three', 'tina')
      await teacherApp('tina', 'three')
      await teacherApp('last', 'three')
      await hub.told('teacher_login', ({ user_id }) => user_id === 'last')
      expect(hub.all('teacher_login').map(({ user_id }) => user_id)).toEqual(['tina', 'last'])
    },
  )

  test('[PRES-2] is told again when the teacher had left', async () => {
    const hub = await teacherHub('h1', 'four')
    const app = await teacherApp('tina', 'four')
    app.close()
    await expectGone('four', 'tina')
    await teacherApp('tina', 'four')
    await hub.told('teacher_login', ({ seq }) => seq === 2)
    expect(hub.all('teacher_login')).toHaveLength(2)
  })

  test('[PRES-2] is not told of students, admins and hubs', async () => {
    const hub = await teacherHub('h1', 'five')
    await teacherHub('h2', 'five')
    await open({ query: { role: 'student', auth: await tokenFor('student', 'sue', 'five') } })
    await open({ query: { role: 'admin', auth: await tokenFor('admin', 'ada', 'five') } })
    await teacherApp('last', 'five')
    await hub.told('teacher_login', ({ user_id }) => user_id === 'last')
    expect(hub.heard).toHaveLength(1)
  })
})

describe('a TeacherHub', () => {
  test('[PRES-3] is nobody’s presence: its person is not online by it', async () => {
    await teacherHub('hanna', 'six')
    const { body } = await presenceOf(await tokenFor('admin', 'ada', 'six'))
    expect(body).toEqual({ data: [], hubs: 1 })
  })

  test('[PRES-3] gets no staff_init and looks on: everything that it emits is refused', async () => {
    const hub = await teacherHub('ada', 'six-b', 'admin')
    expect(await hub.ask('staff_join', { room: 'r' })).toEqual([false, expect.stringContaining('hub-looks-on')])
    expect(hub.heard).toEqual([])
  })

  test('[PRES-3] is closed when its person is disabled', async () => {
    const hub = await teacherHub('hanna', 'six-c')
    const ended = new Promise((resolve) => hub.socket.once('disconnect', resolve))
    const admin = { Authorization: `Bearer ${await tokenFor('admin', 'ada', 'six-c')}` }
    expect((await fetch(`${server.url}/api/v1/users/hanna/disable`, { method: 'POST', headers: admin })).status).toBe(
      200,
    )
    expect(await ended).toBe('io server disconnect')
  })

  test.each(['student', 'agent', 'supervisor', 'visitor'])('[PRES-4] of a %s is refused', async (role) => {
    const options = { query: { role, product_type: 'manager', auth: await tokenFor(role, 'x', 'six') } }
    expect(await refusal(options)).toEqual({ code: 403, message: expect.stringContaining('product_type=manager') })
  })
})

describe('a ParticipantWeb without a token', () => {
  test('[PRES-5] who brings the token of participant_id is the same again, wherever it comes', async () => {
    const first = await (await participantWeb()).told('participant_id')
    const again = [
      await participantWeb('websocket', { token: first.token }),
      await participantWeb('polling', { token: first.token }),
      await open({ query: { role: 'student', auth: first.token } }),
      await open({ extraHeaders: { Authorization: `Bearer ${first.token}` } }),
    ]
    for (const client of again) expect(await client.told('participant_id')).toEqual(first)
    expect((await (await participantWeb()).told('participant_id')).participant_id).not.toBe(first.participant_id)
  })

  test('[PRES-6] may do nothing but join a lesson', async () => {
    const participant = await participantWeb()
    for (const name of [
      'visitor_first_msg',
      'visitor_msg',
      'staff_join',
      'staff_msg',
      'take_over_chat',
      'replay_chat',
      'visitor_leave_room',
    ]) {
      expect(await participant.ask(name, { room: 'r', content: {} })).toEqual([
        false,
        expect.stringContaining('token-needed'),
      ])
    }
    const { token } = await participant.told('participant_id')
    expect((await presenceOf(token)).status).toBe(401)
  })

  test('[PRES-6] belongs to no organisation: nobody sees it online', async () => {
    await participantWeb()
    expect(await refusal({ query: { role: 'student', org_id: 'seven' } })).toMatchObject({ code: 401 })
    expect((await presenceOf(await tokenFor('admin', 'ada', 'seven'))).body.data).toEqual([])
  })

  test.each(['teacher', 'admin', 'visitor', 'agent', ''])(
    '[PRES-7] role=%s without a token is refused',
    async (role) => {
      expect(await refusal({ query: { role } })).toMatchObject({ code: 401 })
      const { token } = await (await participantWeb()).told('participant_id')
      if (role !== '') expect(await refusal({ query: { role }, auth: { token } })).toMatchObject({ code: 401 })
    },
  )

  test('[PRES-7] a token that is no participant’s is checked like every other', async () => {
    expect(await refusal({ query: { role: 'student' }, auth: { token: 'participant.short' } })).toMatchObject({
      code: 401,
    })
    expect(await refusal({ query: { role: 'student', auth: 'participant.short' } })).not.toBe('let in')
  })
})

describe('GET /api/v1/presence', () => {
  test('[PRES-8] tells who is online in my organisation, since when, and with how many sockets', async () => {
    const before = Date.now()
    await teacherApp('tina', 'eight', 'websocket', { display_name: 'Tina' })
    await teacherApp('tina', 'eight', 'polling')
    await open({ query: { role: 'student', auth: await tokenFor('student', 'sue', 'eight') } })
    await open({ query: { role: 'visitor', auth: await tokenFor('visitor', 'vera', 'eight') } })
    const { body } = await presenceOf(await tokenFor('teacher', 'tina', 'eight'))
    expect(body.data).toMatchObject([
      { id: 'sue', role: 'student', state: 'online', sockets: 1 },
      { id: 'tina', role: 'teacher', display_name: expect.any(String), state: 'online', sockets: 2 },
    ])
    expect(body.data[1]?.since).toBeGreaterThanOrEqual(before)
    expect(body.data[1]?.since).toBeLessThanOrEqual(Date.now())
  })

  test('[PRES-8] a lost connection is told as lost', async () => {
    const app = await teacherApp('tina', 'nine')
    app.socket.io.engine.close()
    await expectLost('nine', 'tina')
    const { body } = await presenceOf(await tokenFor('teacher', 'tina', 'nine'))
    expect(body.data).toMatchObject([{ id: 'tina', state: 'lost', sockets: 0 }])
  })

  test('[PRES-8] in pages, and by role', async () => {
    for (const id of ['c', 'a', 'b']) await teacherApp(id, 'ten')
    await open({ query: { role: 'student', auth: await tokenFor('student', 'd', 'ten') } })
    const token = await tokenFor('admin', 'ada', 'ten')
    const first = (await presenceOf(token, '?limit=2&role=teacher')).body
    expect([first.data.map(({ id }) => id), first.next]).toEqual([['a', 'b'], 'b'])
    const rest = (await presenceOf(token, `?limit=2&role=teacher&after=${first.next}`)).body
    expect([rest.data.map(({ id }) => id), rest.next]).toEqual([['c'], undefined])
  })

  test.each(['student', 'agent', 'supervisor', 'visitor'])('[PRES-9] is not for a %s', async (role) => {
    expect((await presenceOf(await tokenFor(role, 'x', 'ten'))).status).toBe(403)
  })
})

describe('an organisation whose teachers could be taken for others', () => {
  test.each(['a_user_b', 'a_user', '_user_', 'a_user_user'])('[PRES-10] %s is refused and told why', async (org) => {
    const token = await tokenFor('teacher', 'c', org)
    expect(await refusal({ query: { role: 'teacher', auth: token } })).toEqual({
      code: 403,
      message: expect.stringContaining('must not contain "_user_"'),
    })
  })

  test('[PRES-10] a person may be called so', async () => {
    const hub = await teacherHub('h', 'a')
    await teacherApp('b_user_c', 'a')
    expect(await hub.told('teacher_login')).toMatchObject({ user_id: 'b_user_c' })
  })
})

const stateOf = async (org: string, id: string): Promise<unknown> => {
  const { body } = await presenceOf(await tokenFor('admin', 'looks', org))
  return body.data.find((one) => one.id === id)?.state
}
const expectLost = (org: string, id: string) => expect.poll(() => stateOf(org, id)).toBe('lost')
const expectGone = (org: string, id: string) => expect.poll(() => stateOf(org, id)).toBeUndefined()
