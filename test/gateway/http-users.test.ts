import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PATIENCE_MS } from '../support/patience.ts'
import { startHttp } from './server.ts'

let http: Awaited<ReturnType<typeof startHttp>>
let admin = ''
beforeAll(async () => {
  http = await startHttp()
  await http.open('acme', 'boss@acme.test', 'correct horse', 'admin')
  admin = await tokenOf('boss@acme.test', 'correct horse')
})
afterAll(() => http.close())

const USERS = '/api/v1/users'
const ann = { email: 'Ann@acme.test', password: 'correct horse', full_name: 'Ann Archer', role: 'agent' }
const create = (body: object, headers = {}, token = admin) => http.call('POST', USERS, { token, body, headers })

async function tokenOf(email: string, password: string): Promise<string> {
  const { body } = await http.call('POST', '/api/v1/auth/login', { body: { email, password } })
  return body.data.access_token
}

describe('opening accounts', () => {
  test('an admin opens an account, who is then listed and logs in', async () => {
    const { status, body } = await create(ann)
    expect([status, body.data]).toEqual([
      201,
      {
        email: 'ann@acme.test',
        created_at: expect.any(Number),
        full_name: 'Ann Archer',
        updated_at: null,
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        display_name: null,
        organisation_id: 'acme',
        disabled: false,
        number: 2 ** 31,
        role_id: 3,
        role: 'agent',
      },
    ])
    expect((await http.call('GET', `${USERS}/${body.data.id}`, { token: admin })).body.data).toEqual(body.data)
    expect(
      (await http.call('GET', `${USERS}/me`, { token: await tokenOf(ann.email, ann.password) })).body.data,
    ).toEqual(body.data)
    expect((await http.call('GET', USERS, { token: admin })).body.data).toContainEqual(body.data)
  })
  test('the same e-mail again is a conflict', async () => {
    expect(await create(ann)).toMatchObject({ status: 409, body: { error: { code: 'account-exists' } } })
  })
  test('[HTTP-9] a repeat with the same key is the first answer, another request with it is refused', async () => {
    const key = { 'Idempotency-Key': 'k1' }
    const bo = { ...ann, email: 'bo@acme.test' }
    const first = await create(bo, key)
    expect(await create(bo, key)).toMatchObject({ status: 201, body: first.body })
    expect(await create({ ...bo, password: 'another horse' }, key)).toMatchObject({
      status: 409,
      body: { error: { code: 'client-id-reused' } },
    })
    const other = await create({ ...bo, email: 'bo2@acme.test' }, key)
    expect([other.status, other.body.error.code]).toEqual([409, 'client-id-reused'])
    expect(await create(bo, { 'Idempotency-Key': 'x'.repeat(129) })).toMatchObject({ status: 400 })
  })
  test('[HTTP-10] the key of a refused request may name another one', async () => {
    const key = { 'Idempotency-Key': 'second thoughts' }
    expect(await create({ ...ann, email: 'gus@acme.test', org_id: 'other' }, key)).toMatchObject({ status: 403 })
    expect(await create({ ...ann, email: 'gus@acme.test' }, key)).toMatchObject({ status: 201 })
  })
  test('only admins open accounts', async () => {
    for (const role of ['supervisor', 'agent', 'teacher', 'student', 'visitor'] as const) {
      const refused = await create({ ...ann, email: 'x@acme.test' }, {}, await http.token(role))
      expect([refused.status, refused.body.error.code], role).toEqual([403, 'admin-only'])
    }
  })
  test.each([
    ['email', { email: 'no address' }],
    ['password', { password: 'short' }],
    ['role', { role: 'visitor' }],
    ['full_name', { full_name: '' }],
  ])('a wrong %s is named and nothing is recorded', async (name, wrong) => {
    const { status, body } = await create({ ...ann, email: 'wrong@acme.test', ...wrong })
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(name)])
    expect(await create({ ...ann, email: `${name.replace(/\W/g, '')}@acme.test` })).toMatchObject({ status: 201 })
  })
})

test('accounts are opened in the own organisation, named or not', async () => {
  expect(await create({ ...ann, email: 'own@acme.test', org_id: 'acme' })).toMatchObject({ status: 201 })
  expect(await create({ ...ann, email: 'other@acme.test', org_id: 'other' })).toMatchObject({ status: 403 })
})

describe('changing', () => {
  test('an admin changes names and the password of others', async () => {
    const { body } = await create({ ...ann, email: 'cy@acme.test' })
    const path = `${USERS}/${body.data.id}`
    const changed = await http.call('PATCH', path, {
      token: admin,
      body: { display_name: 'Cy', password: 'another horse' },
    })
    expect(changed).toMatchObject({ status: 200, body: { data: { full_name: 'Ann Archer', display_name: 'Cy' } } })
    expect(await tokenOf('cy@acme.test', 'another horse')).toEqual(expect.any(String))
    expect(
      (await http.call('PATCH', path, { token: admin, body: { display_name: null } })).body.data.display_name,
    ).toBeNull()
  })
  test('one changes one’s own password with the current one only', async () => {
    const { body } = await create({ ...ann, email: 'di@acme.test' })
    const token = await tokenOf('di@acme.test', ann.password)
    const change = (sent: object, headers = {}) =>
      http.call('PATCH', `${USERS}/${body.data.id}`, { token, body: sent, headers })
    expect(await change({ password: 'another horse' })).toMatchObject({
      status: 400,
      body: { error: { code: 'current-password-required' } },
    })
    expect(await change({ password: 'another horse', current_password: 'wrong' })).toMatchObject({ status: 401 })
    const right = { password: 'another horse', current_password: ann.password }
    expect(await change(right, { 'Idempotency-Key': 'p1' })).toMatchObject({ status: 200 })
    // Its token ended with the password that it was got with: asking again says so.
    expect(await change(right, { 'Idempotency-Key': 'p1' })).toMatchObject({ status: 401 })
    expect(await tokenOf('di@acme.test', 'another horse')).toEqual(expect.any(String))
  })
  test('nobody but an admin changes others, or who is disabled', async () => {
    const { body } = await create({ ...ann, email: 'ed@acme.test' })
    const token = await tokenOf('ed@acme.test', ann.password)
    expect(await http.call('PATCH', `${USERS}/${body.data.id}`, { token, body: { full_name: 'Ed' } })).toMatchObject({
      status: 200,
    })
    expect(await http.call('PATCH', `${USERS}/${body.data.id}`, { token, body: { disabled: false } })).toMatchObject({
      status: 403,
    })
    const other = await http.token('supervisor')
    expect(
      await http.call('PATCH', `${USERS}/${body.data.id}`, { token: other, body: { full_name: 'No' } }),
    ).toMatchObject({ status: 403 })
  })
})

describe('disabling', () => {
  test('a disabled person’s token is no longer taken, until enabled again', async () => {
    const { body } = await create({ ...ann, email: 'flo@acme.test' })
    const token = await tokenOf('flo@acme.test', ann.password)
    const me = () => http.call('GET', `${USERS}/me`, { token })
    expect(await me()).toMatchObject({ status: 200 })
    expect(await http.call('POST', `${USERS}/${body.data.id}/disable`, { token: admin })).toMatchObject({
      body: { data: { disabled: true } },
    })
    expect(await me()).toMatchObject({ status: 401, body: { error: { code: 'account-disabled' } } })
    expect(await http.call('POST', `${USERS}/${body.data.id}/enable`, { token: admin })).toMatchObject({
      body: { data: { disabled: false } },
    })
    expect(await me()).toMatchObject({ status: 200 })
  })
  test('[HTTP-10] a refused request does not use its key up: asked again it is done, and named by it', async () => {
    const path = `${USERS}/late/enable`
    const call = (at: string) => http.call('POST', at, { token: admin, headers: { 'Idempotency-Key': 'late' } })
    const disabled = async () => (await http.call('GET', `${USERS}/late`, { token: admin })).body.data?.disabled
    expect(await call(path)).toMatchObject({ status: 404 })
    await http.entities.ask('person', 'acme.late', {
      type: 'Introduce',
      role: 'agent',
      profile: { full_name: 'Late' },
      issuedAt: 1,
      by: { id: 'late', org: 'acme', role: 'agent' },
      at: Date.now(),
    })
    await http.call('POST', `${USERS}/late/disable`, { token: admin })
    expect(await disabled()).toBe(true)
    expect(await call(path)).toMatchObject({ status: 200, body: { data: { disabled: false } } })
    expect(await disabled()).toBe(false)
    expect(await call(`${USERS}/late/disable`)).toMatchObject({
      status: 409,
      body: { error: { code: 'client-id-reused' } },
    })
  })
  test('an admin cannot lock oneself out', async () => {
    const { body } = await http.call('GET', `${USERS}/me`, { token: admin })
    const refused = await http.call('PATCH', `${USERS}/${body.data.id}`, { token: admin, body: { disabled: true } })
    expect([refused.status, refused.body.error.code]).toEqual([403, 'not-oneself'])
  })
})

test('[DOOR-25] whoever was never seen is shut out by their id, and comes in again when enabled', async () => {
  const token = await http.token('teacher', 'acme', 'http-only')
  const read = () => http.call('GET', `${USERS}/http-only`, { token })
  expect(await read(), 'comes over HTTP, and nothing is recorded of them').toMatchObject({ status: 404 })
  expect(await http.call('POST', `${USERS}/http-only/disable`, { token: admin })).toMatchObject({
    status: 200,
    body: { data: { id: 'http-only', disabled: true } },
  })
  expect(await read()).toMatchObject({ status: 401, body: { error: { code: 'account-disabled' } } })
  await http.call('PATCH', `${USERS}/http-only`, { token: admin, body: { disabled: false } })
  expect(await http.call('GET', `${USERS}/me`, { token })).toMatchObject({
    status: 200,
    body: { data: { role: 'teacher' } },
  })
})

test('[DOOR-26] a token from further ahead than 60 s is refused over HTTP, so its names last no longer', async () => {
  const sign = async (ahead: number, full_name: string) => {
    const iat = Math.floor(Date.now() / 1000) + ahead
    return new SignJWT({ org_id: 'acme', role: 'agent', full_name, iat, exp: iat + 600, sub: 'ahead' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('lyceum')
      .setAudience('lyceum')
      .sign(new TextEncoder().encode('s'.repeat(32)))
  }
  const me = async (token: string) => http.call('GET', `${USERS}/me`, { token })
  expect(await me(await sign(90, 'For ever'))).toMatchObject({ status: 401, body: { error: { code: 'token-early' } } })
  expect(await me(await sign(50, 'A little ahead'))).toMatchObject({ status: 200 })
  const now = await sign(1, 'Now')
  await expect.poll(async () => (await me(now)).body.data.full_name, { timeout: PATIENCE_MS }).toBe('Now')
})

describe('walls', () => {
  test('a person of another organisation is answered exactly like one who does not exist', async () => {
    const id = await http.open('other', 'secret@other.test', 'correct horse')
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { full_name: 'X' }],
      ['PATCH', '', { password: 'another horse' }],
      ['POST', '/enable', undefined],
    ] as const) {
      const there = await http.call(method, `${USERS}/${id}${path}`, { token: admin, body })
      const nowhere = await http.call(method, `${USERS}/nobody${path}`, { token: admin, body })
      expect([there.status, there.body], `${method} ${path}`).toEqual([404, nowhere.body])
    }
  })
  test('who is disabled in one organisation is nothing to another, where the same id may be somebody', async () => {
    const id = await http.open('other', 'both@other.test', 'correct horse')
    const there = await http.call('POST', `${USERS}/${id}/disable`, { token: admin })
    const nowhere = await http.call('POST', `${USERS}/nobody/disable`, { token: admin })
    const shown = ({ status, body }: typeof there) => [status, { ...body.data, id: '', created_at: 0 }]
    expect(shown(there)).toEqual(shown(nowhere))
    const token = await http.token('agent', 'other', String(id))
    expect(await http.call('GET', `${USERS}/me`, { token })).toMatchObject({ status: 200 })
  })
  test('an e-mail that another organisation has can be used without noticing', async () => {
    expect(await create({ ...ann, email: 'secret@other.test' })).toMatchObject({ status: 201 })
  })
  test('the list holds the own organisation only, page by page', async () => {
    const names = []
    let after = ''
    for (;;) {
      const { body } = await http.call('GET', `${USERS}?limit=3${after}`, { token: await http.token('agent') })
      expect(body.data.length).toBeLessThanOrEqual(3)
      for (const user of body.data) names.push(`${user.organisation_id}/${user.id}`)
      if (body.next === undefined) break
      after = `&after=${body.next}`
    }
    expect(names.length).toBeGreaterThan(3)
    expect(new Set(names).size).toBe(names.length)
    expect(names.every((name) => name.startsWith('acme/'))).toBe(true)
  })
  test('only staff see others', async () => {
    const token = await http.token('visitor', 'acme', 'v1')
    expect(await http.call('GET', USERS, { token })).toMatchObject({
      status: 403,
      body: { error: { code: 'staff-only' } },
    })
    expect(await http.call('GET', `${USERS}/somebody`, { token })).toMatchObject({ status: 403 })
    expect(await http.call('GET', `${USERS}?limit=0`, { token: admin })).toMatchObject({ status: 400 })
  })
})

test('no password, not even its hash, ever leaves', async () => {
  const { body } = await http.call('GET', `${USERS}?limit=200`, { token: admin })
  expect(JSON.stringify(body)).not.toMatch(/argon2|passwordHash/)
})
