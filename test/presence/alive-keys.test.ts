import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { type AliveKeys, aliveKey, type Visit } from '../../src/presence/alive-keys.ts'
import type { Leases } from '../../src/presence/leases.ts'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { openRedisAliveKeys } from '../../src/presence/redis-alive-keys.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { slowly } from '../support/slowness.ts'

const ttlMs = slowly(900)
const SINCE = 1_700_000_000_999

let server: RedisServer
let redis: Redis
beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  redis.on('error', () => {}) // one test restarts the server
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

interface Node {
  readonly keys: AliveKeys
  readonly leases: Leases
  /** As a server does it: the lease first, then the keys. */
  enter(visit: Visit): Promise<void>
  leave(visit: Visit): Promise<void>
  readonly errors: unknown[]
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const fresh = () => ({ prefix: `${randomUUID()}:`, online: new Map<string, number>() })

async function node(
  name: string,
  { prefix, online }: ReturnType<typeof fresh>,
  options: { ttlMs?: number; clock?: Clock; onlyNode?: string } = {},
): Promise<Node> {
  const errors: unknown[] = []
  const all = { url: server.url, prefix, ttlMs, ...options }
  const leases = await openRedisLeases({ ...all, node: name })
  const keys = await openRedisAliveKeys({
    ...all,
    since: (person) => online.get(person),
    onError: (error) => errors.push(error),
  })
  closing.push(keys.close, leases.close)
  return {
    keys,
    leases,
    errors,
    async enter(visit) {
      await leases.hold(visit.person, visit.socket)
      await keys.enter(visit)
    },
    async leave(visit) {
      await Promise.all([keys.leave(visit.socket), leases.release(visit.person, visit.socket)])
    },
  }
}
/** Ids are of one test only: the names of these keys have no prefix. */
const teacher = (id: string, socket: string, org = 'acme'): Visit => ({
  person: `${org}.${id}`,
  org,
  id,
  role: 'teacher',
  socket,
})
const student = (id: string, socket: string, org: string | null): Visit => ({
  person: `${org}.${id}`,
  org,
  id,
  role: 'student',
  socket,
})
const sidOf = async (id: string): Promise<string | null> => JSON.parse((await redis.get(id)) ?? '{}').sid ?? null

describe('the keys', () => {
  test('[PRES-11] of a teacher have the names and values of the contract, and a time to live', async () => {
    const world = fresh()
    const a = await node('a', world)
    world.online.set('acme.k1', SINCE)
    await a.enter(teacher('k1', 's1'))
    expect(await redis.get('alive:org_acme_user_k1')).toBe('{"login_time":1700000000,"state":"connect"}')
    expect(await redis.get('k1')).toBe('{"sid":"s1","client_id":"k1","role":"teacher","org_id":"acme"}')
    for (const key of ['alive:org_acme_user_k1', 'k1']) {
      expect(await redis.pttl(key)).toBeGreaterThan(0)
      expect(await redis.pttl(key)).toBeLessThanOrEqual(ttlMs)
    }
  })

  test('[PRES-12] of a participant are the one with the id; anonymous ones have no organisation', async () => {
    const world = fresh()
    const a = await node('a', world)
    world.online.set('acme.k2', SINCE).set('null.anon-k2', SINCE)
    await a.enter(student('k2', 's1', 'acme'))
    await a.enter(student('anon-k2', 's2', null))
    expect(JSON.parse((await redis.get('k2')) ?? '')).toEqual({
      sid: 's1',
      client_id: 'k2',
      role: 'student',
      org_id: 'acme',
    })
    expect(JSON.parse((await redis.get('anon-k2')) ?? '')).toEqual({
      sid: 's2',
      client_id: 'anon-k2',
      role: 'student',
      org_id: null,
    })
    expect(await redis.keys('alive:*k2*')).toEqual([])
  })

  test('[PRES-13] are renewed while the socket is open', async () => {
    const world = fresh()
    const a = await node('a', world)
    world.online.set('acme.k3', SINCE)
    await a.enter(teacher('k3', 's1'))
    const seen = Date.now()
    await expect.poll(async () => Date.now() > seen + 1.5 * ttlMs, { interval: 50 }).toBe(true)
    expect(await sidOf('k3')).toBe('s1')
    expect(await redis.exists('alive:org_acme_user_k3')).toBe(1)
  })

  test('[PRES-13] of a dead node expire', async () => {
    const world = fresh()
    // A dead node is one that is never heard of again: its renewals stop, here because its clock never moves.
    const dead = await node('dead', world, { clock: { ...systemClock, after: () => ({ cancel() {} }) } })
    world.online.set('acme.k13', SINCE)
    await dead.enter(teacher('k13', 's1'))
    const both = () => redis.exists('k13', 'alive:org_acme_user_k13')
    expect(await both()).toBe(2)
    await expect.poll(both, { timeout: 2 * ttlMs, interval: 20 }).toBe(0)
  })

  test('[PRES-14] a late close of an old socket leaves the newer one’s value', async () => {
    const world = fresh()
    const [a, b] = [await node('a', world), await node('b', world)]
    await a.enter(teacher('k4', 'old'))
    await b.enter(teacher('k4', 'new'))
    await a.leave(teacher('k4', 'old'))
    expect(await sidOf('k4')).toBe('new')
  })

  test(
    '[PRES-14] when the newest socket closes, the key goes to another one at once, also on another ' + 'node',
    async () => {
      const world = fresh()
      const [a, b] = [await node('a', world), await node('b', world)]
      await a.enter(teacher('k5', 'old'))
      await b.enter(teacher('k5', 'new'))
      await b.leave(teacher('k5', 'new'))
      expect(await sidOf('k5')).toBe('old')
      await a.leave(teacher('k5', 'old'))
      expect(await redis.exists('k5')).toBe(0)
    },
  )

  test('[PRES-15] alive goes when the presence is over, and stays when a new one has begun meanwhile', async () => {
    const world = fresh()
    const [a, b] = [await node('a', world), await node('b', world)]
    world.online.set('acme.k6', SINCE)
    await a.enter(teacher('k6', 's1'))
    await a.leave(teacher('k6', 's1'))
    expect(await redis.exists('alive:org_acme_user_k6')).toBe(1) // lost or gone, that is not known here yet
    await b.enter(teacher('k6', 's2')) // within the same second: the value is the same
    await a.keys.gone('acme.k6', 'offline')
    expect(await redis.exists('alive:org_acme_user_k6')).toBe(1)
    await b.leave(teacher('k6', 's2'))
    await b.keys.gone('acme.k6', 'offline')
    expect(await redis.exists('alive:org_acme_user_k6')).toBe(0)
  })

  test('[PRES-28] where there is one node, the leases of its dead predecessor get no key', async () => {
    const world = fresh()
    const dead = await node('dead', world, { ttlMs: 60_000 })
    await dead.leases.hold('acme.k6b', 'of-the-dead')
    const a = await node('a', world, { onlyNode: 'a' })
    world.online.set('acme.k6b', SINCE)
    await a.enter(teacher('k6b', 's1'))
    await a.leave(teacher('k6b', 's1'))
    expect(await redis.exists('k6b')).toBe(0)
    await a.keys.gone('acme.k6b', 'offline')
    expect(await redis.exists('alive:org_acme_user_k6b')).toBe(0)
  })

  test('[PRES-20] a key that was handed to a socket of a dead node is removed when that is known', async () => {
    const world = fresh()
    const [dead, b] = [await node('dead', world, { ttlMs: 60_000 }), await node('b', world)]
    await dead.leases.hold('acme.k6c', 'of-the-dead')
    await b.enter(student('k6c', 's1', 'acme'))
    await b.leave(student('k6c', 's1', 'acme'))
    expect(await sidOf('k6c')).toBe('of-the-dead') // nobody knows yet
    await dead.leases.release('acme.k6c', 'of-the-dead') // as its end comes
    await b.keys.gone('acme.k6c', 'lost')
    expect(await redis.exists('k6c')).toBe(0)
  })

  test(
    '[PRES-16] of one id in two organisations the last who came has the key; the other gets it when ' + 'it is free',
    async () => {
      const world = fresh()
      const [a, b] = [await node('a', world), await node('b', world)]
      await a.enter(teacher('k7', 's1', 'one'))
      await b.enter(teacher('k7', 's2', 'two'))
      expect(JSON.parse((await redis.get('k7')) ?? '')).toMatchObject({ sid: 's2', org_id: 'two' })
      await a.leave(teacher('k7', 's1', 'one'))
      expect(await sidOf('k7')).toBe('s2')
      await a.enter(teacher('k7', 's3', 'one'))
      await b.enter(teacher('k7', 's4', 'two'))
      await b.leave(teacher('k7', 's4', 'two'))
      // still open, of the same person
      await expect.poll(() => sidOf('k7'), { timeout: 3 * ttlMs, interval: 20 }).toBe('s2')
      await b.leave(teacher('k7', 's2', 'two'))
      await expect.poll(() => sidOf('k7'), { timeout: 3 * ttlMs, interval: 20 }).toBe('s3')
    },
  )

  test('[PRES-17] another program’s key of another type is left alone, and disturbs nobody', async () => {
    const world = fresh()
    const a = await node('a', world)
    await redis.lpush('k8', 'theirs')
    await a.enter(teacher('k8', 's1'))
    await a.enter(teacher('k9', 's2'))
    await a.leave(teacher('k8', 's1'))
    expect(await redis.lrange('k8', 0, -1)).toEqual(['theirs'])
    expect(await sidOf('k9')).toBe('s2')
    expect(a.errors).toEqual([])
  })

  test('[PRES-18] of a node that closes are removed', async () => {
    const world = fresh()
    const a = await node('a', world)
    await a.enter(student('k10', 's1', 'acme'))
    await a.keys.close()
    expect(await redis.exists('k10')).toBe(0)
  })

  test('[PRES-19] are written again after Redis was emptied, and after it was away', async () => {
    const world = fresh()
    const a = await node('a', world)
    world.online.set('acme.k11', SINCE)
    await a.enter(teacher('k11', 's1'))
    const both = () => redis.exists('k11', 'alive:org_acme_user_k11').catch(() => 0)
    await redis.flushall()
    await expect.poll(both, { interval: 20 }).toBe(2)
    await server.restart()
    await a.keys.enter(teacher('k12', 's2')) // resolves, with Redis or without
    await expect.poll(both, { interval: 20 }).toBe(2)
    await expect.poll(() => sidOf('k12').catch(() => null), { interval: 20 }).toBe('s2')
  })

  test(
    '[PRES-20] whatever sockets come and go on two nodes, the key names one that is open, or is not ' + 'there',
    async () => {
      const step = fc.oneof(
        fc.record({ do: fc.constant('enter' as const), node: fc.nat(1) }),
        fc.record({ do: fc.constant('leave' as const), which: fc.nat(3) }),
      )
      let people = 0
      const world = fresh()
      const nodes = [await node('a', world, { ttlMs: 30_000 }), await node('b', world, { ttlMs: 30_000 })] as const
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const id = `many-${people++}`
          world.online.set(`acme.${id}`, SINCE)
          const open: { readonly at: Node; readonly visit: Visit }[] = []
          for (const [n, each] of steps.entries()) {
            if (each.do === 'enter') {
              const one = { at: nodes[each.node] as Node, visit: teacher(id, `${id}-s${n}`) } // 0 or 1
              open.push(one)
              await one.at.enter(one.visit)
            } else {
              const [one] = open.splice(each.which % Math.max(1, open.length), 1)
              if (!one) continue
              await one.at.leave(one.visit)
              if (open.length === 0) for (const every of nodes) await every.keys.gone(`acme.${id}`, 'offline')
            }
            const sid = await sidOf(id)
            if (open.length === 0) expect(sid).toBeNull()
            else expect(open.map(({ visit }) => visit.socket)).toContain(sid)
            expect(await redis.exists(aliveKey('acme', id))).toBe(open.length === 0 ? 0 : 1)
          }
        }),
        { numRuns: 60 },
      )
    },
  )
})
