import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { type Line, openLine } from '../support/line.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { slowly } from '../support/slowness.ts'
import { redisParts } from './redis-parts.ts'

/** From the end of a fault until all is right. */
const RIGHT_MS = slowly(20_000)
/** How long a fault lasts: long enough that every part has met it. */
const FAULT_MS = 3_500

interface World {
  /** What the node has known Redis by since before the fault. */
  readonly name: Line
  readonly first: RedisServer
  readonly second: RedisServer
}

const urlOf = ({ port }: RedisServer): string => `http://127.0.0.1:${port}`

async function told(server: RedisServer, ...command: readonly [string, ...string[]]): Promise<void> {
  const admin = new Redis(server.port)
  const [name, ...args] = command
  await admin.call(name, ...args)
  admin.disconnect()
}

/** Each begins the fault, and gives what ends it and the Redis at which nodes meet from then on. */
const FAULTS: Readonly<Record<string, (world: World) => Promise<() => Promise<RedisServer>>>> = {
  async 'read-only [NODE-9]: what was the primary keeps its connections and refuses writes'({ name, first, second }) {
    await told(first, 'REPLICAOF', '127.0.0.1', String(second.port))
    return async () => {
      name.leadTo(urlOf(second))
      return second
    }
  },
  async 'silent: packets are swallowed, and old connections are for ever half open'({ name, first }) {
    name.freeze()
    return async () => {
      name.mend()
      return first
    }
  },
  async 'moved: nobody is at the old address, and the name leads elsewhere'({ name, first, second }) {
    await first.kill()
    return async () => {
      name.leadTo(urlOf(second))
      return second
    }
  },
  async 'slow: every answer comes later than anybody waits'({ first }) {
    await told(first, 'CLIENT', 'PAUSE', String(FAULT_MS), 'ALL')
    return async () => first
  },
  async 'full: nothing more may be written'({ first }) {
    await told(first, 'CONFIG', 'SET', 'maxmemory', '1')
    return async () => {
      await told(first, 'CONFIG', 'SET', 'maxmemory', '0')
      return first
    }
  },
  async 'wrong data: emptied'({ first }) {
    await told(first, 'FLUSHALL')
    return async () => first
  },
  'wrong data: of a log that is shorter': (world) => ofAnotherLog(3, world),
  'wrong data: of a log that is longer': (world) => ofAnotherLog(500, world),
}

/** The name leads to the Redis of another installation, whose log has so many events. */
async function ofAnotherLog(events: number, { name, second }: World): Promise<() => Promise<RedisServer>> {
  const theirs = await redisParts(second.url)
  for (let n = 0; n < events; n++) await theirs.command()
  await vi.waitFor(async () => expect(await theirs.list()).toBe(events), { timeout: RIGHT_MS })
  await theirs.close()
  name.leadTo(urlOf(second))
  name.cut()
  return async () => second
}

// `for` hands over the test's own tools, without which tests at once would end each other's servers.
test.concurrent.for(Object.entries(FAULTS))(
  '[NODE-10] [NODE-11] Redis is %s: commands go on, and all is right again within 20 s',
  { timeout: 3 * RIGHT_MS },
  async ([, begin], { expect, onTestFinished }) => {
    const [first, second] = await Promise.all([startRedis(), startRedis()])
    onTestFinished(async () => void (await Promise.all([first.stop(), second.stop()])))
    const name = await openLine(urlOf(first))
    onTestFinished(() => name.close())
    const parts = await redisParts(name.url.replace('http', 'redis'))
    onTestFinished(() => parts.close())
    await parts.command()
    await expect.poll(() => parts.wrong(first.url), { timeout: RIGHT_MS }).toEqual([])

    const end = await begin({ name, first, second })
    const until = performance.now() + FAULT_MS
    while (performance.now() < until) {
      await parts.command()
      const began = performance.now()
      const shown = await parts.list()
      expect(performance.now() - began, 'nobody waits for long').toBeLessThan(slowly(3_000))
      // What was told once is never taken back: a list is of now, of a moment ago, or says why there is none.
      if (typeof shown === 'string') expect(shown).toMatch(/^ViewsUnavailable: ./)
      await pause(100)
    }
    const meeting = await end()
    await expect.poll(() => parts.wrong(meeting.url), { timeout: RIGHT_MS, interval: 100 }).toEqual([])
  },
)
