import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHttp } from './server.ts'

let http: Awaited<ReturnType<typeof startHttp>>
beforeAll(async () => {
  http = await startHttp()
  http.app.get('/api/v1/broken', () => {
    throw new Error('the cable is cut')
  })
})
afterAll(() => http.close())

const ME = '/api/v1/users/me'

describe('tokens', () => {
  test('a request without a token is told how to bring one', async () => {
    const { status, body, headers } = await http.call('GET', ME)
    expect([status, body.error.code, headers.get('www-authenticate')]).toEqual([401, 'token-missing', 'Bearer'])
  })
  test('a bad token is 401 with the reason', async () => {
    expect(await http.call('GET', ME, { token: 'x.y.z' })).toMatchObject({
      status: 401,
      body: { error: { code: 'token-malformed' } },
    })
  })
  test('the word Bearer may be missing', async () => {
    const headers = { Authorization: await http.token('agent') }
    expect(await http.call('GET', ME, { headers })).toMatchObject({
      status: 200,
      body: { data: { id: 'somebody', role_id: 3 } },
    })
  })
  test('a provider that does not answer is 503, not the bearer’s fault', async () => {
    const foreign = await startHttp({ foreignKeys: true })
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'ES256', kid: 'k' })}.${part({ sub: 'a' })}.AAAA`
    expect(await foreign.call('GET', ME, { token })).toMatchObject({
      status: 503,
      body: { error: { code: 'keys-unavailable' } },
    })
    expect(await foreign.call('POST', '/api/v1/auth/visitor', { body: { org_id: 'acme' } })).toMatchObject({
      status: 404,
      body: { error: { code: 'tokens-issued-elsewhere' } },
    })
    await foreign.close()
  })
})

describe('errors', () => {
  test('an unknown path is 404 in the one shape', async () => {
    const { status, body } = await http.call('GET', '/nothing')
    expect([status, body]).toEqual([
      404,
      { error: { code: 'not-found', message: expect.stringContaining('openapi.json') } },
    ])
  })
  test('a body that is no JSON is told where it breaks', async () => {
    const { status, body } = await http.call('POST', '/api/v1/auth/login', { body: '{"email": ' })
    expect([status, body.error.code]).toEqual([400, 'malformed-json'])
    expect(body.error.message).toContain('Unexpected end')
  })
  test('a wrong field is named with what was expected', async () => {
    const { status, body } = await http.call('POST', '/api/v1/auth/visitor', { body: { org_id: 'a b' } })
    expect([status, body.error.message]).toEqual([400, 'org_id: must be 1 to 64 of the characters A-Z a-z 0-9 _ -'])
  })
  test('another content type is refused by its name', async () => {
    const { status, body } = await http.call('POST', '/api/v1/auth/login', {
      body: 'a=b',
      headers: { 'Content-Type': 'text/plain' },
    })
    expect([status, body.error.message]).toEqual([400, 'Content-Type must be application/json, got text/plain'])
  })
  test('a missing body is refused', async () => {
    expect(await http.call('POST', '/api/v1/auth/login')).toMatchObject({ status: 400 })
  })
  test('too large a body is 413', async () => {
    const body = { org_id: 'acme', name: 'x'.repeat(300_000) }
    expect(await http.call('POST', '/api/v1/auth/visitor', { body })).toMatchObject({
      status: 413,
      body: { error: { code: 'too-large' } },
    })
  })
  test('a bug is told as nothing more, and written down', async () => {
    const { status, body } = await http.call('GET', '/api/v1/broken', { token: await http.token('agent') })
    expect([status, body.error.code]).toEqual([503, 'internal'])
    expect(JSON.stringify(body)).not.toContain('cable')
    expect(http.lines.some((line) => line.includes('a request failed'))).toBe(true)
  })
})

describe('health', () => {
  test('a process that answers is alive', async () => {
    expect(await http.call('GET', '/livez')).toMatchObject({ status: 200, body: { data: { alive: true } } })
  })
  test('a node is ready when all its parts are', async () => {
    expect(await http.call('GET', '/readyz')).toMatchObject({ status: 200, body: { data: { log: true } } })
    http.ready.views = false
    expect(await http.call('GET', '/readyz')).toMatchObject({
      status: 503,
      body: { data: { log: true, views: false } },
    })
    delete http.ready.views
  })
})

test('the description names every route and needs no token', async () => {
  const { status, body } = await http.call('GET', '/api/v1/openapi.json')
  expect(status).toBe(200)
  expect(Object.keys(body.paths).sort()).toEqual([
    '/api/v1/auth/login',
    '/api/v1/auth/refresh',
    '/api/v1/auth/visitor',
    '/api/v1/users',
    '/api/v1/users/me',
    '/api/v1/users/{id}',
    '/api/v1/users/{id}/disable',
    '/api/v1/users/{id}/enable',
  ])
})

test('listed origins may call from a browser, others may not', async () => {
  const allowed = async (origin: string) =>
    (await http.call('GET', '/api/v1/openapi.json', { headers: { Origin: origin } })).headers
  expect((await allowed('https://app.example.org')).get('access-control-allow-origin')).toBe('https://app.example.org')
  expect((await allowed('https://evil.example.org')).get('access-control-allow-origin')).toBeNull()
})

test('a request line holds the pattern of the route and never a token, a query or a body', async () => {
  const token = await http.token('agent')
  await http.call('GET', '/api/v1/users/someone?auth=secret-in-query', { token })
  const line = http.lines.at(-1) ?? ''
  expect(JSON.parse(line)).toMatchObject({ method: 'GET', route: '/api/v1/users/:id', status: 400 })
  await http.call('POST', '/api/v1/auth/login', { body: { email: 'who@acme.test', password: 'secret-in-body' } })
  expect(JSON.parse(http.lines.at(-1) ?? '')).toMatchObject({ route: '/api/v1/auth/login', status: 401 })
  const all = http.lines.join('\n')
  for (const secret of [token, 'secret-in-query', 'secret-in-body', 'who@acme.test']) expect(all).not.toContain(secret)
})

test('an address that asks too often is told when to come back', async () => {
  const slow = await startHttp({ requests: { perSecond: 0.01, burst: 2 } })
  const answers = []
  for (let i = 0; i < 3; i++) answers.push(await slow.call('GET', '/api/v1/openapi.json'))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
  expect(Number(answers[2]?.headers.get('retry-after'))).toBeGreaterThan(50)
  expect(await slow.call('GET', '/livez')).toMatchObject({ status: 200 })
  await slow.close()
})

test('[DOOR-17] every 429 and 503 says when it is worth another try', async () => {
  const [slow, foreign] = [
    await startHttp({ requests: { perSecond: 0.01, burst: 1 } }),
    await startHttp({ foreignKeys: true }),
  ]
  const token = `${Buffer.from('{"alg":"ES256","kid":"k"}').toString('base64url')}.e30.AAAA`
  http.ready.views = false
  const answers = [
    await http.call('GET', '/api/v1/broken', { token: await http.token('agent') }),
    await http.call('GET', '/readyz'),
    await foreign.call('GET', ME, { token }),
    (await slow.call('GET', ME)) && (await slow.call('GET', ME)),
  ]
  delete http.ready.views
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 429])
  for (const { headers } of answers) expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
  await Promise.all([slow.close(), foreign.close()])
})

test('[DOOR-27] a description is written down once, however often it is asked for', async () => {
  let times = 0
  const described = await startHttp({ asyncApi: { toJSON: () => ({ times: ++times }) } })
  const ask = async (name: string) => (await described.call('GET', `/api/v1/${name}.json`)).body
  expect(await Promise.all(Array.from({ length: 5 }, () => ask('asyncapi')))).toEqual(Array(5).fill({ times: 1 }))
  const [one, other] = [await ask('openapi'), await ask('openapi')]
  expect(one).toEqual(other)
  expect(Object.keys(one.paths)).toContain('/api/v1/auth/login')
  await described.close()
})
