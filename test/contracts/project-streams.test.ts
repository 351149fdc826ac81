import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { call } from '../support/lessons.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { openPage, type Page, type Studio, studio } from '../support/studio.ts'

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

/** The last thing that happens: whoever has heard it has heard all before it. */
async function fence(project: number, owner: string, ...pages: readonly Page[]): Promise<void> {
  const title = `fence ${Math.random()}`
  await it.ask(owner, 'PATCH', `/projects/${project}`, { title })
  await Promise.all(pages.map((page) => page.message(new RegExp(title))))
}
const messages = ({ told }: Page): string[] => told.map(({ message }) => message).filter((text) => !/fence/.test(text))

test('[PROJECT-10] each is told what the document says, letter for letter; the actor is not', async () => {
  const project = await it.project('Bridge', 'owen', 'eve')
  const [owen, eve, cody] = [await it.numberOf('owen'), await it.numberOf('eve'), await it.numberOf('cody')]
  const pages = { owen: await it.stream('owen'), eve: await it.stream('eve'), cody: await it.stream('cody') }
  const path = `/projects/${project}`

  expect((await it.ask('owen', 'POST', `${path}/participants`, { user_id: cody })).status).toBe(201)
  const added = await pages.cody.message("You was added into the project 'Bridge'.")
  expect(added).toMatchObject({ type: 'add_into_project', data: { id: project, title: 'Bridge', coach: null } })
  expect(added.data.owner.id).toBe(owen)
  expect(added.data.participants.map(({ id }: { id: number }) => id)).toEqual([owen, eve, cody])
  const user = { id: cody, email: 'cody@studio.example', first_name: '', last_name: '', username: 'cody' }
  expect(await pages.eve.message("The new participant '@cody' was added into the project 'Bridge'.")).toEqual({
    ...{ type: 'add_into_project', message: "The new participant '@cody' was added into the project 'Bridge'." },
    data: user,
  })

  await it.ask('owen', 'PUT', `${path}/coach`, { user_id: eve })
  expect(await pages.eve.message("You was designated new coach in the project 'Bridge'.")).toEqual({
    ...{ type: 'edit_project', message: "You was designated new coach in the project 'Bridge'." },
  })
  expect(await pages.cody.message("'@eve' was designated new coach in the project 'Bridge'.")).toMatchObject({
    ...{ type: 'edit_project', data: { user_id: eve } },
  })
  await it.ask('owen', 'PUT', `${path}/coach`, { user_id: cody })
  await pages.eve.message("You was withdrew from coach in the project 'Bridge'.")
  expect(
    await pages.cody.message("'@eve' was withdrew from coach, he will be a participant the project'Bridge'."),
  ).toMatchObject({ type: 'edit_project', data: { user_id: eve } })
  await pages.cody.message("You was designated new coach in the project 'Bridge'.")

  await it.ask('cody', 'PATCH', path, { title: 'Tunnel' })
  expect(await pages.owen.message("The title's project 'Bridge' become the new tilte 'Tunnel'.")).toEqual({
    type: 'edit_project',
    message: "The title's project 'Bridge' become the new tilte 'Tunnel'.",
    data: { project_title: 'Tunnel' },
  })
  await it.ask('owen', 'DELETE', `${path}/coach`)
  await pages.cody.message("You was withdrew from coach in the project 'Tunnel'.")

  await it.ask('cody', 'POST', `${path}/leave`, {})
  expect(await pages.owen.message("'@cody' left the project'Tunnel'.")).toEqual({
    ...{ type: 'edit_project', message: "'@cody' left the project'Tunnel'.", data: { user_id: cody } },
  })
  await it.ask('owen', 'POST', `${path}/participants`, { user_id: cody })
  await it.ask('owen', 'DELETE', `${path}/participants/${cody}`)
  expect(await pages.cody.message("You was removed in the project 'Tunnel'.")).toEqual({
    ...{ type: 'edit_project', message: "You was removed in the project 'Tunnel'." },
  })
  expect(await pages.eve.message("'@cody' was removed in the project 'Tunnel'.")).toMatchObject({
    ...{ type: 'edit_project', data: { user_id: cody } },
  })
  await it.ask('owen', 'DELETE', path)
  expect(await pages.eve.message("The project 'Tunnel' was removed by '@owen'.")).toEqual({
    ...{ type: 'delete_project', message: "The project 'Tunnel' was removed by '@owen'." },
  })
  // Whoever acts is told nothing of it.
  expect(messages(pages.owen)).toEqual([
    "The title's project 'Bridge' become the new tilte 'Tunnel'.",
    "'@cody' left the project'Tunnel'.",
  ])
})

test('[PROJECT-12] Last-Event-ID resumes without loss or repeat, from any event', async () => {
  const project = await it.project('P', 'owen', 'eve')
  const page = await it.stream('eve')
  for (let n = 0; n < 12; n++) await it.ask('owen', 'PATCH', `/projects/${project}`, { title: `T${n}` })
  await fence(project, 'owen', page)
  expect(page.told).toHaveLength(13)
  for (const from of [0, 5, 11]) {
    const again = await it.stream('eve', { lastEventId: page.ids[from] ?? '' })
    await fence(project, 'owen', again)
    expect(again.told.slice(0, 12 - from)).toEqual(page.told.slice(from + 1, 13))
    expect(new Set(again.ids).size).toBe(again.ids.length)
    again.close()
  }
  // One that this log does not know is told so, and goes on from now.
  const lost = await it.stream('eve', { lastEventId: '12345' })
  await fence(project, 'owen', lost)
  expect(messages(lost)).toEqual([])
})

test('[PROJECT-13] a removed participant hears nothing more; who was away hears that they were removed', async () => {
  const project = await it.project('P', 'owen', 'eve', 'cody')
  const [eve, cody] = [await it.stream('eve'), await it.stream('cody')]
  await fence(project, 'owen', eve)
  eve.close()
  await it.ask('owen', 'DELETE', `/projects/${project}/participants/${await it.numberOf('eve')}`)
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'Secret' })
  await cody.message(/Secret/)
  const again = await it.stream('eve', { lastEventId: eve.ids.at(-1) ?? '' })
  expect(await again.message(/You was removed/)).toMatchObject({ type: 'edit_project' })
  const other = await it.project('Q', 'owen', 'eve')
  await fence(other, 'owen', again)
  expect(JSON.stringify(again.told)).not.toContain('Secret')
})

test('[PROJECT-14] a ticket opens a stream within a minute, and a token does; nothing else does', async () => {
  const project = await it.project('P', 'owen', 'eve')
  const token = await it.token('agent', 'eve')
  const page = await openPage(`${server.url}/api/v1/users/stream/${token}`)
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'Q' })
  await page.message(/Q/)
  page.close()
  for (const bad of ['nonsense', `st_${'x'.repeat(43)}`, `${token}x`]) {
    const { status } = await fetch(`${server.url}/api/v1/users/stream/${bad}`)
    expect(status).toBe(401)
  }
  const { status, body } = await it.ask('eve', 'POST', '/users/stream-ticket', {})
  expect([status, body.data]).toEqual([200, { ticket: expect.any(String), expires_in: 60 }])
  const visitor = await it.token('visitor', 'vic')
  expect((await fetch(`${server.url}/api/v1/users/stream/${visitor}`)).status).toBe(403)
  expect(server.output()).not.toContain(body.data.ticket)
  expect(server.output()).not.toContain(token)
})

test('[PROJECT-18] one person has at most fifty streams and hears when to try again; others go on', async () => {
  const token = await it.token('agent', 'many')
  const url = `${server.url}/api/v1/users/stream/${token}`
  const over = new AbortController()
  const open: Response[] = [] // one that nobody holds is closed by whoever collects garbage
  for (let n = 0; n < 50; n++) open.push(await fetch(url, { signal: over.signal }))
  expect(open.map((response) => response.status)).toEqual(open.map(() => 200))
  const refused = await fetch(url)
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '15'])
  const message = 'you have 50 open streams already: close some of them, or try again in 15 s'
  expect(await refused.json()).toEqual({ error: { code: 'too-many-streams', message } })
  const other = await it.stream('eve')
  other.close()
  over.abort()
  await expect
    .poll(async () => {
      const again = new AbortController()
      const { status: now } = await fetch(url, { signal: again.signal })
      again.abort()
      return now
    })
    .toBe(200)
})

test('[PROJECT-14] nothing opens a stream any more once the password behind it was changed', async () => {
  const admin = await it.token('admin', 'adm')
  const email = `pat-${Date.now()}@acme.example`
  const account = { email, password: 'the first password', role: 'agent' }
  const { id } = (await call(server.url, admin, 'POST', '/users', account)).body.data
  const logIn = { email, password: account.password }
  const { access_token: token } = (await call(server.url, admin, 'POST', '/auth/login', logIn)).body.data
  const ticketOf = async () => (await call(server.url, token, 'POST', '/users/stream-ticket', {})).body.data.ticket
  const [used, unused] = [await ticketOf(), await ticketOf()]
  const page = await openPage(`${server.url}/api/v1/users/stream/${used}`)
  page.close()
  expect((await call(server.url, admin, 'PATCH', `/users/${id}`, { password: 'the second password' })).status).toBe(200)
  for (const one of [used, unused, token]) {
    const answer = await fetch(`${server.url}/api/v1/users/stream/${one}`)
    const { error } = (await answer.json()) as { error: { code: string } }
    expect([answer.status, error.code]).toEqual([401, 'token-outdated'])
  }
})

test('[PROJECT-14] who asks for the head alone is answered at once, and opens no stream', async () => {
  const { ticket } = (await it.ask('eve', 'POST', '/users/stream-ticket', {})).body.data
  for (let n = 0; n < 60; n++) {
    const answer = await fetch(`${server.url}/api/v1/users/stream/${ticket}`, { method: 'HEAD' })
    expect(answer.status).toBe(405)
  }
  const page = await it.stream('eve')
  page.close()
})

test('[PROJECT-17] whatever a stream is refused with is described, in the shape that all refusals have', async () => {
  const description = (await call(server.url, '', 'GET', '/openapi.json')).body
  const { responses } = description.paths['/api/v1/users/stream/{token}'].get
  expect(Object.keys(responses)).toEqual(['200', '400', '401', '403', '429'])
  const other = description.paths['/api/v1/users/stream-ticket'].post.responses
  for (const status of [400, 401, 403, 429]) expect(responses[status]).toEqual(other[status])
  const visitor = await it.token('visitor', 'vic')
  for (const [address, status] of [
    ['nonsense?extra=1', 400],
    ['nonsense', 401],
    [visitor, 403],
  ] as const) {
    const answer = await fetch(`${server.url}/api/v1/users/stream/${address}`)
    const error = { code: expect.any(String), message: expect.any(String) }
    expect([answer.status, await answer.json()]).toEqual([status, { error }])
  }
})

test('[PROJECT-16] names and e-mail come from the token of whoever uses HTTP alone', async () => {
  const asWalt = await it.token('agent', 'walt', { username: 'Walter', email: 'walt@acme.example' })
  const me = await call(server.url, asWalt, 'GET', '/users/me')
  const project = await it.project('Bridge', 'owen')
  const page = await it.stream('owen')
  await it.ask('owen', 'POST', `/projects/${project}/participants`, { user_id: me.body.data.number })
  const { body } = await it.ask('owen', 'GET', `/projects/${project}`)
  expect(body.data.participants).toContainEqual(
    expect.objectContaining({ username: 'Walter', email: 'walt@acme.example' }),
  )
  const renamed = await it.token('agent', 'walt', { username: 'Wally', iat: Math.floor(Date.now() / 1000) + 1 })
  expect((await call(server.url, renamed, 'POST', `/projects/${project}/leave`)).status).toBe(200)
  expect((await page.message(/left the project/)).message).toContain('@Wally')
})

test('[PROJECT-12] a client that polls is told the same, by the same cursor', async () => {
  const project = await it.project('Bridge', 'owen', 'eve')
  const page = await it.stream('eve')
  const notices = async (after?: string) =>
    (await it.ask('eve', 'GET', `/notices?limit=100${after === undefined ? '' : `&after=${after}`}`)).body
  const { next } = await notices()
  for (const title of ['One', 'Two']) await it.ask('owen', 'PATCH', `/projects/${project}`, { title })
  await page.message(/new tilte 'Two'/)
  const polled = (await notices(next)).data.filter(({ event }: { event: string }) => event === 'action_project')
  expect(polled.map(({ data }: { data: { message: string } }) => data.message)).toEqual(
    page.told.map(({ message }) => message),
  )
  expect(polled.map(({ cursor }: { cursor: string }) => cursor)).toEqual(page.ids.slice(-2))
})
