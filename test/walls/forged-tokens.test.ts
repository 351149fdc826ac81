import { afterAll, beforeAll, expect, test } from 'vitest'
import { rawWebSocket } from '../attacks/raw.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { FORGED } from './forged.ts'
import { wire } from './wire.ts'

let server: TestServer
let http: ReturnType<typeof wire>
let good: string
let bob: string
beforeAll(async () => {
  server = await startServer()
  http = wire(server.url, 16)
  good = await tokenFor('student', 'ann', 'acme')
  bob = await tokenFor('admin', 'bob', 'acme')
})
afterAll(async () => {
  http.close()
  await server.stop()
})

const bearer = (token: string): object => ({ Authorization: `Bearer ${token}` })
const asked = async (path: string, headers = {}): Promise<string> => {
  const { status, body } = await http.ask({ method: 'GET', path, headers })
  return status === 200 ? 'taken' : `${status} ${body}`
}
const POLLING = '/socket.io/?EIO=4&transport=polling'

/** In the first packet of a connection that came without a token. */
async function inAuth(auth: object, query?: string): Promise<string> {
  const raw = await rawWebSocket(server.url, query === undefined ? {} : { query })
  if (raw === null) return 'refused'
  const told = new Promise<string>((resolve) => {
    raw.onText((text) => {
      if (text.startsWith('40')) resolve('taken')
      if (text.startsWith('44')) resolve(text)
    })
    void raw.closed.then(() => resolve('hung up'))
  })
  await raw.send(`40${JSON.stringify(auth)}`)
  const how = await told
  raw.close()
  return how
}

/** A stream is open when its head says so. */
async function inStream(token: string): Promise<string> {
  const over = new AbortController()
  const { status } = await fetch(`${server.url}/api/v1/users/stream/${encodeURIComponent(token)}`, over)
  over.abort()
  return status === 200 ? 'taken' : String(status)
}

/** Everywhere that a token may stand. */
const PLACES: Readonly<Record<string, (token: string) => Promise<string>>> = {
  'a header': (token) => asked('/api/v1/users/me', bearer(token)),
  'a header of a handshake': (token) => asked(POLLING, bearer(token)),
  'auth in a query': (token) => asked(`${POLLING}&auth=${encodeURIComponent(token)}`),
  'token in a query': (token) => asked(`${POLLING}&token=${encodeURIComponent(token)}`),
  'auth.token': (token) => inAuth({ token }),
  'auth.token of ParticipantWeb': (token) => inAuth({ token }, 'role=student'),
  'the path of a stream': inStream,
}

test.each(Object.entries(PLACES))('[WALL-6] %s: a good token is taken, a forged one never', async (_, place) => {
  expect(await place(good)).toBe('taken')
  for (const [what, token] of FORGED) expect(await place(token), what).not.toBe('taken')
  expect(await place(good)).toBe('taken')
  expect(server.output()).not.toMatch(/"level":[56]0/)
})

test('[WALL-6] of tokens in several places the first decides, also where it is forged', async () => {
  const [, forged = ''] = FORGED[0] ?? []
  const header = (token: string) => bearer(token)
  expect(await asked(`${POLLING}&auth=${good}`, header(forged))).toMatch(/^401/)
  expect(await asked(`${POLLING}&auth=${forged}&token=${good}`)).toMatch(/^401/)
  expect(await asked(`${POLLING}&auth=${forged}&auth=${good}`)).toMatch(/^401/)
  expect(await asked(`${POLLING}&auth=${forged}`, header(good))).toBe('taken')
  const { body } = await http.ask({ method: 'GET', path: `/api/v1/users/me?auth=${bob}`, headers: { ...header(good) } })
  expect(body).not.toContain('bob')
})
