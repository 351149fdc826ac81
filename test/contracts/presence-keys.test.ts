import { Redis } from 'ioredis'
import { io } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { type StandinProcess, spawnEventStore } from '../support/eventstore-standin-process.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

/** Two nodes of one installation: one log, one Redis. */
let log: StandinProcess
let store: RedisServer
let redis: Redis
let a: TestServer
let b: TestServer
const GRACE_MS = slowly(1_500)
const start = () =>
  startServer({ env: { EVENTSTORE_URL: log.url, REDIS_URL: store.url, DISCONNECT_GRACE_MS: String(GRACE_MS) } })
beforeAll(async () => {
  ;[log, store] = await Promise.all([spawnEventStore(), startRedis()])
  redis = new Redis(store.url)
  redis.on('error', () => {}) // one test takes Redis away
  a = await start()
  b = await start()
})
afterAll(async () => {
  await Promise.all([a.stop(), b.stop()])
  redis.disconnect()
  await Promise.all([log.stop(), store.stop()])
})

const clients: Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
async function open(server: TestServer, role: string, id: string, more: Record<string, string> = {}): Promise<Client> {
  const query = { role, org_id: 'acme', auth: await tokenFor(role, id), ...more }
  const client = await connect(server.url, { query })
  clients.push(client)
  return client
}
const json = async (key: string) => JSON.parse((await redis.get(key)) ?? 'null')
const gone = (...keys: string[]) => expect.poll(() => redis.exists(...keys), { interval: 20 }).toBe(0)
const alive = (id: string) => `alive:org_acme_user_${id}`

describe('on two nodes with Redis', () => {
  test('[PRES-23] a teacher’s keys are there when they are connected, and gone when they left', async () => {
    const teacher = await open(a, 'teacher', 'tom')
    expect(await json('tom')).toEqual({ sid: teacher.socket.id, client_id: 'tom', role: 'teacher', org_id: 'acme' })
    const { login_time, state } = await json(alive('tom'))
    expect([Number.isInteger(login_time), state]).toEqual([true, 'connect'])
    expect(Math.abs(login_time - Date.now() / 1000)).toBeLessThan(10)
    teacher.close()
    await gone('tom', alive('tom'))
  })

  test('[PRES-23] a hub, an admin and staff have none; a participant has one, with a token and without', async () => {
    await open(a, 'teacher', 'hanna', { product_type: 'manager' })
    await open(a, 'admin', 'ada')
    await open(a, 'agent', 'ann')
    const sue = await open(a, 'student', 'sue')
    const guest = await connect(a.url, { query: { role: 'student' } })
    clients.push(guest)
    const { participant_id } = await guest.told('participant_id')
    expect(await redis.exists('hanna', alive('hanna'), 'ada', alive('ada'), 'ann', alive('ann'))).toBe(0)
    expect(await json('sue')).toEqual({ sid: sue.socket.id, client_id: 'sue', role: 'student', org_id: 'acme' })
    expect(await json(participant_id)).toEqual({
      sid: guest.socket.id,
      client_id: participant_id,
      role: 'student',
      org_id: null,
    })
    expect(await redis.exists(alive('sue'))).toBe(0)
  })

  test(
    '[PRES-24] a second tab on another node takes {user_id}, its close gives it back, login_time ' + 'stays',
    async () => {
      const first = await open(a, 'teacher', 'tina')
      const before = await redis.get(alive('tina'))
      const second = await open(b, 'teacher', 'tina')
      expect((await json('tina')).sid).toBe(second.socket.id)
      second.close()
      await expect.poll(async () => (await json('tina'))?.sid, { interval: 20 }).toBe(first.socket.id)
      expect(await redis.get(alive('tina'))).toBe(before)
    },
  )

  test('[PRES-24] a lost teacher stays alive through the grace, and is gone after it', async () => {
    const lost = await open(a, 'teacher', 'theo')
    const before = await redis.get(alive('theo'))
    lost.socket.io.engine.close()
    await gone('theo')
    expect(await redis.get(alive('theo'))).toBe(before)
    const back = await open(b, 'teacher', 'theo')
    expect(await redis.get(alive('theo'))).toBe(before)
    back.socket.io.engine.close()
    await gone('theo', alive('theo'))
  })

  test('[PRES-2] teacher_login reaches the hubs of the other node, once', async () => {
    const hub = await open(b, 'admin', 'hub', { product_type: 'manager' })
    await open(a, 'teacher', 'tessa')
    await open(b, 'teacher', 'tessa')
    await open(b, 'teacher', 'tilda')
    await hub.told('teacher_login', ({ user_id }) => user_id === 'tilda')
    expect(hub.all('teacher_login').map(({ user_id }) => user_id)).toEqual(['tessa', 'tilda'])
  })

  test('[PRES-8] sockets and hubs are counted on all nodes', async () => {
    await open(a, 'teacher', 'two')
    await open(b, 'teacher', 'two')
    await open(a, 'teacher', 'hub1', { product_type: 'manager' })
    await open(b, 'teacher', 'hub2', { product_type: 'manager' })
    const headers = { Authorization: `Bearer ${await tokenFor('teacher', 'two')}` }
    for (const { url } of [a, b]) {
      const body = (await (await fetch(`${url}/api/v1/presence`, { headers })).json()) as {
        data: { id: string }[]
        hubs: number
      }
      expect(body.data.find(({ id }) => id === 'two')).toMatchObject({ sockets: 2 })
      expect(body.hubs).toBe(2)
    }
  })

  test('[PRES-27] who is gone before the connection is complete leaves nothing behind', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `hasty${i}`)
    await Promise.all(
      ids.map(async (id, i) => {
        const query = { role: 'teacher', org_id: 'acme', auth: await tokenFor('teacher', id) }
        const socket = io(a.url, { forceNew: true, reconnection: false, transports: ['websocket'], query })
        const closed = new Promise((resolve) => socket.io.once('close', resolve))
        // The request to connect goes out with 'open'; what comes of it meets a connection that is closed, or nearly.
        socket.io.once('open', () => setTimeout(() => socket.io.engine.close(), i % 8))
        await closed
      }),
    )
    await open(a, 'teacher', 'fence') // whatever came before it has been looked at
    await gone(...ids, ...ids.map(alive))
    const headers = { Authorization: `Bearer ${await tokenFor('admin', 'ada')}` }
    const present = async () =>
      ((await (await fetch(`${a.url}/api/v1/presence`, { headers })).json()) as { data: { id: string }[] }).data.filter(
        ({ id }) => id.startsWith('hasty'),
      )
    await expect.poll(present, { interval: 50 }).toEqual([])
  })

  test('[PRES-25] a killed server leaves nothing that lives longer than 60 s', async () => {
    const server = await start()
    const people = Array.from({ length: 5 }, (_, i) => `dead${i}`)
    for (const id of people) await open(server, 'teacher', id)
    server.kill('SIGKILL')
    await server.ended
    for (const key of people.flatMap((id) => [id, alive(id)])) {
      expect(await redis.pttl(key)).toBeGreaterThan(0)
      expect(await redis.pttl(key)).toBeLessThanOrEqual(30_000)
    }
    const keys = await redis.keys('*')
    const lasting = keys.filter((key) => !key.includes(':') || key.startsWith('alive:'))
    for (const key of lasting) expect(await redis.pttl(key), key).toBeGreaterThan(0)
  })

  test(
    '[PRES-26] with Redis away everybody connects, is told and listed all the same, and the keys come ' +
      'back with it',
    async () => {
      const hub = await open(a, 'admin', 'hub', { product_type: 'manager' })
      await open(a, 'teacher', 'early')
      await store.kill()
      await open(a, 'teacher', 'late')
      await hub.told('teacher_login', ({ user_id }) => user_id === 'late')
      const headers = { Authorization: `Bearer ${await tokenFor('teacher', 'late')}` }
      const body = (await (await fetch(`${a.url}/api/v1/presence`, { headers })).json()) as {
        data: object[]
        hubs: number
      }
      expect(body.data).toContainEqual(expect.objectContaining({ id: 'late', state: 'online', sockets: null }))
      expect(body.hubs).toBeNull()
      await store.restart()
      const all = ['early', alive('early'), 'late', alive('late')]
      await expect.poll(() => redis.exists(...all).catch(() => 0), { interval: 50 }).toBe(all.length)
    },
  )
})
