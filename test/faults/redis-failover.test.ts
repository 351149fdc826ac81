import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { openRedisViews } from '../../src/views/redis.ts'
import { type Line, openLine } from '../support/line.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

let [old, next]: RedisServer[] = []
let name: Line
beforeEach(async () => {
  ;[old, next] = await Promise.all([startRedis(), startRedis()])
  name = await openLine(`http://127.0.0.1:${old?.port}`)
})
afterEach(async () => {
  await name.close()
  await Promise.all([old?.stop(), next?.stop()])
})

/** As managed Redis does it: the old primary is a replica, and keeps its connections. */
async function failOver(): Promise<void> {
  name.leadTo(`http://127.0.0.1:${next?.port}`)
  const admin = new Redis(old?.port ?? 0)
  await admin.replicaof('127.0.0.1', next?.port ?? 0)
  await admin.quit()
}

const SLOW = { timeout: 20_000 }
const urlOf = ({ url }: Line): string => url.replace('http', 'redis')

test('[NODE-9] views go on where the name leads after a fail-over', async () => {
  const store = await openRedisViews({ url: urlOf(name) })
  const first = { position: 1n, id: 'first' }
  expect(await store.commit('trial.v1.a', null, first, [])).toBe(true)
  await failOver()
  await expect.poll(() => store.commit('trial.v1.b', null, first, []).catch(() => 'refused'), SLOW).toBe(true)
  await store.close()
})

test('[NODE-9] so do leases', async () => {
  const leases = await openRedisLeases({ url: urlOf(name), node: 'n1', ttlMs: 10_000 })
  await leases.hold('acme.ann', 'one')
  await failOver()
  const held = (): Promise<unknown> =>
    leases.hold('acme.ann', 'two').then(
      () => 'held',
      () => 'refused',
    )
  await expect.poll(held, SLOW).toBe('held')
  await leases.close()
})
