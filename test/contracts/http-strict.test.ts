import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

/** A schema of `openapi.json`, as far as these tests look into it. */
interface Schema {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: unknown
}

interface Route {
  readonly method: string
  readonly path: string
  readonly open: boolean
  readonly query: readonly string[]
  readonly body: Schema | undefined
}

let server: TestServer
let token = ''
let routes: readonly Route[] = []
let schemas: Readonly<Record<string, Schema>> = {}

beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_ADDRESS: '10000' } })
  token = await tokenFor('admin', 'root')
  // biome-ignore lint/suspicious/noExplicitAny: the description, as JSON
  const description = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as any
  schemas = description.components.schemas
  routes = Object.entries<object>(description.paths).flatMap(([path, methods]) =>
    // biome-ignore lint/suspicious/noExplicitAny: the same
    Object.entries<any>(methods).map(([method, { security, parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'some-id'),
      open: security === undefined,
      query: parameters.flatMap((one: { in: string; name: string }) => (one.in === 'query' ? [one.name] : [])),
      body: requestBody?.content['application/json'].schema,
    })),
  )
})
afterAll(() => server.stop())

/** The refusal, as far as it is one: its status and what it says. */
async function ask({ method, path, open }: Route, query: string, body?: unknown): Promise<string> {
  const response = await fetch(`${server.url}${path}?${query}`, {
    method,
    headers: {
      ...(open ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const { error } = (await response.json()) as { error?: { message: string } }
  return `${response.status} ${error?.message}`
}

const resolved = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {})

/** Bodies with an unknown field: one for each object in the schema, the body itself first. */
function* withUnknown(schema: Schema): Generator<unknown> {
  const { properties, items } = resolved(schema)
  if (items) for (const inner of withUnknown(items)) yield [inner]
  if (!properties) return
  yield { no_such_field: 1 }
  for (const [name, property] of Object.entries(properties))
    for (const inner of withUnknown(property)) yield { [name]: inner }
}

test('[HTTP-11] every route refuses an unknown query parameter by its name, with those that it knows', async () => {
  expect(routes.length).toBeGreaterThan(35)
  for (const route of routes) {
    const said = await ask(route, 'no_such_parameter=1')
    const known = route.query.length === 0 ? 'none is known here' : `known are ${route.query.join(', ')}`
    expect(said, `${route.method} ${route.path}`).toContain(`unknown query parameter "no_such_parameter": ${known}`)
    expect(said, `${route.method} ${route.path}`).toMatch(/^400 /)
  }
})

test(
  '[HTTP-11] every route that writes refuses an unknown field of the body, those without a body ' + 'included',
  async () => {
    const writing = routes.filter(({ method }) => method !== 'GET')
    expect(writing.length).toBeGreaterThan(15)
    for (const route of writing) {
      for (const body of withUnknown(route.body ?? { properties: {} })) {
        const said = await ask(route, '', body)
        expect(said, `${route.method} ${route.path} ${JSON.stringify(body)}`).toContain('unknown field "no_such_field"')
        expect(said).toMatch(/^400 /)
      }
    }
  },
)

test('[HTTP-12] every route refuses a query parameter that is sent twice', async () => {
  for (const route of routes) {
    for (const name of route.query) {
      const said = await ask(route, `${name}=1&${name}=1`)
      expect(said, `${route.method} ${route.path}`).toMatch(new RegExp(`^400 .*\\b${name}: sent more than once`))
    }
  }
})

test('[HTTP-13] every route asks for the token before it looks at anything else', async () => {
  for (const route of routes.filter(({ open }) => !open)) {
    const said = await ask(
      { ...route, open: true },
      'no_such_parameter=1',
      route.method === 'GET' ? undefined : { x: 1 },
    )
    expect(said, `${route.method} ${route.path}`).toMatch(/^401 /)
  }
})
