import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type Leases, LeasesUnavailable } from '../../src/presence/leases.ts'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { slowly } from '../support/slowness.ts'
import { leasesSuite } from './suite.ts'

const anna = 'acme.anna'
/** Real time: the server's own clock and its expiry of keys are what is tested. */
const ttlMs = slowly(900)

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

leasesSuite('Redis', () => openRedisLeases({ url: server.url, node: 'a', prefix: `${randomUUID()}:` }))

describe('leases in Redis', () => {
  const closing: (() => Promise<unknown>)[] = []
  const node = async (name: string, prefix: string): Promise<Leases> => {
    const leases = await openRedisLeases({ url: server.url, node: name, prefix, ttlMs })
    closing.push(() => leases.close())
    return leases
  }
  const twoNodes = async () => {
    const prefix = `${randomUUID()}:`
    return { prefix, a: await node('a', prefix), b: await node('b', prefix) }
  }
  const becomes = (leases: Leases, count: number) =>
    vi.waitFor(async () => expect(await leases.count([anna])).toEqual([count]), { timeout: PATIENCE_MS, interval: 20 })
  const watcher = () => {
    const redis = new Redis(server.url)
    closing.push(async () => redis.disconnect())
    return redis
  }

  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  test('nodes see each other', async () => {
    const { a, b } = await twoNodes()
    await a.hold(anna, 's1')
    expect(await b.hold(anna, 's1')).toBe(2)
    expect(await a.release(anna, 's1')).toBe(1)
    expect(await a.count([anna])).toEqual([1])
  })

  test('a node that closes gives its leases back', async () => {
    const { a, b } = await twoNodes()
    await a.hold(anna, 's1')
    await a.close()
    expect(await b.count([anna])).toEqual([0])
    await expect(a.hold(anna, 's2')).rejects.toThrow(LeasesUnavailable)
  })

  test('leases outlive their time to live while their node renews them', async () => {
    const { a, b, prefix } = await twoNodes()
    await a.hold(anna, 's1')
    const redis = watcher()
    const expiry = async () => Number(await redis.zscore(`${prefix}lease:${anna}`, 'a/s1'))
    const first = await expiry()
    await vi.waitFor(async () => expect(await expiry()).toBeGreaterThan(first + ttlMs), {
      timeout: PATIENCE_MS,
      interval: 20,
    })
    expect(await b.count([anna])).toEqual([1])
  })

  test(
    'the leases of a node that dies without closing expire, and tell for a while when they were last ' + 'renewed',
    async () => {
      const { b, prefix } = await twoNodes()
      // A dead node took a lease and is never heard of again: its renewals stop, here because its clock never moves.
      const never = { ...systemClock, after: () => ({ cancel() {} }) }
      const dead = await openRedisLeases({ url: server.url, node: 'dead', prefix, ttlMs, clock: never })
      closing.push(() => dead.close())
      const heldAt = Date.now()
      expect(await dead.hold(anna, 's1')).toBe(1)
      await becomes(b, 0)
      expect(Date.now() - heldAt).toBeLessThan(ttlMs + slowly(2_000))
      const [lease] = await b.elsewhere(anna)
      expect(lease).toMatchObject({ node: 'dead', socket: 's1', live: false })
      expect(Math.abs((lease?.renewedAt ?? 0) - heldAt)).toBeLessThan(slowly(100))
      const left = await watcher().pttl(`${prefix}lease:${anna}`)
      expect(left).toBeGreaterThan(500_000)
      expect(left).toBeLessThan(600_000)
    },
  )

  test('after FLUSHALL nothing is counted until every node has renewed its leases', async () => {
    const { a, b } = await twoNodes()
    await a.hold(anna, 's1')
    await b.hold(anna, 's2')
    await watcher().flushall()
    await expect(a.count([anna])).rejects.toThrow('Redis has lost its leases')
    await expect(b.release(anna, 's2')).rejects.toThrow(LeasesUnavailable)
    await becomes(a, 1) // s2 was given back although it could not be counted
    await becomes(b, 1)
  })

  test('a restarted Redis has all leases again', async () => {
    const { a, b } = await twoNodes()
    await a.hold(anna, 's1')
    await b.hold(anna, 's2')
    await server.restart()
    await becomes(a, 2)
    await becomes(b, 2)
  })

  test('what happens while Redis is away is made good when it is back', async () => {
    const { a, b } = await twoNodes()
    await a.hold(anna, 's1')
    await server.kill()
    await expect(a.release(anna, 's1')).rejects.toThrow(LeasesUnavailable)
    await expect(a.hold(anna, 's2')).rejects.toThrow(LeasesUnavailable)
    await expect(a.hold(anna, 's3')).rejects.toThrow(`Redis at 127.0.0.1:${server.port} gave no answer`)
    await server.restart()
    await becomes(b, 2)
  })

  test('a Redis that hangs is an unavailable one, and a release that it missed is repeated', async () => {
    const { a, b } = await twoNodes()
    await a.hold(anna, 's1')
    server.pause()
    try {
      await expect(a.release(anna, 's1')).rejects.toThrow(LeasesUnavailable)
    } finally {
      server.resume()
    }
    await becomes(b, 0)
  })

  test('a node opens while Redis is away, and finds it later', async () => {
    await server.kill()
    const { a, b } = await twoNodes()
    await expect(a.hold(anna, 's1')).rejects.toThrow(LeasesUnavailable)
    await server.restart()
    await becomes(b, 1)
  })

  test('a node opens while Redis hangs', async () => {
    server.pause()
    try {
      const leases = await node('a', `${randomUUID()}:`)
      await expect(leases.count([anna])).rejects.toThrow(LeasesUnavailable)
    } finally {
      server.resume()
    }
  })
})
