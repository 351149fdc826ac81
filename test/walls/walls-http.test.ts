import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { httpMatrix } from './http-matrix.ts'
import { untouched } from './matrix.ts'
import { type Organisation, planted } from './organisation.ts'
import { busy, overhear } from './overheard.ts'
import { type OpenApi, routesOf } from './routes.ts'

const isWhole = process.env.TORTURE !== undefined

let server: TestServer
let own: Organisation
let other: Organisation
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '1000000', RATE_PER_ADDRESS: '1000000' } })
  ;[own, other] = await Promise.all([planted(server, 'acme', 'mark1acme'), planted(server, 'zeta', 'mark2zeta')])
})
afterAll(async () => {
  own.close()
  other.close()
  await server.stop()
})

test('[WALL-1] [WALL-2] [WALL-3] [WALL-4] over HTTP: every route, everybody, every mix of ids', async () => {
  const changes = await untouched(server, other, own)
  const overheard = await overhear(server.url, own, other, isWhole)
  const rest = busy(other)
  const { cells, wrong } = await httpMatrix({ url: server.url, own, other, isWhole })
  await rest()
  if (isWhole) console.log(`${cells} cells over HTTP`)
  expect(wrong).toEqual([])
  expect(overheard.end()).toEqual([])
  expect(cells).toBeGreaterThan(1_000)
  expect(await changes()).toEqual([])
  expect(server.output()).not.toMatch(/"level":[56]0/)
  expect([...own.clients, ...other.clients].every(({ socket }) => socket.connected)).toBe(true)
})

test('a route that the matrix does not know is said to be missing from it', () => {
  const components = { schemas: {} }
  const parameter = { in: 'query', name: 'shoe_id', schema: { type: 'string' } }
  expect(() => routesOf({ paths: { '/api/v1/shoes/{id}': { get: {} } }, components })).toThrow('BY_SEGMENT')
  expect(() => routesOf({ paths: { '/api/v1/shoes': { get: { parameters: [parameter] } } }, components })).toThrow(
    '"shoe_id" of shoes',
  )
})

/** A wrong password is wrong for everybody; people, and visitors' organisations, are named by whoever asks. */
const TELL_NOTHING = ['POST /api/v1/auth/login', 'POST /api/v1/auth/visitor', 'POST /api/v1/courses']

test('what the matrix asks is told apart by whoever may see it', async () => {
  const asking = { ...own, tokens: other.tokens }
  const { telling } = await httpMatrix({ url: server.url, own: asking, other, isWhole: false })
  const routes = routesOf((await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as OpenApi)
  const walled = routes.filter(({ slots }) => slots.some(({ kind }) => kind !== 'plain'))
  expect(walled.map(({ method, path }) => `${method} ${path}`).filter((one) => !telling.has(one))).toEqual(TELL_NOTHING)
})
