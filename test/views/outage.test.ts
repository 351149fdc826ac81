import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Log } from '../../src/log/log.ts'
import { openRedisViews } from '../../src/views/redis.ts'
import { runViews, type ViewRunner } from '../../src/views/runner.ts'
import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { added, boxes, record, trial, trialLog, verified } from './trial.ts'

let server: RedisServer
let store: ViewStore
let log: Log
let runner: ViewRunner
let alarms: unknown[]

beforeEach(async () => {
  server = await startRedis()
  store = await openRedisViews({ url: server.url, commandTimeoutMs: 200 })
  log = trialLog()
  alarms = []
  runner = runViews({
    log,
    store,
    projections: [trial(boxes)],
    commitEveryMs: 2,
    pollMs: 20,
    onAlarm: (alarm) => alarms.push(alarm),
  })
  await record(log, 'box-a', added(1))
  await runner.ready()
})

afterEach(async () => {
  await runner.stop()
  await store.close()
  await server.stop()
  expect(alarms).toEqual([])
})

async function write(events: number): Promise<bigint> {
  let position = 0n
  for (let n = 0; n < events; n++) position = await record(log, `box-${n % 11}`, added(n))
  return position
}

async function wholeAgain(position: bigint): Promise<void> {
  await expect.poll(async () => (await runner.get('boxes', []).catch(() => null))?.position).toBe(position)
  expect(await verified(log, store)).toMatchObject({ equal: true, position })
}

test('while Redis is down readers are told to come back, and afterwards the view is whole', async () => {
  await server.kill()
  const position = await write(500)
  await expect(runner.get('boxes', ['a'])).rejects.toThrow(ViewsUnavailable)
  await expect.poll(() => runner.status().boxes?.state).toBe('waiting')
  await server.restart()
  await wholeAgain(position)
})

test('a Redis that is killed in the middle of commits costs nothing but time', async () => {
  const writing = write(1_000)
  await runner.reached('boxes', 200n, 5_000)
  await server.restart()
  await wholeAgain(await writing)
})

test('a Redis that hangs for a while is waited for', async () => {
  server.pause()
  const position = await write(300)
  await expect.poll(() => runner.status().boxes?.state).toBe('waiting')
  server.resume()
  await wholeAgain(position)
})

test(
  'a Redis that was emptied is never taken for one in which nothing is, also not by the first who ' + 'asks',
  async () => {
    const position = await write(200)
    expect(await runner.reached('boxes', position, 5_000)).toBe(true)
    const everything = { from: 'sum/', to: 'sum/~', limit: 100 }
    // this runner has told nobody anything yet
    const { entries: whole } = await store.scan((await store.live('boxes')) ?? '', everything)
    const other = new Redis(server.url)
    await other.flushall()
    other.disconnect()
    // Until it is whole again: all of it, or nothing but the advice to come back.
    const answers: unknown[] = []
    const look = async (): Promise<unknown> => {
      const seen = await runner.scan('boxes', everything).catch((error: unknown) => error)
      if (!(seen instanceof ViewsUnavailable)) answers.push(seen)
      return answers[0]
    }
    await expect.poll(look, { interval: 1 }).toEqual({ position, entries: whole })
    expect(answers).toHaveLength(1)
  },
)
