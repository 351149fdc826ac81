import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Refusal } from '../../machines/kernel.ts'
import { openDemo } from '../../src/contracts/accounts/demo.ts'
import { startHttp } from './server.ts'

let http: Awaited<ReturnType<typeof startHttp>>
beforeAll(async () => {
  http = await startHttp()
})
afterAll(() => http.close())

const login = (body: object) => http.call('POST', '/api/v1/auth/login', { body })

describe('visitors', () => {
  test('anybody becomes an anonymous visitor, each time another', async () => {
    const ask = () => http.call('POST', '/api/v1/auth/visitor', { body: { org_id: 'acme' } })
    const [one, other] = [await ask(), await ask()]
    expect(one).toMatchObject({ status: 200, body: { data: { expires_in: 86_400 } } })
    const claims = decodeJwt(one.body.data.access_token)
    expect(claims).toMatchObject({ org_id: 'acme', role: 'visitor', sub: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(claims.sub).not.toBe(decodeJwt(other.body.data.access_token).sub)
    expect((await http.call('GET', '/api/v1/users/me', { token: one.body.data.access_token })).body.data).toMatchObject(
      {
        is_anonymous: true,
      },
    )
  })
  test('a named visitor is known by the name', async () => {
    const { body } = await http.call('POST', '/api/v1/auth/visitor', {
      body: { org_id: 'acme', name: 'Vera', email: null },
    })
    const me = await http.call('GET', '/api/v1/users/me', { token: body.data.access_token })
    expect(me.body.data).toMatchObject({ name: 'Vera', email: null, is_anonymous: false, role: 'visitor' })
  })
  test('a school of 1,000 behind one address gets its tokens at once', async () => {
    const ask = async () => (await http.call('POST', '/api/v1/auth/visitor', { body: { org_id: 'school' } })).status
    const statuses = await Promise.all(Array.from({ length: 1000 }, ask))
    expect(statuses.filter((status) => status !== 200)).toEqual([])
  })
})

describe('logging in', () => {
  test('e-mail and password give a token of the account, however the e-mail is spelt', async () => {
    const id = await http.open('acme', 'ann@acme.test', 'correct horse')
    const { status, body, headers } = await login({ email: ' Ann@ACME.test', password: 'correct horse' })
    expect([status, body.data.expires_in, headers.get('cache-control')]).toEqual([200, 43_200, 'no-store'])
    expect(decodeJwt(body.data.access_token)).toMatchObject({
      sub: id,
      org_id: 'acme',
      role: 'agent',
      email: 'ann@acme.test',
    })
  })
  test('a wrong password, an unknown e-mail and a disabled account are answered alike', async () => {
    const id = await http.open('acme', 'gone@acme.test', 'correct horse')
    const by = { id: 'system', org: 'acme', role: 'system' } as const
    await http.entities.ask('person', `acme.${id}`, { type: 'Disable', id: String(id), by, at: Date.now() })
    const wrong = await login({ email: 'ann@acme.test', password: 'wrong' })
    expect([wrong.status, wrong.body.error.code]).toEqual([401, 'bad-credentials'])
    expect((await login({ email: 'nobody@acme.test', password: 'wrong' })).body).toEqual(wrong.body)
    expect((await login({ email: 'gone@acme.test', password: 'correct horse' })).body).toEqual(wrong.body)
  })
  test('one e-mail in two organisations with one password must say which', async () => {
    await http.open('north', 'two@both.test', 'correct horse')
    await http.open('south', 'two@both.test', 'correct horse')
    const both = { email: 'two@both.test', password: 'correct horse' }
    expect(await login(both)).toMatchObject({ status: 409, body: { error: { code: 'organisation-required' } } })
    const { body } = await login({ ...both, org_id: 'south' })
    expect(decodeJwt(body.data.access_token)).toMatchObject({ org_id: 'south' })
    expect(await login({ ...both, org_id: 'acme' })).toMatchObject({
      status: 401,
      body: { error: { code: 'bad-credentials' } },
    })
  })
  test('with two passwords the right one tells the organisation', async () => {
    await http.open('north', 'own@both.test', 'in the north')
    await http.open('south', 'own@both.test', 'in the south')
    const { body } = await login({ email: 'own@both.test', password: 'in the south' })
    expect(decodeJwt(body.data.access_token)).toMatchObject({ org_id: 'south' })
  })
  test(
    'a login that was written before a crash leads to nobody, and opening the account again completes ' + 'it',
    async () => {
      const by = { id: 'system', org: 'acme', role: 'system' } as const
      const { loginId, accountId } = await import('../../src/gateway/auth/account-ids.ts')
      const [email, password] = ['half@acme.test', 'correct horse']
      await http.entities.ask('login', loginId(email), {
        type: 'AddLogin',
        org: 'acme',
        person: accountId('acme', email),
        by,
        at: Date.now(),
      })
      expect(await login({ email, password })).toMatchObject({ status: 401 })
      await http.open('acme', email, password)
      expect(await login({ email, password })).toMatchObject({ status: 200 })
    },
  )
  test('[DOOR-20] of many guesses at once some are told to come again; who is right is heard', async () => {
    await http.open('acme', 'target@acme.test', 'correct horse')
    const right = { email: 'target@acme.test', password: 'correct horse' }
    const guess = (_: unknown, i: number) => login({ ...right, password: `guess ${i}` })
    const guesses = await Promise.all(Array.from({ length: 40 }, guess))
    const late = guesses.filter(({ status }) => status === 429)
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(40 - late.length)
    expect(late.length).toBeGreaterThan(0)
    expect(Number(late[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    const [answer] = await Promise.all([login(right), ...Array.from({ length: 10 }, guess)])
    expect(answer).toMatchObject({ status: 200 })
  })
  test('[DOOR-21] wrong passwords from one address keep nobody waiting who comes from another', async () => {
    const proxied = await startHttp({ trustProxy: { kind: 'hops', hops: 1 } })
    await proxied.open('acme', 'target@acme.test', 'correct horse')
    const from = (address: string, password: string) =>
      proxied.call('POST', '/api/v1/auth/login', {
        body: { email: 'target@acme.test', password },
        headers: { 'X-Forwarded-For': address },
      })
    const guesses = Array.from({ length: 60 }, () => from('192.0.2.1', 'wrong'))
    expect((await from('192.0.2.2', 'correct horse')).status).toBe(200)
    expect((await Promise.all(guesses)).map(({ status }) => status)).toContain(429)
    await proxied.close()
  })
  test('[DOOR-23] accounts of others with the same e-mail end no log-in, however many there are', async () => {
    for (let n = 0; n < 12; n++) await http.open(`foreign${n}`, 'mine@acme.test', `secret ${n}`)
    await http.open('home', 'mine@acme.test', 'correct horse')
    const { status, body } = await login({ email: 'mine@acme.test', password: 'correct horse' })
    expect([status, decodeJwt(body.data.access_token).org_id]).toEqual([200, 'home'])
    expect((await login({ email: 'mine@acme.test', password: 'wrong' })).body).toEqual(
      (await login({ email: 'nobody@acme.test', password: 'wrong' })).body,
    )
  })
})

describe('the first start', () => {
  test('opens the demo organisation on an empty log, once, with passwords that work', async () => {
    const fresh = await startHttp()
    const logins = await openDemo({ log: fresh.log, ...fresh.accounts })
    expect(logins.map(({ role }) => role)).toEqual(['admin', 'supervisor', 'agent', 'agent'])
    for (const { email, password } of logins) {
      expect(password).toMatch(/^([a-zA-Z2-9]{4}-){3}[a-zA-Z2-9]{4}$/)
      expect(await fresh.call('POST', '/api/v1/auth/login', { body: { email, password } })).toMatchObject({
        status: 200,
      })
    }
    expect(await openDemo({ log: fresh.log, ...fresh.accounts })).toEqual([])
    for await (const batch of fresh.log.readAll()) {
      const text = JSON.stringify(batch.map(({ event, meta }) => ({ event, meta })))
      for (const { password } of logins) expect(text).not.toContain(password)
    }
    await fresh.close()
  })
})

test('opening the same account twice is refused', async () => {
  await http.open('acme', 'once@acme.test', 'correct horse')
  expect(await http.open('acme', 'Once@acme.test', 'other horse')).toEqual(new Refusal('account-exists'))
})

test('[DOOR-24] an address brings so many new visitors; who was here before is never counted', async () => {
  const crowded = await startHttp({ newPeople: 2 })
  const ask = (body: object, token?: string) =>
    crowded.call('POST', '/api/v1/auth/visitor', {
      body: { org_id: 'acme', ...body },
      ...(token === undefined ? {} : { token }),
    })
  const [one] = [await ask({}), await ask({ visitor_secret: `visitor.${'x'.repeat(43)}` })]
  const late = await ask({})
  expect([late.status, late.body.error.code]).toEqual([429, 'too-many-requests'])
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
  const { access_token, visitor_secret } = one.body.data
  expect((await ask({}, access_token)).status, 'with a token').toBe(200)
  const { sub = '' } = decodeJwt(access_token)
  const by = { id: sub, org: 'acme', role: 'visitor' } as const
  const introduce = { type: 'Introduce', role: 'visitor', profile: {}, issuedAt: 0, by, at: Date.now() } as const
  await crowded.entities.ask('person', `acme.${sub}`, introduce)
  expect((await ask({ visitor_secret })).status, 'known by now').toBe(200)
  await crowded.close()
})
