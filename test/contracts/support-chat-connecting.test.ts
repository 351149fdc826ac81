import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Company, company } from './company.ts'
import { rawGet } from './raw-http.ts'
import { keys, PERSON, ROOM } from './support-chat-events.ts'

let server: TestServer
let acme: Company
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
beforeEach(() => {
  acme = company(server)
})
afterEach(() => acme.close())

type Options = Parameters<typeof connect>[1]
const clients: Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
const enter = async (options: Options): Promise<Client> => {
  const client = await connect(server.url, options)
  clients.push(client)
  return client
}
/** What the client is told instead of being let in. */
const turnedAway = (options: Options) =>
  enter(options).then(
    () => Promise.reject(new Error('was let in')),
    (error: Error & { data?: unknown; context?: { status?: number }; description?: unknown }) => error,
  )

/** The very HTTP request that a client of either transport begins with. */
function handshake(transport: string, headers: Record<string, string>, query = ''): Promise<Response> {
  const upgrade =
    transport === 'websocket'
      ? {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        }
      : {}
  return rawGet(`${server.url}/socket.io/?EIO=4&transport=${transport}${query}`, { ...upgrade, ...headers })
}

describe.each(['websocket', 'polling'] as const)('over %s', (transport) => {
  test.each([
    ['as it is', ''],
    ['after Bearer', 'Bearer '],
    ['after bearer', 'bearer '],
  ])('[CONN-1] the token in the Authorization header, %s, lets somebody in', async (_, prefix) => {
    const token = await tokenFor('agent', 'ann', acme.org)
    const ann = await enter({ transports: [transport], extraHeaders: { Authorization: prefix + token } })
    expect((await ann.told('staff_init')).online_users.map(({ id }: { id: string }) => id)).toEqual(['ann'])
  })

  test('[CONN-2] auth.token lets somebody in, with and without Bearer', async () => {
    const token = await tokenFor('agent', 'ann', acme.org)
    await (await enter({ transports: [transport], auth: { token } })).told('staff_init')
    await (await enter({ transports: [transport], auth: { token: `Bearer ${token}` } })).told('staff_init')
  })

  test.each([
    ['that is no token', 'Bearer nonsense', 'token-malformed'],
    ['that is empty', '', 'token-missing'],
    ['with Bearer and nothing else', 'Bearer ', 'token-missing'],
  ])('[CONN-3] a header %s is answered 401 on the HTTP handshake', async (_, Authorization, code) => {
    const answer = await handshake(transport, { Authorization })
    expect(answer.status).toBe(401)
    expect((await handshake(transport, { Authorization }, '&sid=')).status, 'an empty session id').toBe(401)
    expect(await answer.json()).toEqual({ error: { code, message: expect.any(String) } })
  })

  test('[CONN-3] an expired token, one of another issuer and one of an unknown role are answered 401', async () => {
    for (const token of [
      await tokenFor('agent', 'ann', acme.org, {}, -5),
      await tokenFor('janitor', 'ann', acme.org),
      await tokenFor('agent', 'an n', acme.org),
      await tokenFor('agent', 'ann', 'no.dots'),
    ]) {
      expect((await handshake(transport, { Authorization: token })).status).toBe(401)
    }
  })

  test('[CONN-3] a bad or empty token in the query is answered 401', async () => {
    expect((await handshake(transport, {}, '&auth=nonsense')).status).toBe(401)
    expect((await handshake(transport, {}, '&auth=')).status).toBe(401)
  })

  test('[CONN-4] a bad or missing auth.token ends in connect_error with code 401', async () => {
    for (const auth of [
      {},
      { token: '' },
      { token: 'nonsense' },
      { token: 7 },
      { token: { $gt: '' } },
      { token: null },
    ]) {
      const { data } = await turnedAway({ transports: [transport], auth })
      expect(data, JSON.stringify(auth)).toEqual({ code: 401, message: expect.stringMatching(/token/) })
    }
  })

  test('[CONN-7] a token that expires while connected ends the connection within one second', async () => {
    const token = await tokenFor('agent', 'ann', acme.org, {}, 2)
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    const ann = await enter({ transports: [transport], auth: { token } })
    const gone = new Promise((resolve) => ann.socket.once('disconnect', () => resolve(Date.now())))
    expect(await ann.told('error')).toEqual({ message: 'token expired' })
    const late = Number(await gone) - exp * 1000
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(1000)
  })
})

test('[CONN-5] the header decides over auth.token, and auth.token over the query', async () => {
  const [ann, bob, cat] = await Promise.all(['ann', 'bob', 'cat'].map((id) => tokenFor('agent', id, acme.org)))
  const watcher = await acme.join('admin', 'ada')
  await enter({ extraHeaders: { Authorization: String(ann) }, auth: { token: bob }, query: { auth: cat } })
  await watcher.told('staff_goes_online', ({ user }) => user.id === 'ann')
  await enter({ auth: { token: bob }, query: { auth: cat } })
  await watcher.told('staff_goes_online', ({ user }) => user.id === 'bob')
  await enter({ query: { auth: cat } })
  await watcher.told('staff_goes_online', ({ user }) => user.id === 'cat')
  expect(watcher.all('staff_goes_online').map(({ user }) => user.id)).toEqual(['ann', 'bob', 'cat'])
  expect((await handshake('polling', { Authorization: 'nonsense' }, `&auth=${cat}`)).status).toBe(401)
})

test('[CONN-6] a hint in the query that says what the token says passes, any other is refused', async () => {
  const token = await tokenFor('agent', 'ann', acme.org)
  await enter({ auth: { token }, query: { role: 'agent', org_id: acme.org, user_id: 'ann' } })
  for (const query of [{ role: 'admin' }, { org_id: 'other' }, { user_id: 'bob' }]) {
    const { data } = await turnedAway({ auth: { token }, query })
    expect(data).toEqual({ code: 401, message: expect.stringContaining(Object.keys(query)[0] ?? '') })
  }
})

test(
  '[CONN-8] a disabled person’s sockets close at once, their chats end, and they come in again only ' + 'when enabled',
  async () => {
    const watcher = await acme.join('supervisor', 'sue')
    const ann = await acme.join('agent', 'ann')
    const { visitor, room } = await acme.chat('vera', watcher)
    await ann.ask('staff_join', { room })
    const gone = new Promise((resolve) => ann.socket.once('disconnect', resolve))
    expect((await acme.http('admin', '/api/v1/users/ann/disable', { method: 'POST' })).status).toBe(200)
    expect(await ann.told('error')).toEqual({ message: 'this account is disabled' })
    expect(await gone).toBe('io server disconnect')
    expect(await visitor.told('staff_leave')).toMatchObject({ room, user: { id: 'ann', disabled: true } })
    await watcher.told('staff_goes_offline', ({ user }) => user.id === 'ann')

    await expect(acme.join('agent', 'ann')).rejects.toMatchObject({
      data: { code: 401, message: 'this account is disabled' },
    })
    expect((await acme.http('admin', '/api/v1/users/ann/enable', { method: 'POST' })).status).toBe(200)
    await (await acme.join('agent', 'ann')).told('staff_init')
  },
)

test('[CONN-9] a page of a foreign origin cannot connect, the server’s own can', async () => {
  const Authorization = await tokenFor('agent', 'ann', acme.org)
  expect((await handshake('polling', { Authorization, Origin: 'https://evil.example' })).status).toBe(403)
  expect((await handshake('polling', { Authorization, Origin: server.url })).status).toBe(200)
})

test.each([
  ['*', 'https://shop.example'],
  ['capacitor://localhost, ionic://localhost', 'ionic://localhost'],
])(
  '[CONN-9] with ALLOWED_ORIGINS=%s a page of %s is named in the answer, over polling and HTTP',
  async (listed, Origin) => {
    const open = await startServer({ env: { ALLOWED_ORIGINS: listed } })
    onTestFinished(async () => void (await open.stop()))
    const Authorization = await tokenFor('agent', 'ann', acme.org)
    const path = `${open.url}/socket.io/?EIO=4&transport=polling`
    const asked = [
      fetch(path, { headers: { Authorization, Origin } }),
      fetch(path, { method: 'OPTIONS', headers: { Origin, 'Access-Control-Request-Method': 'GET' } }),
      fetch(`${open.url}/api/v1/users/me`, { headers: { Authorization: `Bearer ${Authorization}`, Origin } }),
    ]
    for (const answer of await Promise.all(asked))
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(Origin)
  },
)

test('[CONN-11] a client that begins with polling and moves on to WebSocket loses nothing on the way', async () => {
  const Authorization = await tokenFor('agent', 'ann', acme.org)
  const ann = await enter({ transports: ['polling', 'websocket'], extraHeaders: { Authorization } })
  const { visitor, room } = await acme.chat('vera', ann)
  await ann.ask('staff_join', { room })
  for (let n = 0; n < 30; n++) await visitor.ask('visitor_msg', { n })
  await vi.waitUntil(() => ann.socket.io.engine.transport.name === 'websocket', { timeout: PATIENCE_MS })
  expect(await ann.ask('staff_msg', { room, content: { text: 'over WebSocket now' } })).toEqual([true, null])
  await visitor.told('staff_send')
  expect(ann.all('visitor_send').map(({ content }) => content.n)).toEqual(Array.from({ length: 30 }, (_, n) => n))
})

test('[CONN-10] a newer token brings new names, which those who see the person are told', async () => {
  const watcher = await acme.join('supervisor', 'sue')
  await acme.join('agent', 'ann', {}, { name: undefined, full_name: 'Ann One', display_name: 'Ann' })
  await watcher.told('staff_goes_online', ({ user }) => user.full_name === 'Ann One')
  const second = Math.floor(Date.now() / 1000) // tokens are dated in seconds, and only a newer one teaches something
  await expect.poll(() => Math.floor(Date.now() / 1000)).toBeGreaterThan(second)
  await acme.join('agent', 'ann', {}, { name: undefined, full_name: 'Ann Two', display_name: 'Ann' })
  await watcher.told('staff_goes_online', ({ user }) => user.full_name === 'Ann Two')
  const fresh = await (await acme.join('agent', 'bob')).told('staff_init')
  expect(fresh.online_users.map((user: { full_name: string }) => user.full_name)).toEqual(['sue', 'Ann Two', 'bob'])
})

test('[INIT-2] staff_init holds every field that the document shows', async () => {
  const ann = await acme.join('agent', 'ann', {}, { email: 'ann@example.org', display_name: 'Ann' })
  const { room } = await acme.chat('vera', ann, { text: 'one' })
  await acme.join('visitor', 'nobody', {}, { name: undefined })
  await ann.ask('change_chat_priority', { room, severity_level: 1 })
  const { pos, ...init } = await (await acme.join('admin', 'ada')).told('staff_init')
  expect(pos).toMatch(/^\d+$/)
  const { online_users_until, online_visitors_until, own_until, unclaimed_until, unclaimed_total, ...lists } = init
  expect([online_users_until, online_visitors_until, own_until, unclaimed_until]).toEqual([null, null, null, null])
  expect(unclaimed_total).toBe(init.unclaimed_chats.length)
  expect(keys(lists)).toEqual(['flagged_chats', 'online_users', 'online_visitors', 'own_chats', 'unclaimed_chats'])
  for (const user of init.online_users) expect(keys(user)).toEqual(PERSON.staff)
  for (const user of init.online_visitors) expect(keys(user)).toEqual(PERSON.visitor)
  for (const chat of [...init.unclaimed_chats, ...init.flagged_chats]) {
    expect(keys(chat.room)).toEqual(ROOM)
    expect(keys(chat.user)).toEqual(PERSON.visitor)
  }
  const organisation_id = acme.org
  expect(init.online_users).toMatchObject([
    {
      id: 'ann',
      email: 'ann@example.org',
      display_name: 'Ann',
      role_id: 3,
      organisation_id,
      disabled: false,
      updated_at: null,
    },
    { id: 'ada', email: null, display_name: null, role_id: 1 },
  ])
  expect(init.online_visitors).toMatchObject([
    { id: 'vera', name: 'vera', is_anonymous: false, disabled: false },
    { id: 'nobody', name: null, email: null, is_anonymous: true },
  ])
  expect(init.unclaimed_chats).toMatchObject([
    { room: { id: room, visitor_id: 'vera', tags: [], severity_level: 1 }, contents: [{ text: 'one' }] },
  ])
  expect(init.flagged_chats).toMatchObject([{ room: { id: room, severity_level: 1 }, user: { id: 'vera' } }])
})
