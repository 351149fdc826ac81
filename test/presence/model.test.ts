import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import type { Leases } from '../../src/presence/leases.ts'
import { memoryLeases } from '../../src/presence/memory.ts'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { sized } from '../support/sized.ts'
import { graceMs, type Node, ttlMs, type World, world } from './world.ts'

const node = fc.nat(1)
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('connect' as const), node }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        which: fc.nat(5),
        how: fc.constantFrom('closed' as const, 'lost' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), node }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('hear' as const), node }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        ms: fc.constantFrom(1_000, graceMs - 1, graceMs, ttlMs),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'settle' as const }) },
  ),
  { minLength: 4, maxLength: 24, size: 'max' },
)

interface Setting {
  readonly name: string
  readonly nodes: number
  readonly runs: number
  /** Whether the leases know that a node has died. */
  readonly deaths: boolean
  /** New leases for one world: the function opens those of each node that starts in it. */
  leases(): (clock: Clock, node: string) => Promise<Leases>
}

let server: RedisServer
const opened: Leases[] = []
beforeAll(async () => {
  server = await startRedis()
})
afterEach(async () => {
  for (const leases of opened.splice(0)) await leases.close()
})
afterAll(() => server.stop())

const settings: readonly Setting[] = [
  {
    name: 'one node, leases in memory',
    nodes: 1,
    runs: sized(100, 300),
    deaths: true,
    leases: () => async () => memoryLeases(),
  },
  {
    // Closer races than a real Redis lets happen, with two nodes that live for ever.
    name: 'two nodes, leases in one memory',
    nodes: 2,
    runs: sized(100, 300),
    deaths: false,
    leases() {
      const shared = memoryLeases()
      return async () => shared
    },
  },
  {
    name: 'two nodes, leases in Redis',
    nodes: 2,
    runs: sized(40, 100),
    deaths: true,
    leases() {
      const prefix = `${randomUUID()}:`
      return async (clock, name) => {
        const leases = await openRedisLeases({ url: server.url, node: name, prefix, ttlMs, clock, now: clock.now })
        opened.push(leases)
        return leases
      }
    },
  },
]

const living = (it: World): Node[] => it.nodes.filter(({ alive }) => alive)
const openSockets = (it: World) =>
  living(it).flatMap((each) => [...each.sockets].map((socket) => ({ node: each, socket })))

describe.each(settings)('presence: $name', (setting) => {
  const start = async (seed: number): Promise<World> => {
    const it = world(setting.leases(), seed)
    for (let i = 0; i < setting.nodes; i++) await it.boot()
    return it
  }
  // there are always that many
  const nodeOf = (it: World, index: number): Node => living(it)[index % setting.nodes] as Node

  const replaced = async (it: World, dead: Node): Promise<void> => {
    it.kill(dead)
    await it.boot()
  }
  const stop = async (it: World): Promise<void> => {
    await Promise.all(living(it).map(({ keeper }) => keeper.stop()))
    for (const leases of opened.splice(0)) await leases.close()
  }
  const holds = (property: (it: World) => Promise<void>, seed: number) =>
    start(seed).then((it) => property(it).finally(() => stop(it)))

  test('whatever comes, goes and dies in whatever order, what is recorded ends in the truth', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (given, seed) => {
        await holds(async (it) => {
          const under: Promise<void>[] = []
          for (const step of given) {
            // of a node that dies before it answers, for ever open
            if (step.do === 'connect') void it.connect(nodeOf(it, step.node))
            if (step.do === 'hear') it.deliver(nodeOf(it, step.node))
            if (step.do === 'kill' && setting.deaths) await replaced(it, nodeOf(it, step.node))
            if (step.do === 'pass') await it.pass(step.ms)
            if (step.do === 'settle') await it.settle()
            const ending =
              step.do === 'end' ? openSockets(it).at(step.which % Math.max(1, openSockets(it).length)) : undefined
            if (step.do === 'end' && ending !== undefined) under.push(it.end(ending.node, ending.socket, step.how))
          }
          await it.settle()
          const present = openSockets(it).length > 0
          // Without deaths at once; after a death when its leases are over and two sweeps have looked.
          const died = it.nodes.some(({ alive }) => !alive)
          if (died) await it.pass(2 * ttlMs)
          expect(it.state() === 'online').toBe(present)
          await it.pass(ttlMs)
          expect(it.state()).toBe(present ? 'online' : 'offline')
          expect(it.nodes.flatMap(({ errors }) => errors)).toEqual([])
        }, seed)
      }),
      { numRuns: setting.runs },
    )
  })

  test('who is back within the grace has never been offline, whoever lost them and wherever they return', async () => {
    const absence = fc.record({ gapMs: fc.integer({ min: 0, max: graceMs - 1 }), dies: fc.boolean(), returnsTo: node })
    await fc.assert(
      fc.asyncProperty(fc.array(absence, { minLength: 1, maxLength: 4 }), fc.nat(), async (absences, seed) => {
        await holds(async (it) => {
          await it.connect(nodeOf(it, 0))
          for (const { gapMs, dies, returnsTo } of absences) {
            for (const each of openSockets(it)) {
              if (dies && setting.deaths) await replaced(it, each.node)
              else void it.end(each.node, each.socket, 'lost')
            }
            await it.pass(gapMs)
            await it.connect(nodeOf(it, returnsTo))
            await it.settle()
            expect(it.state()).toBe('online')
          }
          await it.pass(3 * ttlMs)
          expect(it.log.filter(({ type }) => type === 'WentOffline' || type === 'CameOnline')).toHaveLength(1)
        }, seed)
      }),
      { numRuns: setting.runs / 2 },
    )
  })

  const dies = setting.deaths && setting.nodes > 1 // otherwise there is no other node that could be dead
  if (dies)
    test(
      '[NODE-6] whoever closes their last living connection is kept online by the leases of a dead node ' +
        'for no longer than those live, and was there until they closed it',
      async () => {
        await holds(async (it) => {
          const [first, second] = living(it) as [Node, Node] // two were started
          await it.connect(first)
          await it.connect(second, 'open')
          it.kill(first)
          const closedAt = it.clock.now()
          await it.end(second, 'open', 'closed')
          await it.pass(2 * ttlMs + graceMs) // the leases of the dead one have expired
          const lost = it.log.find(({ type }) => type === 'ConnectionLost')
          expect(lost).toMatchObject({ at: closedAt })
          expect(it.state()).toBe('offline')
        }, 1)
      },
    )

  test('as long as one socket is open, no late end of an older one is recorded', async () => {
    const change = fc.record({
      node,
      how: fc.constantFrom('closed' as const, 'lost' as const),
      afterMs: fc.constantFrom(0, 1, graceMs),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(), async (changes, seed) => {
        await holds(async (it) => {
          await it.connect(nodeOf(it, 0))
          for (const { node, how, afterMs } of changes) {
            const older = openSockets(it)
            const arrival = it.connect(nodeOf(it, node))
            if (setting.nodes > 1) await arrival // on one node the order of the calls is enough
            for (const each of older) void it.end(each.node, each.socket, how)
            await it.pass(afterMs)
          }
          await it.settle()
          expect(it.log.map(({ type }) => type)).toEqual(['CameOnline'])
        }, seed)
      }),
      { numRuns: setting.runs / 2 },
    )
  })
})
