import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { Leases } from '../../src/presence/leases.ts'
import { type LivenessProbe, localProbe, type Peer } from '../../src/presence/liveness-probe.ts'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { openRedisProbe } from '../../src/presence/redis-liveness-probe.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { slowly } from '../support/slowness.ts'

const anna = 'acme.anna'
/**
 * A connection with or without somebody at its other end; a silent one says so at once instead of after some seconds.
 */
const peer = (alive: boolean, heardAt = 0): Peer => ({
  heardAt: () => heardAt,
  answers: async () => alive,
})

describe('on one node', () => {
  test('nobody has no other connections, and whoever asks is not asked', async () => {
    const liveness = localProbe()
    expect(await liveness.probe(anna, null)).toBeNull()
    liveness.open(anna, 's1', peer(true))
    liveness.open('acme.bo', 's2', peer(true))
    expect(await liveness.probe(anna, 's1')).toBeNull()
    liveness.close(anna, 's1')
    expect(await liveness.probe(anna, null)).toBeNull()
  })
  test('one that answers is enough', async () => {
    const liveness = localProbe()
    liveness.open(anna, 's1', peer(false, 5))
    liveness.open(anna, 's2', { ...peer(false), answers: () => new Promise(() => {}) }) // nobody waits for it
    liveness.open(anna, 's3', peer(true))
    expect(await liveness.probe(anna, 'new')).toBe('alive')
  })
  test('when none answers, it is told when something last came', async () => {
    const liveness = localProbe()
    liveness.open(anna, 's1', peer(false, 5))
    liveness.open(anna, 's2', peer(false, 7))
    expect(await liveness.probe(anna, 'new')).toBe(7)
  })
})

describe('[NODE-6] on several nodes', () => {
  let server: RedisServer
  const closing: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  afterAll(() => server.stop())

  interface Node {
    readonly leases: Leases
    readonly liveness: LivenessProbe
    /** A socket with its lease. */
    hold(socket: string, its: Peer): Promise<void>
  }

  const node = async (name: string, prefix: string): Promise<Node> => {
    const leases = await openRedisLeases({ url: server.url, node: name, prefix, ttlMs: slowly(3_000) })
    const errors: unknown[] = []
    const onError = (error: unknown): void => void errors.push(error)
    const liveness = await openRedisProbe({
      url: server.url,
      node: name,
      here: localProbe(),
      leases,
      clock: systemClock,
      onError,
      prefix,
    })
    closing.push(liveness.stop, () => leases.close())
    const hold = async (socket: string, its: Peer): Promise<void> => {
      liveness.open(anna, socket, its)
      await leases.hold(anna, socket)
    }
    return { leases, liveness, hold }
  }
  const two = async (): Promise<[Node, Node]> => {
    const prefix = `${randomUUID()}:`
    return [await node('a', prefix), await node('b', prefix)]
  }

  test('a connection of another node answers', async () => {
    const [a, b] = await two()
    await a.hold('s1', peer(true))
    expect(await b.liveness.probe(anna, 's2')).toBe('alive')
  })
  test(
    'a silent one of a living node is told with its time, and keeps its lease: that node will find ' + 'out itself',
    async () => {
      const [a, b] = await two()
      await a.hold('s1', peer(false, 42))
      await b.hold('s2', peer(false, 41))
      expect(await b.liveness.probe(anna, null)).toBe(42)
      expect(await b.leases.count([anna])).toEqual([2])
    },
  )
  test('the leases of a node that is gone tell when they were last renewed, and end by themselves', async () => {
    const [a, b] = await two()
    const heldAt = Date.now()
    await a.hold('s1', peer(true))
    await a.liveness.stop() // as its death does; its leases go on
    const result = await b.liveness.probe(anna, 's2')
    expect(Math.abs(Number(result) - heldAt)).toBeLessThan(1_000)
    expect(await b.leases.count([anna])).toEqual([1])
  })
  test('while Redis is away everybody counts as alive, and afterwards nodes find each other again', async () => {
    const [a, b] = await two()
    await a.hold('s1', peer(true))
    await server.kill()
    expect(await b.liveness.probe(anna, 's2')).toBe('alive')
    await server.restart()
    await expect.poll(() => b.leases.count([anna]).catch(() => [])).toEqual([1])
    expect(await b.liveness.probe(anna, 's2')).toBe('alive')
  })
})
