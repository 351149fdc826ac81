import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { enter, lessonOf } from '../support/lessons.ts'
import { type MixpanelStandin, startMixpanel } from '../support/mixpanel-standin.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { TOKEN } from './world.ts'

let data: string
let mixpanel: MixpanelStandin
let server: TestServer | undefined
const clients: Client[] = []

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-mixpanel-'))
  mixpanel = await startMixpanel(TOKEN)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await server?.stop()
  await mixpanel.die()
  await rm(data, { recursive: true, force: true })
})

async function start(): Promise<TestServer> {
  server = await startServer({
    data,
    env: { MIXPANEL_TOKEN: TOKEN, MIXPANEL_HOST: mixpanel.url, DISCONNECT_GRACE_MS: '60000' },
  })
  return server
}

/** An agent connects; what the server then knows of them are a name and an e-mail address. */
async function agent(id: string): Promise<Client> {
  const token = await tokenFor('agent', id, 'acme', {
    name: 'Ada Lovelace',
    full_name: 'Ada King',
    email: 'ada@example.org',
  })
  const client = await connect(server?.url ?? '', { auth: { token } })
  clients.push(client)
  return client
}

const metric = async (name: string): Promise<string | undefined> =>
  new RegExp(`^${name} (.*)$`, 'm').exec(await (await fetch(`${server?.url}/metrics`)).text())?.[1]

test(
  '[MIX-6] [MIX-8] [MIX-9] who connected is told by the next server when the first one is killed ' +
    'before, without a name or an address',
  async () => {
    await mixpanel.die()
    await start()
    await agent('ada')
    server?.kill('SIGKILL')
    await server?.ended
    await mixpanel.revive()
    await start()
    await agent('bob')
    await mixpanel.until(() => mixpanel.counted().length === 2)
    for (const event of mixpanel.counted())
      expect(event).toMatchObject({ event: 'connect', properties: { org_id: 'acme', role: 'agent' } })
    expect(new Set(mixpanel.counted().map(({ properties }) => properties.distinct_id)).size).toBe(2)
    expect(mixpanel.requests.map(({ body }) => body).join()).not.toMatch(/\b(ada|lovelace|king|example|bob)\b/i)
    await expect.poll(() => metric('lyceum_mixpanel_events_total\\{outcome="sent"\\}')).toBe('2')
  },
)

test('[MIX-8] a participant who drops and comes back to a live lesson is told as one reconnect', async () => {
  const { url } = await start()
  const { id } = await lessonOf(url, await tokenFor('teacher', 'thea'))
  const first = await enter({ url }, 'student', 'stu')
  clients.push(first)
  await first.ask('join_lesson', { lesson_id: id })
  first.socket.io.engine.close() // as a network does it: without a word
  clients.push(await enter({ url }, 'student', 'stu', { query: { lesson_id: id } }))
  await mixpanel.until(() => mixpanel.counted().some(({ event }) => event === 'reconnect'))
  await server?.stop()
  const told = mixpanel.counted().filter(({ event }) => event !== 'connect')
  expect(
    told.map(({ event, properties }) => [event, properties.lesson_id, properties.org_id, properties.role]),
  ).toEqual([
    ['lesson_started', id, 'acme', undefined],
    ['reconnect', id, 'acme', 'student'],
  ])
  expect(told[1]?.properties.seconds_away).toBeLessThan(60)
  const [connected] = mixpanel.counted().filter(({ properties }) => properties.role === 'student')
  expect(told[1]?.properties.distinct_id).toBe(connected?.properties.distinct_id)
})

test('[MIX-8] [LESSON-9] a TeacherHub that names a live lesson again is told as one reconnect', async () => {
  const { url } = await start()
  const { id } = await lessonOf(url, await tokenFor('teacher', 'thea'))
  const query = { role: 'admin', org_id: 'acme', product_type: 'manager', lesson_id: id }
  const hub = async (): Promise<Client> => {
    const client = await connect(url, { query, auth: { token: await tokenFor('admin', 'ada') } })
    clients.push(client)
    return client
  }
  const first = await hub()
  const felt = new Promise<void>((resolve) => first.socket.io.engine.once('ping', resolve))
  await hub() // a second window, beside the first, which is asked for a sign of life
  await felt
  for (const client of clients.splice(0)) client.socket.io.engine.close()
  expect(first.socket.connected).toBe(false)
  await hub()
  await mixpanel.until(() => mixpanel.counted().some(({ event }) => event === 'reconnect'))
  await server?.stop()
  const told = mixpanel.counted().filter(({ event }) => event === 'reconnect')
  expect(told).toMatchObject([
    { properties: { lesson_id: id, org_id: 'acme', role: 'admin', product_type: 'manager' } },
  ])
})

test('[MIX-7] a Mixpanel that does not answer holds up neither a connection nor the stop of the server', async () => {
  mixpanel.misbehave(...Array.from({ length: 20 }, () => ({ kind: 'hang', taken: false }) as const))
  const { stop } = await start()
  await agent('ada')
  await mixpanel.until(() => mixpanel.requests.length === 1)
  await agent('bob')
  const begin = performance.now()
  expect(await stop()).toBe(0)
  expect(performance.now() - begin).toBeLessThan(slowly(8_000))
})
