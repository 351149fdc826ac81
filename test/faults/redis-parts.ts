import { Redis } from 'ioredis'
import { systemClock } from '../../src/clock.ts'
import type { Log } from '../../src/log/log.ts'
import { aliveKey, userKey } from '../../src/presence/alive-keys.ts'
import { localProbe } from '../../src/presence/liveness-probe.ts'
import { openRedisLeases } from '../../src/presence/redis.ts'
import { openRedisAliveKeys } from '../../src/presence/redis-alive-keys.ts'
import { openRedisProbe } from '../../src/presence/redis-liveness-probe.ts'
import { openRedisReceipts } from '../../src/presence/redis-receipts.ts'
import { openRedisViews } from '../../src/views/redis.ts'
import { runViews } from '../../src/views/runner.ts'
import { added, type Box, boxes, record, trial, trialLog } from '../views/trial.ts'

/** Everything of a node that speaks to Redis, and whether it does its work where the nodes are to meet. */
export interface RedisParts {
  /** One more event in the log: a command has gone on. */
  command(): Promise<void>
  /** What the list shows, or why it shows nothing. */
  list(): Promise<number | string>
  /** How many events there are: what the list has to show. */
  events(): number
  /** What is wrong in the Redis at this address, in words; empty = nothing. */
  wrong(url: string): Promise<readonly string[]>
  close(): Promise<void>
}

const TTL_MS = 3_000
const ANN = { person: 'acme.ann', org: 'acme', id: 'ann', role: 'teacher', socket: 's1' } as const
const RECEIPT = { socket: 's1', cursor: '1', silent: [], named: [], isGuessed: false }
const peer = { heardAt: () => 0, answers: async () => true }

/** `url`: what the node knows Redis by. */
export async function redisParts(url: string): Promise<RedisParts> {
  const log: Log = trialLog()
  const store = await openRedisViews({ url, commandTimeoutMs: 500 })
  const views = runViews({ log, store, projections: [trial(boxes)], pollMs: 200, onAlarm() {} })
  const node = 'here'
  const leases = await openRedisLeases({ url, node, ttlMs: TTL_MS })
  const here = localProbe()
  const probe = await openRedisProbe({ url, node, here, leases, clock: systemClock, onError() {} })
  const keys = await openRedisAliveKeys({ url, ttlMs: TTL_MS, since: () => 1_000, onError() {} })
  const receipts = await openRedisReceipts({ url, onError() {} })
  await leases.hold(ANN.person, ANN.socket)
  probe.open(ANN.person, ANN.socket, peer)
  await keys.enter(ANN)
  let events = 0

  const list = (): Promise<number | string> =>
    views.get<Box>('boxes', ['a']).then(
      ({ rows: [box] }) => box?.sum ?? 0,
      (error: Error) => `${error.name}: ${error.message}`,
    )

  /** Another node, which has come to know Redis just now. */
  const meets = async (at: string): Promise<readonly string[]> => {
    const other = await openRedisLeases({ url: at, node: 'there', ttlMs: TTL_MS })
    const there = localProbe()
    const asks = await openRedisProbe({
      ...{ url: at, node: 'there', here: there, leases: other, clock: systemClock, onError() {} },
    })
    const read = await openRedisReceipts({ url: at, onError() {} })
    const redis = new Redis(at)
    receipts.put(ANN.person, RECEIPT) // it is written anew with all that is told
    try {
      await other.hold('acme.bo', 's2').catch(() => {}) // counts nevertheless
      there.open('acme.bo', 's2', peer)
      const held = (await other.elsewhere(ANN.person)).filter(({ live }) => live)
      const counted = await leases.count([ANN.person]).catch((error: Error) => error.message)
      const heard = await asks.probe(ANN.person, null)
      const answered = await probe.probe('acme.bo', null)
      const [alive, user] = await redis.mget(aliveKey(ANN.org, ANN.id), userKey(ANN.id))
      const kept = await read.of(ANN.person)
      return [
        held.length === 1 ? '' : `leases: ${held.length} of one`,
        String(counted) === '1' ? '' : `leases: counted ${counted}`,
        heard === 'alive' ? '' : `probe channel: asked from elsewhere, ${heard}`,
        answered === 'alive' ? '' : `probe channel: asking elsewhere, ${answered}`,
        kept.length === 1 ? '' : `receipts: ${kept.length} of one`,
        alive?.includes('"state":"connect"') ? '' : `alive keys: ${alive}`,
        user?.includes('"sid":"s1"') ? '' : `alive keys: ${user}`,
      ].filter((what) => what !== '')
    } finally {
      redis.disconnect()
      await Promise.all([other.close(), asks.stop(), read.close()])
    }
  }

  return {
    async command() {
      await record(log, 'box-a', added(1))
      events++
    },
    list,
    events: () => events,
    async wrong(at) {
      const shown = await list()
      const views = shown === events ? [] : [`views: ${shown} of ${events}`]
      return views.length > 0
        ? views
        : meets(at).catch((error: Error) => [`nothing can be looked at: ${error.message}`])
    },
    async close() {
      await Promise.all([views.stop(), probe.stop(), keys.close()])
      await Promise.all([leases.close(), receipts.close(), store.close()])
    },
  }
}
