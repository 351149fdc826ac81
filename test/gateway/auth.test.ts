import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AuthFailure, authenticator } from '../../src/gateway/auth/authenticator.ts'
import { openKeys } from '../../src/gateway/auth/keys.ts'
import { tokenFrom } from '../../src/gateway/auth/tokens.ts'

const SECRET = 's'.repeat(32)
const start = 1_700_000_000_000
let at = start
const now = () => at
const iat = start / 1000
const lyceum = { issuer: 'lyceum', audience: 'lyceum', now }
const ann = { id: 'ann', org: 'acme', role: 'agent', profile: { email: 'ann@acme.test', full_name: 'Ann' } } as const
const claims = { sub: 'ann', org_id: 'acme', role: 'agent', iss: 'lyceum', aud: 'lyceum', iat, exp: iat + 60 }

const own = authenticator({ ...lyceum, keys: await openKeys({ kind: 'secret', secret: SECRET }) })
const hs256 = (payload: JWTPayload, secret = SECRET, alg = 'HS256') =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))

describe('tokens of our own secret', () => {
  test('what is signed is what is read back', async () => {
    expect(await own.verify((await own.sign?.(ann, 60)) ?? null)).toEqual({
      ...ann,
      ...{ iat, exp: iat + 60, loggedInAt: iat, profileAt: iat },
    })
  })
  test('[CONN-14] clocks that are a little ahead are let in; what is too early says which claim it is', async () => {
    at = start
    const verify = async (more: JWTPayload) => own.verify(await hs256({ ...claims, exp: iat + 600, ...more }))
    expect(await verify({ nbf: iat + 5, iat: iat + 5 })).not.toBeInstanceOf(AuthFailure)
    expect(await verify({ nbf: iat + 7 })).toMatchObject({
      code: 'token-early',
      message: expect.stringContaining('"nbf"'),
    })
    expect(await verify({ iat: iat + 30 })).not.toBeInstanceOf(AuthFailure)
    expect(await verify({ iat: iat + 62 })).toMatchObject({
      code: 'token-early',
      message: expect.stringContaining('"iat"'),
    })
  })
  test('a token is good until its last second and not after', async () => {
    const token = await hs256(claims)
    at = start + 59_999
    expect(await own.verify(token)).not.toBeInstanceOf(AuthFailure)
    at = start + 60_000
    expect(await own.verify(token)).toEqual(new AuthFailure('token-expired', 'token expired'))
    at = start
  })
  test('empty and null texts of a provider count as nothing', async () => {
    expect(await own.verify(await hs256({ ...claims, email: null, display_name: '', name: 'A' }))).toMatchObject({
      profile: { name: 'A' },
    })
  })
  test('a missing token is told how to come', async () => {
    expect(await own.verify(null)).toMatchObject({ code: 'token-missing', message: expect.stringContaining('Bearer') })
  })
  test.each(['x', 'a.b.c', '', 'ey.ey.', '\u0000', `${'a'.repeat(9000)}.b.c`])(
    '%j is malformed, nothing worse',
    async (token) => {
      expect(await own.verify(token)).toMatchObject({ code: 'token-malformed' })
    },
  )
  test('a token of another secret is not ours', async () => {
    expect(await own.verify(await hs256(claims, 'x'.repeat(32)))).toMatchObject({ code: 'token-not-ours' })
  })
  test('a stronger HMAC than HS256 is not taken either', async () => {
    expect(await own.verify(await hs256(claims, SECRET.repeat(2), 'HS512'))).toMatchObject({ code: 'token-not-ours' })
  })
  test('an unsigned token is not taken', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    expect(await own.verify(`${part({ alg: 'none' })}.${part(claims)}.`)).toBeInstanceOf(AuthFailure)
  })
  test.each([
    ['another algorithm', { alg: 'none' }],
    ['a stronger algorithm', { alg: 'HS512' }],
    ['an extension that must be understood', { alg: 'HS256', crit: ['odd'], odd: 1 }],
    ['no algorithm', {}],
  ])('a header that names %s is not taken, even signed with our secret', async (_, header) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part(header)}.${part(claims)}`
    const signature = createHmac('sha256', SECRET).update(signed).digest('base64url')
    expect(await own.verify(`${signed}.${signature}`)).toBeInstanceOf(AuthFailure)
  })
  test('a signature with one character changed, missing or too many is not taken', async () => {
    const token = await hs256(claims)
    const end = token.lastIndexOf('.') + 1
    const other = `${token.slice(0, end)}${token[end] === 'A' ? 'B' : 'A'}${token.slice(end + 1)}`
    for (const wrong of [other, token.slice(0, -1), `${token}AAAA`, token.slice(0, end)]) {
      expect(await own.verify(wrong)).toBeInstanceOf(AuthFailure)
    }
  })
  test('a payload that is no JSON object is malformed, even signed with our secret', async () => {
    for (const text of ['[]', '7', 'x', '']) {
      const [head, body] = ['{"alg":"HS256"}', text].map((part) => Buffer.from(part).toString('base64url'))
      const signed = `${head}.${body}`
      const signature = createHmac('sha256', SECRET).update(signed).digest('base64url')
      expect(await own.verify(`${signed}.${signature}`)).toMatchObject({ code: 'token-malformed' })
    }
  })
  test.each([
    ['sub', { sub: 'a.b' }, '"sub" must be 1 to 64 of the characters A-Z a-z 0-9 _ -, got "a.b"'],
    ['sub', { sub: undefined }, '"sub" must be'],
    ['org_id', { org_id: '' }, '"org_id" must be'],
    ['role', { role: 'boss' }, 'one of visitor, agent, supervisor, admin, teacher, student, got "boss"'],
    ['exp', { exp: undefined }, '"exp" must be a number of seconds since 1970, got nothing'],
    ['iat', { iat: undefined }, '"iat" must be a number of seconds since 1970, got nothing'],
    ['iss', { iss: 'other' }, '"iss" is not the one'],
    ['aud', { aud: undefined }, '"aud" is missing'],
    ['name', { name: 7 }, '"name" must be a text of at most 320 characters, got 7'],
    ['name', { name: 'x'.repeat(321) }, '"name" must be'],
  ])('a wrong claim %s is named', async (_, wrong, sentence) => {
    expect(await own.verify(await hs256({ ...claims, ...wrong } as JWTPayload))).toMatchObject({
      code: 'token-claims',
      message: expect.stringContaining(sentence),
    })
  })
  test('claims that verify would refuse are not signed', async () => {
    await expect(own.sign?.({ ...ann, org: 'a b' }, 60)).rejects.toThrow('"org_id" must be')
  })
})

describe('tokens of an identity provider', async () => {
  const good = await generateKeyPair('ES256')
  const other = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(good.publicKey)), kid: 'k1', alg: 'ES256' }
  const provider = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })),
  )
  beforeAll(() => new Promise<void>((resolve) => void provider.listen(0, '127.0.0.1', resolve)))
  afterAll(() => new Promise<void>((resolve) => void provider.close(() => resolve())))
  const trusting = async () => {
    const { port } = provider.address() as AddressInfo // listens on TCP
    return authenticator({ ...lyceum, keys: await openKeys({ kind: 'jwks', url: `http://127.0.0.1:${port}/jwks` }) })
  }
  const es256 = (key = good.privateKey, kid = 'k1') =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(key)

  test('are taken when its key signed them', async () => {
    expect(await (await trusting()).verify(await es256())).toMatchObject({ id: 'ann', org: 'acme' })
  })
  test('are refused when another key did', async () => {
    expect(await (await trusting()).verify(await es256(other.privateKey))).toMatchObject({ code: 'token-not-ours' })
    expect(await (await trusting()).verify(await es256(good.privateKey, 'k2'))).toMatchObject({
      code: 'token-not-ours',
    })
  })
  test('are never checked as HMAC with the public key', async () => {
    const forged = await hs256(claims, JSON.stringify(jwk))
    expect(await (await trusting()).verify(forged)).toMatchObject({ code: 'token-not-ours' })
  })
  test('cannot be signed here', async () => {
    expect((await trusting()).sign).toBeNull()
  })
  test('a provider that does not answer is told apart from a bad token', async () => {
    const nowhere = authenticator({ ...lyceum, keys: await openKeys({ kind: 'jwks', url: 'http://127.0.0.1:1/jwks' }) })
    expect(await nowhere.verify(await es256())).toMatchObject({ code: 'keys-unavailable' })
    expect(await nowhere.verify('x')).toMatchObject({ code: 'token-malformed' })
  })
})

test.each([
  ['abc', 'abc'],
  ['Bearer abc', 'abc'],
  ['bearer  abc ', 'abc'],
  ['Bearer', null],
  ['', null],
  [undefined, null],
])('the header %j carries the token %j', (header, token) => {
  expect(tokenFrom(header)).toBe(token)
})
