import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { AuthFailure, authenticator } from '../../src/gateway/auth/authenticator.ts'
import { openKeys } from '../../src/gateway/auth/keys.ts'
import { type Line, openLine } from '../support/line.ts'
import { slowly } from '../support/slowness.ts'

/** From the end of a fault until all is right. */
const RIGHT_MS = slowly(20_000)

const keyOf = async (kid: string) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const token = await new SignJWT({ org_id: 'acme', role: 'visitor', name: 'Vera' })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setSubject('vera')
    .setIssuer('lyceum')
    .setAudience('lyceum')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
  return { token, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } }
}
type Key = Awaited<ReturnType<typeof keyOf>>
const [old, next, other, renamed] = await Promise.all(
  ['old', 'next', 'other', 'old'].map(keyOf) as [Promise<Key>, Promise<Key>, Promise<Key>, Promise<Key>],
)

interface Provider {
  keys: readonly Key[]
  answer: RequestListener | null
  readonly line: Line
}

const giving =
  (text: string, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'Content-Type': 'application/json', Location: '/' }).end(text)

/** What a token of a key that is known is answered meanwhile, and one of a key that was made meanwhile. */
type Meanwhile = readonly [known: string, made: string]
const AS_BEFORE: Meanwhile = ['in', 'keys-unavailable']

/** Each begins the fault. By its end the provider has one key more. */
const FAULTS: Readonly<Record<string, readonly [begin: (provider: Provider) => void, Meanwhile]>> = {
  'refuses connections': [({ line }) => line.down(), AS_BEFORE],
  'is silent': [({ line }) => line.freeze(), AS_BEFORE],
  'takes longer than anybody waits': [(it) => (it.answer = () => {}), AS_BEFORE],
  'answers 500': [(it) => (it.answer = giving('{}', 500)), AS_BEFORE],
  'leads elsewhere': [(it) => (it.answer = giving('{}', 302)), AS_BEFORE],
  'answers a page': [(it) => (it.answer = giving('<html>')), AS_BEFORE],
  'answers no keys': [(it) => (it.answer = giving('{"keys":[]}')), AS_BEFORE],
  'answers keys that are none': [
    (it) => (it.answer = giving('{"keys":[{"kty":"EC","kid":"old"},{"kty":"?"}]}')),
    AS_BEFORE,
  ],
  'answers without end': [
    (it) => {
      it.answer = (_, response) => {
        const more = (): void =>
          void (response.destroyed || response.write(' '.repeat(65_536), () => setImmediate(more)))
        more()
      }
    },
    AS_BEFORE,
  ],
  'answers the keys of somebody else': [(it) => (it.keys = [other]), ['token-not-ours', 'token-not-ours']],
}

interface World extends Provider {
  /** `in`, or why not. */
  enter(token: string): Promise<string>
  end(): void
}

async function world(onTestFinished: (work: () => Promise<void>) => void): Promise<World> {
  const server = createServer((request, response) => {
    const right = giving(JSON.stringify({ keys: it.keys.map(({ jwk }) => jwk) }))
    ;(it.answer ?? right)(request, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const line = await openLine(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const keys = await openKeys({ kind: 'jwks', url: `${line.url}/keys` })
  if (keys.kind !== 'provider') throw new Error('these are no keys of a provider')
  onTestFinished(async () => {
    keys.provider.stop()
    server.closeAllConnections()
    server.close()
    await line.close()
  })
  const auth = authenticator({ keys, issuer: 'lyceum', audience: 'lyceum', now: systemClock.now })
  const it: World = {
    ...{ keys: [old], answer: null, line },
    async enter(token) {
      const found = await auth.verify(token)
      return found instanceof AuthFailure ? found.code : 'in'
    },
    end() {
      it.answer = null
      it.keys = [old, next]
      line.mend()
    },
  }
  return it
}

// `for` hands over the test's own tools, without which tests at once would end each other's servers.
const faults = Object.entries(FAULTS)
test.concurrent.for(faults)(
  '[KEYS-4] a provider that %s: known keys count, nobody is told a wrong no for good, and all is right again',
  { timeout: 3 * RIGHT_MS },
  async ([, [begin, meanwhile]], { expect, onTestFinished }) => {
    const it = await world(onTestFinished)
    expect(await it.enter(old.token)).toBe('in')
    begin(it)
    expect(await it.enter(next.token)).toBe(meanwhile[1])
    expect(await it.enter(old.token)).toBe(meanwhile[0])
    it.end()
    for (const { token } of [old, next]) await expect.poll(() => it.enter(token), { timeout: RIGHT_MS }).toBe('in')
  },
)

test.concurrent.for(faults)(
  '[KEYS-4] a provider that %s at the start: nobody is in, and whoever comes when it is over is',
  { timeout: 3 * RIGHT_MS },
  async ([, [begin, [, made]]], { expect, onTestFinished }) => {
    const it = await world(onTestFinished)
    begin(it)
    expect(await it.enter(old.token)).toBe(made)
    it.end()
    await expect.poll(() => it.enter(old.token), { timeout: RIGHT_MS }).toBe('in')
  },
)

test.concurrent('[KEYS-1] a key that was exchanged under its name is found at once, too', async (context) => {
  const it = await world(context.onTestFinished)
  context.expect(await it.enter(old.token)).toBe('in')
  it.keys = [renamed]
  context.expect(await it.enter(renamed.token)).toBe('in')
  context.expect(await it.enter(old.token)).toBe('token-not-ours')
})
