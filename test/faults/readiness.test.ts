import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import type { Client } from '../support/client.ts'
import { type StandinProcess, spawnEventStore } from '../support/eventstore-standin-process.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

let log: StandinProcess
let store: RedisServer
let redis: Redis
let server: TestServer
let acme: Company
let vera: Client
beforeAll(async () => {
  ;[log, store] = await Promise.all([spawnEventStore(), startRedis()])
  redis = new Redis(store.url)
  redis.on('error', () => {}) // it goes away
  server = await startServer({ env: { EVENTSTORE_URL: log.url, REDIS_URL: store.url } })
  acme = company(server)
  const ann = await acme.join('agent', 'ann')
  ;({ visitor: vera } = await acme.chat('vera', ann))
})
afterAll(async () => {
  acme.close()
  redis.disconnect()
  await server.stop()
  await Promise.all([log.stop(), store.stop()])
})

const ready = async () => {
  const answer = await fetch(`${server.url}/readyz`)
  return { status: answer.status, ...((await answer.json()) as { data: Record<string, unknown> }).data }
}
const listed = async (): Promise<number> => (await acme.http('admin', '/api/v1/chats')).status
const SOON = { timeout: slowly(15_000), interval: 20 }
const ALL_RIGHT = { status: 200, accepting: true, log: true, following: true, views: true }

test('[READY-1] [READY-2] while views are made from the log again /readyz says which', async () => {
  await expect.poll(ready, SOON).toEqual(ALL_RIGHT)
  expect(await listed()).toBe(200)
  // Emptied, and so slow to take what is made that we can look.
  await redis.multi().call('CLIENT', 'PAUSE', '1500', 'WRITE').flushall().exec()
  await expect.poll(ready, SOON).toMatchObject({
    status: 503,
    log: true,
    following: true,
    views: expect.stringMatching(/made from the log: .*chats/),
  })
  expect(await vera.ask('visitor_msg', { n: 1 })).toEqual([true, null])
  await expect.poll(ready, SOON).toEqual(ALL_RIGHT)
  expect(await listed()).toBe(200)
})

test('[READY-3] with Redis away a node is ready: it does all but lists', async () => {
  await store.kill()
  await expect.poll(listed, SOON).toBe(503)
  expect(await ready()).toEqual(ALL_RIGHT)
  expect(await vera.ask('visitor_msg', { n: 2 })).toEqual([true, null])
  await store.restart()
  await expect.poll(listed, SOON).toBe(200)
  await expect.poll(ready, SOON).toEqual(ALL_RIGHT)
})
