import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { call } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Studio, studio } from '../support/studio.ts'

let server: TestServer
let it: Studio
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '100000' } })
})
afterAll(async () => void (await server.stop()))
beforeEach(() => {
  it = studio(server)
})
afterEach(() => it.close())

const code = ({ status, body }: { status: number; body: { error?: { code: string } } }) => [status, body.error?.code]

test('[PROJECT-20] whoever makes a project owns it; it is shown to its participants and to admins', async () => {
  const made = await it.ask('owen', 'POST', '/projects', { title: ' Bridge ' })
  const owen = await it.numberOf('owen')
  const owner = { id: owen, email: 'owen@studio.example', first_name: '', last_name: '', username: 'owen' }
  expect([made.status, made.body.data]).toEqual([
    201,
    {
      ...{ id: expect.any(Number), title: 'Bridge', owner, coach: null, participants: [owner], seq: 0 },
      created_at: expect.stringMatching(/^\d\d\/\d\d\/\d{4}, \d\d:\d\d$/),
    },
  ])
  const { id } = made.body.data
  expect((await it.ask('owen', 'GET', `/projects/${id}`)).body.data).toEqual(made.body.data)
  expect(code(await it.ask('eve', 'GET', `/projects/${id}`))).toEqual([403, 'not-a-participant'])
  const admin = await it.token('admin', 'ada')
  expect((await call(server.url, admin, 'GET', `/projects/${id}`)).status).toBe(200)
  expect((await call(server.url, admin, 'GET', `/projects/${id}/messages`)).status).toBe(403)
  const visitor = await it.token('visitor', 'vic')
  expect(code(await call(server.url, visitor, 'POST', '/projects', { title: 'x' }))).toEqual([
    403,
    'visitors-have-none',
  ])
  expect(code(await call(server.url, visitor, 'GET', '/projects'))).toEqual([403, 'visitors-have-none'])
  const other = await tokenFor('admin', 'ada', `${it.org}-other`)
  expect(code(await call(server.url, other, 'GET', `/projects/${id}`))).toEqual([404, 'no-such-project'])
  for (const bad of [{}, { title: '' }, { title: 'x', more: 1 }])
    expect((await it.ask('owen', 'POST', '/projects', bad)).status).toBe(400)
})

test('[PROJECT-21] a list holds one’s own, the latest first, in pages without gaps; admins see all', async () => {
  const ids: number[] = []
  for (let n = 0; n < 5; n++) ids.push(await it.project(`P${n}`, n === 2 ? 'eve' : 'owen'))
  const listed = async (path: string, token: string) => (await call(server.url, token, 'GET', path)).body
  const owen = await it.token('agent', 'owen')
  const all: number[] = []
  for (let after = ''; ; ) {
    const { data, next } = await listed(`/projects?limit=2${after}`, owen)
    all.push(...data.map(({ id }: { id: number }) => id))
    if (!next) break
    after = `&after=${encodeURIComponent(next)}`
  }
  expect(all).toEqual(ids.filter((_, n) => n !== 2).reverse())
  const admin = await listed('/projects', await it.token('admin', 'ada'))
  expect(admin.data.map(({ id }: { id: number }) => id)).toEqual(ids.toReversed())
})

test('[PROJECT-22] who may do what, each told why not', async () => {
  const id = await it.project('Bridge', 'owen', 'eve', 'cody')
  const [owen, eve, cody, sam] = await Promise.all(['owen', 'eve', 'cody', 'sam'].map((one) => it.numberOf(one)))
  const path = `/projects/${id}`
  const asks = async (who: string, method: string, below: string, body?: unknown) =>
    code(await it.ask(who, method, path + below, body))
  for (const [method, below, body] of [
    ['PATCH', '', { title: 'x' }],
    ['POST', '/participants', { user_id: sam }],
    ['DELETE', `/participants/${cody}`, undefined],
  ] as const)
    expect(await asks('eve', method, below, body)).toEqual([403, 'owner-or-coach-only'])
  for (const [method, below, body] of [
    ['DELETE', '', undefined],
    ['PUT', '/coach', { user_id: eve }],
    ['DELETE', '/coach', undefined],
  ] as const)
    expect(await asks('eve', method, below, body)).toEqual([403, 'owner-only'])
  for (const [method, below, body] of [
    ['PATCH', '', { title: 'x' }],
    ['DELETE', '', undefined],
    ['POST', '/participants', { user_id: sam }],
    ['POST', '/leave', {}],
    ['GET', '/messages', undefined],
    ['GET', '/files/1', undefined],
  ] as const)
    expect(await asks('sam', method, below, body)).toEqual([403, 'not-a-participant'])
  expect(await asks('owen', 'DELETE', `/participants/${owen}`)).toEqual([409, 'owner-stays'])
  expect(await asks('owen', 'POST', '/leave', {})).toEqual([409, 'owner-stays'])
  expect(await asks('owen', 'PUT', '/coach', { user_id: sam })).toEqual([404, 'no-such-participant'])
  expect(await asks('owen', 'POST', '/participants', { user_id: 2 ** 40 })).toEqual([404, 'no-such-user'])
  expect(await asks('owen', 'POST', '/participants', { user_id: 'x' })).toEqual([400, 'bad-request'])
  // A coach leads as the owner does, and stops with being a participant.
  expect(await asks('owen', 'PUT', '/coach', { user_id: eve })).toEqual([200, undefined])
  expect(await asks('eve', 'PATCH', '', { title: 'Tunnel' })).toEqual([200, undefined])
  expect(await asks('eve', 'POST', '/participants', { user_id: sam })).toEqual([201, undefined])
  expect(await asks('eve', 'DELETE', '')).toEqual([403, 'owner-only'])
  expect(await asks('eve', 'POST', '/leave', {})).toEqual([200, undefined])
  expect((await it.ask('owen', 'GET', path)).body.data).toMatchObject({ title: 'Tunnel', coach: null })
  expect(await asks('eve', 'GET', '')).toEqual([403, 'not-a-participant'])
  expect(await asks('owen', 'DELETE', '')).toEqual([200, undefined])
  for (const [who, method] of [
    ['owen', 'GET'],
    ['cody', 'GET'],
    ['owen', 'DELETE'],
  ] as const)
    expect(await asks(who, method, '')).toEqual([404, 'no-such-project'])
})

test('[PROJECT-23] an Idempotency-Key makes one project, and changes it once', async () => {
  const make = () => it.ask('owen', 'POST', '/projects', { title: 'Once' }, 'key-1')
  const [first, second] = [await make(), await make()]
  expect(second.body.data.id).toBe(first.body.data.id)
  expect((await it.ask('owen', 'GET', '/projects')).body.data).toHaveLength(1)
  expect((await it.ask('owen', 'POST', '/projects', { title: 'Other' }, 'key-1')).status).toBe(409)
  const again = await Promise.all([1, 2, 3].map(() => it.ask('owen', 'POST', '/projects', { title: 'T' }, 'key-2')))
  expect(new Set(again.map(({ body }) => body.data.id)).size).toBe(1)
})

test('[PROJECT-23] a named call is answered alike again when its caller lost the right to it by then', async () => {
  const project = await it.project('P', 'owen', 'eve', 'sam')
  const sam = await it.numberOf('sam')
  const path = `/projects/${project}`
  const first = await it.ask('eve', 'POST', `${path}/leave`, {}, 'leave-1')
  expect(first.status).toBe(200)
  await it.ask('owen', 'PATCH', path, { title: 'Secret' })
  expect(await it.ask('eve', 'POST', `${path}/leave`, {}, 'leave-1')).toEqual(first)
  expect(code(await it.ask('eve', 'POST', `${path}/leave`, {}, 'leave-2'))).toEqual([403, 'not-a-participant'])

  const out = await it.ask('owen', 'DELETE', `${path}/participants/${sam}`, undefined, 'out-1')
  expect(out.status).toBe(200)
  const gone = await it.ask('owen', 'DELETE', path, undefined, 'delete-1')
  expect(gone.body.data.title).toBe('Secret')
  expect(await it.ask('owen', 'DELETE', path, undefined, 'delete-1')).toEqual(gone)
  expect((await it.ask('owen', 'DELETE', `${path}/participants/${sam}`, undefined, 'out-1')).status).toBe(200)
  expect(code(await it.ask('owen', 'DELETE', `${path}/participants/${sam}`, undefined, 'out-2'))).toEqual([
    404,
    'no-such-project',
  ])
  expect(code(await it.ask('zoe', 'POST', `${path}/participants`, { user_id: 99_999 }))[0]).toBe(404)
})

test('[PROJECT-23] a repeat by somebody who was removed tells what the first answer told', async () => {
  const project = await it.project('One', 'owen', 'eve', 'sam')
  const [eve, sam, zed] = [await it.numberOf('eve'), await it.numberOf('sam'), await it.numberOf('zed')]
  const path = `/projects/${project}`
  await it.ask('owen', 'PUT', `${path}/coach`, { user_id: eve })
  const calls = [
    () => it.ask('eve', 'PATCH', path, { title: 'Two' }, 'k1'),
    () => it.ask('eve', 'POST', `${path}/participants`, { user_id: zed }, 'k2'),
    () => it.ask('eve', 'DELETE', `${path}/participants/${sam}`, undefined, 'k3'),
    () => it.ask('eve', 'PATCH', path, { title: 'Two' }, 'k4'),
  ]
  const first = []
  for (const call of calls) first.push(await call())
  await it.ask('owen', 'DELETE', `${path}/participants/${eve}`)
  await it.ask('owen', 'PATCH', path, { title: 'Secret' })
  for (const [n, call] of calls.entries()) expect(await call()).toEqual(first[n])
  const made = await it.ask('owen', 'POST', '/projects', { title: 'C' }, 'mk')
  await it.ask('owen', 'DELETE', `/projects/${made.body.data.id}`)
  expect(await it.ask('owen', 'POST', '/projects', { title: 'C' }, 'mk')).toEqual(made)
})

test('[PROJECT-23] a repeat tells what the first answer told, whatever was changed since', async () => {
  const { id } = (await it.ask('owen', 'POST', '/projects', { title: 'C' }, 'make')).body.data
  const [eve, sam] = [await it.numberOf('eve'), await it.numberOf('sam')]
  const path = `/projects/${id}`
  const calls = [
    () => it.ask('owen', 'POST', '/projects', { title: 'C' }, 'make'),
    () => it.ask('owen', 'PATCH', path, { title: 'X' }, 'title'),
    () => it.ask('owen', 'PATCH', path, { title: 'X' }, 'as it was'),
    () => it.ask('owen', 'POST', `${path}/participants`, { user_id: eve }, 'eve'),
    () => it.ask('owen', 'POST', `${path}/participants`, { user_id: sam }, 'sam'),
    () => it.ask('owen', 'PUT', `${path}/coach`, { user_id: eve }, 'coach'),
    () => it.ask('owen', 'PUT', `${path}/coach`, { user_id: sam }, 'in place of her'),
    () => it.ask('owen', 'DELETE', `${path}/coach`, undefined, 'none'),
    () => it.ask('owen', 'DELETE', `${path}/participants/${eve}`, undefined, 'out'),
  ]
  const first = []
  for (const call of calls) first.push(await call())
  expect(first.map(({ body }) => body.data.coach?.username)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    'eve',
    'sam',
    undefined,
    undefined,
  ])
  await it.ask('owen', 'PATCH', path, { title: 'Y' })
  for (const [n, call] of calls.entries()) expect(await call()).toEqual(first[n])
})

test('[PROJECT-6] visitors are told the same wherever they ask', async () => {
  const path = `/projects/${await it.project('P', 'owen')}`
  const token = await it.token('visitor', 'vi')
  for (const [method, url, body] of [
    ['GET', '/projects', undefined],
    ['POST', '/projects', { title: 'x' }],
    ['GET', path, undefined],
    ['PATCH', path, { title: 'x' }],
    ['DELETE', path, undefined],
    ['POST', `${path}/participants`, { user_id: 7 }],
    ['DELETE', `${path}/participants/7`, undefined],
    ['PUT', `${path}/coach`, { user_id: 7 }],
    ['DELETE', `${path}/coach`, undefined],
    ['POST', `${path}/leave`, {}],
    ['GET', `${path}/messages`, undefined],
    ['GET', `${path}/files/1`, undefined],
  ] as const)
    expect(code(await call(server.url, token, method, url, body))).toEqual([403, 'visitors-have-none'])
})

test('[PROJECT-16] whoever only reads is called what their token says', async () => {
  const id = await it.project('P', 'owen')
  for (const [n, path] of ['/projects', `/projects/${id}`, `/projects/${id}/messages`].entries()) {
    const number = 5_001 + n
    await it.ask('owen', 'POST', `/projects/${id}/participants`, { user_id: number })
    const token = await it.token('agent', `${number}`, { username: `user ${number}` })
    await call(server.url, token, 'GET', path)
    const { participants } = (await it.ask('owen', 'GET', `/projects/${id}`)).body.data
    expect(participants.find((one: { id: number }) => one.id === number)).toMatchObject({
      ...{ username: `user ${number}`, email: `${number}@studio.example` },
    })
  }
})

test('[PROJECT-30] an id that is a number is that number; everybody else has one above, and keeps it', async () => {
  const me = async (id: string) => (await it.ask(id, 'GET', '/users/me')).body.data.number
  expect([await me('7'), await me('2147483647')]).toEqual([7, 2 ** 31 - 1])
  const [eve, zero, large] = [await me('eve'), await me('007'), await me('2147483648')]
  for (const number of [eve, zero, large]) expect(number).toBeGreaterThanOrEqual(2 ** 31)
  expect(new Set([eve, zero, large]).size).toBe(3)
  expect(await me('eve')).toBe(eve)
  const other = studio(server, `${it.org}-other`)
  expect(await other.numberOf('eve')).not.toBe(eve)
  // A number of another organisation is nobody here.
  const project = await it.project('P', 'owen')
  const there = await other.numberOf('zed')
  expect(code(await it.ask('owen', 'POST', `/projects/${project}/participants`, { user_id: there }))).toEqual([
    404,
    'no-such-user',
  ])
  const list = (await it.ask('owen', 'GET', '/users')).body.data
  for (const { id, number } of list) expect([id, number]).toEqual([id, await me(id)])
})

test('[PROJECT-31] names come from the token or the account, or are made of what is known', async () => {
  const id = await it.project('P', 'owen')
  const add = async (sub: string, claims: object) => {
    const token = await it.token('agent', sub, claims)
    await call(server.url, token, 'POST', '/users/stream-ticket', {})
    const user_id = (await call(server.url, token, 'GET', '/users/me')).body.data.number
    const { participants } = (await it.ask('owen', 'POST', `/projects/${id}/participants`, { user_id })).body.data
    return participants.find((one: { id: number }) => one.id === user_id)
  }
  expect(
    await add('a1', { username: 'ada', first_name: 'Ada', last_name: 'King', email: 'a@x.example' }),
  ).toMatchObject({ username: 'ada', first_name: 'Ada', last_name: 'King', email: 'a@x.example' })
  expect(await add('a2', { name: 'Ada King Lovelace' })).toMatchObject({
    ...{ username: 'a2', first_name: 'Ada King', last_name: 'Lovelace' },
  })
  expect(await add('a3', { email: undefined, name: 'Ada' })).toMatchObject({
    ...{ username: 'a3', first_name: 'Ada', last_name: '', email: '' },
  })
})

test('[PROJECT-8] messages are listed newest last, in pages without gaps', async () => {
  const id = await it.project('P', 'owen', 'eve')
  const owen = await it.socket('owen')
  const receiver_id = await it.numberOf('owen')
  for (let n = 1; n <= 7; n++) {
    await owen.ask('send_message', { project_id: id, content: `${n}`, ...(n === 3 ? { receiver_id } : {}) })
    if (n === 4) await it.ask('owen', 'PATCH', `/projects/${id}`, { title: 'Q' })
  }
  const all: string[] = []
  for (let after = ''; ; ) {
    const { data, next } = (await it.ask('eve', 'GET', `/projects/${id}/messages?limit=2${after}`)).body
    all.push(...data.map(({ content }: { content: string }) => content))
    if (next === undefined) break
    after = `&after=${next}`
  }
  expect(all).toEqual(['1', '2', '4', '5', '6', '7'])
  expect(code(await it.ask('eve', 'GET', `/projects/${id}/messages?after=-1`))).toEqual([400, 'bad-request'])
})
