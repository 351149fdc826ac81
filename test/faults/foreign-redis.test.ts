import { type ChainableCommander, Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import type { Client } from '../support/client.ts'
import { type StandinProcess, spawnEventStore } from '../support/eventstore-standin-process.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'

/** Within which all is right again. */
const RIGHT_MS = slowly(9_000)

let log: StandinProcess
let store: RedisServer
let redis: Redis
let server: TestServer
let acme: Company
let ann: Client
let vera: Client
let room: string
beforeAll(async () => {
  // Where nodes share a log: there they also ask each other, and keep receipts, over Redis.
  ;[log, store] = await Promise.all([spawnEventStore(), startRedis()])
  redis = new Redis(store.url)
  server = await startServer({ env: { EVENTSTORE_URL: log.url, REDIS_URL: store.url, LEASE_MS: '1500' } })
  acme = company(server)
  ann = await acme.join('agent', 'ann')
  await acme.join('teacher', 'tea')
  ;({ visitor: vera, room } = await acme.chat('vera', ann))
  await ann.ask('staff_join', { room })
})
afterAll(async () => {
  acme.close()
  redis.disconnect()
  await server.stop()
  await Promise.all([log.stop(), store.stop()])
})

const read = async (path: string): Promise<unknown[]> => {
  const answer = await acme.http('admin', path)
  return answer.status === 200 ? ((await answer.json()) as { data: unknown[] }).data : [answer.status]
}

/** What is kept in Redis says what happened. */
async function right(): Promise<void> {
  const soon = { timeout: RIGHT_MS, interval: 50 }
  await expect
    .poll(() => read('/api/v1/chats'), soon)
    .toEqual([expect.objectContaining({ id: room, state: 'claimed' })])
  await expect
    .poll(() => read('/api/v1/presence'), soon)
    .toEqual(expect.arrayContaining(['ann', 'tea'].map((id) => expect.objectContaining({ id, sockets: 1 }))))
  await expect.poll(() => redis.get(`alive:org_${acme.org}_user_tea`).catch(String), soon).toMatch('"state":"connect"')
  await expect.poll(() => redis.get('tea').catch(String), soon).toMatch('"sid"')
}

/** Names that other programs read: a key of another type is another program's there (PRES-17). */
const isShared = (key: string): boolean => !key.includes(':')

const POURED: Readonly<Record<string, (into: ChainableCommander, key: string) => ChainableCommander>> = {
  'a list': (into, key) => into.rpush(key, 'theirs', '{'),
  'a text': (into, key) => into.set(key, '{"broken": '),
  'a text that looks like ours': (into, key) => into.set(key, '7'),
  'a hash': (into, key) => into.hset(key, { '\0position': 'x', '\0event-id': '', ann: '{', field: '9'.repeat(40) }),
  'a set': (into, key) => into.sadd(key, 'theirs', ''),
  'a sorted set': (into, key) => into.zadd(key, '+inf', 'theirs', 1e300, 'no-node/', 5, '/'),
}

test.each(Object.entries(POURED))('[WALL-8] %s in place of every key is replaced', async (what, pour) => {
  await right()
  const keys = (await redis.keys('*')).filter((key) => !isShared(key) || what.startsWith('a text'))
  expect(keys.length).toBeGreaterThan(10)
  for (const key of keys) {
    await pour(redis.multi().del(key), key).exec() // in one step: the server writes all the time
  }
  expect(await vera.ask('visitor_msg', { what })).toEqual([true, null])
  await ann.told('visitor_send', ({ content }) => content.what === what)
  await right()
  const late = await acme.join('supervisor', `late-${keys.length}`)
  await late.told('staff_init')
  late.close()
  expect(server.output()).not.toMatch(/"level":60/)
})

test('[WALL-8] rows, leases and receipts of which some are garbage are put right, too', async () => {
  for (const key of await redis.keys('*')) {
    const kind = await redis.type(key)
    if (kind === 'hash') for (const field of await redis.hkeys(key)) await redis.hset(key, field, '{"broken": ')
    if (kind === 'zset') await redis.zadd(key, 0, 'theirs', '+inf', 'ours/not')
    if (kind === 'set') await redis.sadd(key, 'theirs')
  }
  await right()
})

test('[WALL-9] what others say on our channels ends nothing', async () => {
  const channels = (await redis.pubsub('CHANNELS', '*')) as string[]
  expect(channels).not.toEqual([])
  const said = ['', '{', 'null', '7', '[]', '{"kind":"ask"}', '{"kind":"ask","id":"x","from":{},"holder":[]}']
  const answers = [
    '{"kind":"answer","id":1,"from":"x","result":"y"}',
    '{"kind":"toString"}',
    '{"__proto__":1}',
    'x'.repeat(1e6),
  ]
  const odd = ['null', '-1', '1e999', '"x"', '[]', '{"then":1}', '"__proto__"', 'true']
  const ours = ['ask', 'answer', 'self', 'then'].flatMap((kind) =>
    odd.flatMap((one) => odd.map((other) => `{"kind":"${kind}","id":${one},"from":${other},"holder":${one}}`)),
  )
  const results = odd.map((one) => `{"kind":"answer","id":1,"from":"x","result":${one}}`)
  const bytes = Array.from({ length: 64 }, (_, n) => Buffer.from([n * 4, 255 - n, 0, 0xc3, 0x28, n]))
  for (const channel of channels)
    await Promise.all([...said, ...answers, ...ours, ...results, ...bytes].map((text) => redis.publish(channel, text)))
  expect(await vera.ask('visitor_msg', { what: 'said' })).toEqual([true, null])
  const late = await acme.join('supervisor', 'late')
  await late.told('staff_init')
  late.close()
  expect(server.output()).not.toMatch(/"level":[56]0/)
})
