import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '60000' } })
})
afterAll(async () => void (await server.stop()))

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are JSON of many shapes
  readonly body: any
}
async function call(token: string | null, method: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { ...(token === null ? {} : { Authorization: `Bearer ${token}` }), 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: answer.status, body: await answer.json() }
}
const day = 24 * 3600
const ago = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds

test(
  '[RENEW-1] a token that is still valid is traded for a new one of the same person, as often as ' + 'they like',
  async () => {
    const token = await tokenFor('agent', 'ann', 'acme', { name: 'Ann' }, 60)
    const first = await call(token, 'POST', '/auth/refresh')
    expect(first).toMatchObject({ status: 200, body: { data: { expires_in: 12 * 3600 } } })
    const second = await call(first.body.data.access_token, 'POST', '/auth/refresh')
    const [was, is] = [decodeJwt(token), decodeJwt(second.body.data.access_token)]
    expect(is).toMatchObject({ sub: 'ann', org_id: 'acme', role: 'agent', name: 'Ann', auth_time: was.iat })
    expect(is.exp).toBeGreaterThan(was.exp ?? 0)
    expect((await call(null, 'POST', '/auth/refresh')).status).toBe(401)
  },
)

test('[RENEW-2] thirty days after the log-in it is over, however often it was renewed', async () => {
  const nearly = await tokenFor('agent', 'ann', 'acme', { auth_time: ago(30 * day - 600) })
  const { body } = await call(nearly, 'POST', '/auth/refresh')
  expect(body.data.expires_in).toBeGreaterThan(500)
  expect(body.data.expires_in).toBeLessThanOrEqual(600)
  const over = await tokenFor('agent', 'ann', 'acme', { auth_time: ago(30 * day + 1) })
  expect(await call(over, 'POST', '/auth/refresh')).toMatchObject({
    status: 401,
    body: { error: { code: 'log-in-again' } },
  })
})

/** An account of its own, and its token. */
async function account(name: string) {
  const admin = await tokenFor('admin', 'ada', 'acme')
  const email = `${name}@acme.example`
  const made = await call(admin, 'POST', '/users', { email, password: 'the first password', role: 'agent' })
  const logIn = (password: string) => call(null, 'POST', '/auth/login', { email, password, org_id: 'acme' })
  const { access_token: token } = (await logIn('the first password')).body.data
  return { admin, id: made.body.data.id as string, logIn, token: token as string }
}

test('[RENEW-3] a changed password ends older tokens everywhere at once, and the new one opens', async () => {
  const { id, logIn, token } = await account('pat')
  const client = await connect(server.url, { auth: { token }, reconnection: true, reconnectionDelay: 10 })
  onTestFinished(() => client.close())
  const refused = new Promise<unknown>((heard) =>
    client.socket.once('connect_error', (error) => heard((error as { data?: unknown }).data)),
  )
  const { body } = await call(token, 'POST', '/auth/refresh')
  const change = { password: 'the second password', current_password: 'the first password' }
  expect((await call(token, 'PATCH', `/users/${id}`, change)).status).toBe(200)
  expect(await client.told('error')).toEqual({ message: expect.stringContaining('password was changed') })
  expect(await refused).toMatchObject({ code: 401 })
  for (const old of [token, body.data.access_token]) {
    expect(await call(old, 'GET', '/users/me')).toMatchObject({
      status: 401,
      body: { error: { code: 'token-outdated' } },
    })
    expect((await call(old, 'POST', '/auth/refresh')).status).toBe(401)
  }
  expect((await logIn('the first password')).status).toBe(401)
  const { access_token: fresh } = (await logIn('the second password')).body.data // in the very same second
  expect((await call(fresh, 'GET', '/users/me')).status).toBe(200)
  const again = await connect(server.url, { auth: { token: fresh } })
  onTestFinished(() => again.close())
  expect((await call(fresh, 'POST', '/auth/refresh')).status).toBe(200)
})

test('[RENEW-4] a disabled person gets no new token', async () => {
  const { admin, id, token } = await account('dis')
  await call(admin, 'POST', `/users/${id}/disable`)
  expect((await call(token, 'POST', '/auth/refresh')).status).toBe(401)
})

test('[RENEW-4] nor does a disabled visitor, by their secret or by their token', async () => {
  const admin = await tokenFor('admin', 'adm')
  const visit = (body: object, token: string | null = null) =>
    call(token, 'POST', '/auth/visitor', { org_id: 'acme', ...body })
  const { visitor_secret, access_token } = (await visit({ name: 'Vi' })).body.data
  const client = await connect(server.url, { auth: { token: access_token } })
  client.close()
  const { sub } = decodeJwt(access_token)
  expect((await call(admin, 'POST', `/users/${sub}/disable`)).status).toBeLessThan(300)
  expect((await visit({ visitor_secret })).status).toBe(401)
  expect((await visit({}, access_token)).status).toBe(401)
})

test('[VISIT-1] a visitor who comes again without a name is called as before', async () => {
  const visit = (body: object, token: string | null = null) =>
    call(token, 'POST', '/auth/visitor', { org_id: 'acme', ...body })
  const first = await visit({ name: 'Mia', email: 'mia@example.org' })
  const come = async ({ body }: Answer) => {
    const client = await connect(server.url, { auth: { token: body.data.access_token } })
    onTestFinished(() => client.close())
    return (await client.told('visitor_init')).user
  }
  const user = await come(first)
  expect(user).toMatchObject({ name: 'Mia', is_anonymous: false })
  const { visitor_secret, access_token } = first.body.data
  expect(await come(await visit({ visitor_secret }))).toEqual(user)
  expect(await come(await visit({}, access_token))).toEqual(user)
})

test(
  '[VISIT-1] a visitor_secret makes the same visitor again, also when the token has expired, and ' + 'nobody else',
  async () => {
    const visit = (body: object, token: string | null = null) =>
      call(token, 'POST', '/auth/visitor', { org_id: 'acme', ...body })
    const sub = ({ body }: Answer) => decodeJwt(body.data.access_token).sub
    const first = await visit({ name: 'Mia' })
    const { visitor_secret, access_token } = first.body.data
    expect(visitor_secret).toMatch(/^visitor\./)
    const again = await visit({ name: 'Mia', visitor_secret })
    expect(sub(again)).toBe(sub(first))
    expect(again.body.data.visitor_secret).toBe(visitor_secret)
    expect(sub(await visit({}, access_token)), 'the token that is still valid does so, too').toBe(sub(first))
    expect(sub(await visit({}))).not.toBe(sub(first))
    expect(sub(await visit({ org_id: 'other', visitor_secret }))).not.toBe(sub(first))
    expect((await visit({ visitor_secret: 'visitor.guess' })).status).toBe(400)
    expect((await visit({ org_id: 'other' }, access_token)).status).toBe(409)
    expect((await visit({}, 'nonsense')).status).toBe(401)
  },
)
