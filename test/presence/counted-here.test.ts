import { afterAll, beforeAll, expect, test } from 'vitest'
import { countedHere } from '../../src/presence/counted-here.ts'
import { memoryLeases } from '../../src/presence/memory.ts'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

test(
  '[PRES-28] on an embedded log the leases of a process that died count for nobody, and its own stand ' +
    'in Redis too',
  async () => {
    const { url } = redis
    const dead = await openRedisLeases({ url, node: 'dead', ttlMs: 60_000 })
    await dead.hold('acme.ann', 'old')
    const living = await openRedisLeases({ url, node: 'living', ttlMs: 60_000 })
    const leases = countedHere(living, memoryLeases())

    expect(await leases.count(['acme.ann'])).toEqual([0])
    expect(await leases.hold('acme.ann', 'new')).toBe(1)
    expect(await dead.count(['acme.ann'])).toEqual([2])
    expect(await leases.release('acme.ann', 'new')).toBe(0)
    expect(await dead.count(['acme.ann'])).toEqual([1])
    await leases.close()
    await dead.close()
  },
)
