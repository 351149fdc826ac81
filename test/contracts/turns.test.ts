import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../support/client.ts'
import { LARGE, recordLarge } from '../support/large.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Turns, turnsOf } from '../support/turns.ts'
import { type AsyncApi, type Call, callsOf } from '../walls/calls.ts'
import type { Slot } from '../walls/kinds.ts'
import { type OpenApi, type Route, requestOf, routesOf } from '../walls/routes.ts'

/** Milliseconds of processor time: see TURN-1. */
const LONGEST = 20
/** A turn in which the collector runs, or in which code is compiled, is not the fault of what was asked. */
const TRIES = 3

const NO_LIMITS = { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '100000' }
let data: string
let server: TestServer
let turns: Turns
let routes: readonly Route[]
let calls: readonly Call[]

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-turns-'))
  await recordLarge(data)
  turns = turnsOf(data)
  server = await startServer({ data, env: { ...turns.env, ...NO_LIMITS } })
  const described = async (name: string) => (await fetch(`${server.url}/api/v1/${name}.json`)).json()
  routes = routesOf((await described('openapi')) as OpenApi)
  calls = callsOf((await described('asyncapi')) as AsyncApi)
  const token = await tokenFor('admin', 'ada', 'big')
  for (;;) {
    const listed = await fetch(`${server.url}/api/v1/courses`, { headers: { authorization: `Bearer ${token}` } })
    if (listed.status === 200) break // views are there
    await new Promise((passed) => setTimeout(passed, 50))
  }
}, 60_000)

afterAll(async () => {
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const idFor = ({ name, kind }: Slot): string | number | undefined => {
  if (kind === 'number') return 1
  if (kind === 'plain') return 1
  return kind in LARGE ? LARGE[kind as keyof typeof LARGE] : name === 'email' ? 's0@big.example' : undefined
}

/** The least of some tries: what a question always costs. */
async function longestOf(ask: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let nth = 0; nth < TRIES && least > LONGEST / 2; nth++) least = Math.min(least, await turns.during(ask))
  return Math.round(least * 10) / 10
}

const tooLong = (all: readonly (readonly [string, number])[]) => all.filter(([, ms]) => ms > LONGEST)

test('[TURN-1] [TURN-5] no turn takes long, whichever route reads much', async () => {
  const ROLES = [
    ['admin', 'ada'],
    ['visitor', 'vic'],
    ['student', 's0'],
  ] as const
  const seen: [string, number][] = []
  const statuses = new Map<string, number>()
  for (const [role, id] of ROLES) {
    const token = await tokenFor(role, id, 'big')
    for (const route of routes.filter(({ method, isOpen }) => method === 'GET' && !isOpen)) {
      const ids = Object.fromEntries(
        route.slots.filter((slot) => slot.in === 'path').map((slot) => [slot.name, idFor(slot)]),
      )
      const paths = [requestOf({ ...route, slots: route.slots.filter((slot) => slot.in === 'path') }, ids).path]
      if (route.path === '/api/v1/chats/{room}') paths.push('/api/v1/chats/heavy-chat')
      if (route.path === '/api/v1/chats/{room}/events') paths.push('/api/v1/chats/heavy-chat/events?limit=1000')
      const most = route.plain.some(({ name }) => name === 'limit') && role === 'admin' ? ['', '200', '1000'] : ['']
      if (route.path === '/api/v1/lessons/{id}') paths.push('/api/v1/lessons/22222222-2222-4222-8222-222222222222')
      if (route.path === '/api/v1/attendance') paths.push(`/api/v1/attendance?course=${LARGE.course}`)
      for (const path of paths)
        for (const limit of most) {
          const full = limit === '' ? path : `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`
          const ms = await longestOf(async () => {
            const answer = await fetch(`${server.url}${full}`, { headers: { authorization: `Bearer ${token}` } })
            await answer.arrayBuffer()
            if (role === 'admin' && limit === '') statuses.set(full, answer.status)
          })
          seen.push([`${role} ${full}`, ms])
        }
    }
  }
  // Of what is there the admin is shown nearly everything: otherwise little would be measured.
  const shown = [...statuses.values()].filter((status) => status === 200).length
  expect([shown > 0.7 * statuses.size, Object.fromEntries(statuses)]).toEqual([true, expect.anything()])
  expect(tooLong(seen)).toEqual([])
}, 60_000)

test('[TURN-1] nor does any when many ask for what is heavy at once', async () => {
  const token = (n: number) => tokenFor('admin', `ada${n}`, 'big')
  const heavy = [
    `/lessons/${LARGE.lesson}/participants`,
    `/chats/heavy-chat`,
    `/chats/${LARGE.chat}/events?limit=1000`,
    '/courses?limit=200',
    '/presence?limit=1000',
  ]
  const ms = await longestOf(() =>
    Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const headers = { authorization: `Bearer ${await token(n)}` }
        await (await fetch(`${server.url}/api/v1${heavy[n % heavy.length]}`, { headers })).arrayBuffer()
      }),
    ),
  )
  expect(ms).toBeLessThanOrEqual(LONGEST)
}, 30_000)

test('[TURN-1] [TURN-6] no turn takes long, whichever call comes', async () => {
  const seen: [string, number][] = []
  for (const [role, id] of [
    ['admin', 'ada'],
    ['visitor', 'vic'],
    ['student', 's0'],
  ] as const) {
    const auth = { token: await tokenFor(role, id, 'big') }
    seen.push([`${role} comes`, await longestOf(async () => (await connect(server.url, { auth })).close())])
    const client = await connect(server.url, { auth })
    for (const { name, namespace, slots, data: its } of calls.filter(({ namespace }) => namespace === '/')) {
      const ids = Object.fromEntries(
        slots.map((slot) => [slot.name, idFor(slot)]).filter(([, value]) => value !== undefined),
      )
      const ask = () =>
        client.socket
          .timeout(5_000)
          .emitWithAck(name, { ...its, ...ids })
          .catch(() => undefined)
      seen.push([`${role} ${namespace} ${name}`, await longestOf(ask)])
    }
    client.close()
  }
  expect(tooLong(seen)).toEqual([])
}, 60_000)
