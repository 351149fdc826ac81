import { afterEach, describe, expect, test } from 'vitest'
import { type Leases, LeasesUnavailable } from '../../src/presence/leases.ts'
import { memoryLeases } from '../../src/presence/memory.ts'
import { anna, graceMs, type Node, ttlMs, type World, world } from './world.ts'

const inMemory = async (): Promise<Leases> => memoryLeases()

let it: World
const begin = async (openLeases: () => Promise<Leases> = inMemory): Promise<Node> => {
  it = world(openLeases)
  return it.boot()
}
const recorded = () => it.log.map(({ type }) => type)
const crash = async (node: Node, downMs: number): Promise<Node> => {
  it.kill(node)
  it.clock.advance(downMs)
  return it.boot()
}

afterEach(async () => {
  for (const node of it.nodes.filter(({ alive }) => alive)) await node.keeper.stop()
  expect(it.clock.pending()).toBe(0)
})

describe('after a crash', () => {
  test(
    '[GRACE-9] everybody who was online is lost at once, as of when the server died, and gets the ' +
      'whole grace from the start',
    async () => {
      const node = await begin()
      await it.connect(node)
      it.clock.advance(5_000)
      const diedAt = it.clock.now()
      await crash(node, 60_000)
      expect(it.log.at(-1)).toEqual({ type: 'ConnectionLost', at: diedAt, until: it.clock.now() + graceMs })
    },
  )

  test('who was lost already gets the whole grace from the start too, and not a millisecond more', async () => {
    const node = await begin()
    await it.connect(node, 's1')
    await it.end(node, 's1', 'lost')
    await crash(node, 60_000)
    await it.pass(graceMs - 1)
    expect(it.state()).toBe('lost')
    await it.pass(1)
    expect(it.state()).toBe('offline')
  })

  test('who comes back within that grace was never gone', async () => {
    const node = await begin()
    await it.connect(node, 's1')
    await it.end(node, 's1', 'lost')
    const next = await crash(node, 60_000)
    await it.pass(graceMs - 1)
    await it.connect(next, 's2')
    await it.pass(ttlMs)
    expect(recorded()).toEqual(['CameOnline', 'ConnectionLost', 'CameBack'])
  })
})

describe('the end of a grace', () => {
  test('comes when its time is over and not before', async () => {
    const node = await begin()
    await it.connect(node, 's1')
    await it.end(node, 's1', 'lost')
    await it.settle()
    it.clock.advance(graceMs - 1)
    await it.settle()
    expect(it.state()).toBe('lost')
    it.clock.advance(1)
    await it.settle()
    expect(it.log.at(-1)).toMatchObject({ type: 'WentOffline', reason: 'grace-over' })
  })

  test('is seen by the other nodes when the one that recorded the loss has died', async () => {
    const node = await begin()
    await it.boot()
    await it.connect(node, 's1')
    await it.end(node, 's1', 'lost')
    await it.settle()
    it.kill(node)
    await it.pass(graceMs)
    expect(it.state()).toBe('offline')
  })
})

describe('two nodes', () => {
  /** Leases of both, where something happens after the next release was counted and before anybody knows. */
  const interrupted = () => {
    const shared = memoryLeases()
    const gap = { meanwhile: async (): Promise<void> => {} }
    const leases: Leases = {
      ...shared,
      async release(person, socket) {
        const left = await shared.release(person, socket)
        await gap.meanwhile()
        return left
      },
    }
    return { gap, open: async () => leases }
  }

  test(
    'whoever comes to one between the count of the other and its record is recorded as there in the ' + 'end',
    async () => {
      const { gap, open } = interrupted()
      const node = await begin(open)
      const other = await it.boot()
      await it.connect(node, 's1')
      gap.meanwhile = () => it.connect(other, 's2')
      await it.end(node, 's1', 'closed') // nobody delivers anything: the node that was wrong looks again by itself
      expect(recorded()).toEqual(['CameOnline', 'WentOffline', 'CameOnline'])
    },
  )

  test(
    'when the node that was wrong dies before it looks again, the node of the socket hears it and ' + 'puts it right',
    async () => {
      const { gap, open } = interrupted()
      const node = await begin(open)
      const other = await it.boot()
      await it.connect(node, 's1')
      gap.meanwhile = () => it.connect(other, 's2')
      const ending = it.end(node, 's1', 'closed')
      while (it.state() === 'online') await new Promise(setImmediate)
      it.kill(node)
      void ending // of a dead node: it never resolves
      await it.settle()
      expect(it.state()).toBe('online')
    },
  )
})

describe('a return from a loss that nobody noticed', () => {
  test('is recorded with its loss, once', async () => {
    const node = await begin()
    await it.connect(node, 's1')
    const lostAt = it.clock.now() + 1_000
    it.clock.advance(4_000)
    await it.connect(node, 's2')
    const times = { lostAt, backAt: it.clock.now(), backBefore: null }
    await Promise.all([node.keeper.recordReturn(anna, 'agent', times), node.keeper.recordReturn(anna, 'agent', times)])
    await it.end(node, 's1', 'lost') // half a minute later Engine.IO finds out, too
    await it.pass(2 * ttlMs)
    expect(it.log.slice(1)).toEqual([
      { type: 'ConnectionLost', at: lostAt, until: lostAt + graceMs },
      { type: 'CameBack', role: 'agent', at: times.backAt },
    ])
  })
})

describe('without leases', () => {
  const broken = () => {
    const leases = memoryLeases()
    const fault = { on: false }
    /** What was taken or given back counts nevertheless, as the port demands. */
    const whole = async (): Promise<void> => {
      if (fault.on) throw new LeasesUnavailable('broken by the test')
    }
    const open = async (): Promise<Leases> => ({
      hold: (person, socket) => leases.hold(person, socket).finally(whole),
      release: (person, socket) => leases.release(person, socket).finally(whole),
      count: (people) => whole().then(() => leases.count(people)),
      elsewhere: (person) => whole().then(() => leases.elsewhere(person)),
      close: leases.close,
    })
    return { fault, leases, open }
  }

  test('who comes is recorded all the same', async () => {
    const { fault, open } = broken()
    const node = await begin(open)
    fault.on = true
    await it.connect(node, 's1')
    expect(recorded()).toEqual(['CameOnline'])
    expect(node.errors).toEqual([expect.any(LeasesUnavailable)])
  })

  test('who closes the last socket known here is gone only when the leases can be counted again', async () => {
    const { fault, open } = broken()
    const node = await begin(open)
    await it.connect(node, 's1')
    fault.on = true
    await it.end(node, 's1', 'closed')
    await it.pass(3 * ttlMs)
    expect(it.state()).toBe('online')
    fault.on = false
    await it.pass(1_000)
    expect(it.log.at(-1)).toMatchObject({ type: 'WentOffline', reason: 'left' })
  })

  test(
    'a sweep that cannot count proves nothing: nobody is called dead by one look before it and one ' + 'after it',
    async () => {
      const { fault, leases, open } = broken()
      const node = await begin(open)
      await it.boot()
      await it.connect(node, 's1')
      await it.settle()
      it.kill(node)
      await leases.release(anna, 's1') // as it would expire
      await it.pass(ttlMs / 3)
      fault.on = true
      await it.pass(ttlMs / 3)
      fault.on = false
      await it.pass(ttlMs / 3)
      expect(it.state()).toBe('online')
      await it.pass(ttlMs / 3)
      expect(it.state()).toBe('lost')
    },
  )

  test('who closes one of two sockets here and the other one afterwards is gone as well', async () => {
    const { fault, open } = broken()
    const node = await begin(open)
    await it.connect(node, 's1')
    await it.connect(node, 's2')
    fault.on = true
    await it.end(node, 's1', 'closed')
    await it.end(node, 's2', 'lost')
    fault.on = false
    await it.pass(2 * ttlMs)
    expect(it.state()).not.toBe('online')
  })
})

describe('without a log', () => {
  test('who is back in time is not expired, although the return could not be recorded', async () => {
    const node = await begin()
    await it.connect(node, 's1')
    await it.end(node, 's1', 'lost')
    await it.pass(graceMs - 1)
    it.logBroken = true
    await expect(it.connect(node, 's2')).rejects.toThrow('broken by the test')
    it.logBroken = false
    await it.pass(ttlMs)
    expect(recorded()).toEqual(['CameOnline', 'ConnectionLost', 'CameBack'])
  })

  test('who comes is told, and is recorded by the next sweep as long as the socket stays', async () => {
    const node = await begin()
    it.logBroken = true
    await expect(it.connect(node, 's1')).rejects.toThrow('broken by the test')
    it.logBroken = false
    await it.pass(ttlMs / 3)
    expect(recorded()).toEqual(['CameOnline'])
  })

  test('who goes is recorded when the log is back', async () => {
    const node = await begin()
    await it.connect(node, 's1')
    it.logBroken = true
    await it.end(node, 's1', 'closed')
    await it.pass(5_000)
    it.logBroken = false
    await it.pass(1_000)
    expect(recorded()).toEqual(['CameOnline', 'WentOffline'])
  })
})

test('what ends after the stop is not recorded: at the next start it gets the grace', async () => {
  const node = await begin()
  await it.connect(node, 's1')
  await node.keeper.stop()
  await it.end(node, 's1', 'closed')
  await expect(it.connect(node, 's2')).rejects.toThrow('presence has stopped')
  expect(recorded()).toEqual(['CameOnline'])
})
