import { Redis } from 'ioredis'
import { type Clock, systemClock, type Timer } from '../clock.ts'
import { type Lease, type Leases, LeasesUnavailable } from './leases.ts'
import { ownLeases } from './own-leases.ts'
import { redisOptions } from './redis-connection.ts'
import { LEASES_LUA, leaseKey, SEEN_LUA } from './redis-script.ts'

export interface RedisLeasesOptions {
  readonly url: string
  /** Of this process and no other, not even of an earlier one on the same host. */
  readonly node: string
  /** How long a dead node's leases live. Default 30,000; the same on all nodes. */
  readonly ttlMs?: number
  /** Of every key. Default `lyceum:`. */
  readonly prefix?: string
  /** Paces the renewals. */
  readonly clock?: Clock
  /**
   * Milliseconds since 1970, for tests that move time by hand; otherwise the Redis server's clock counts, the same for
   * all nodes.
   */
  readonly now?: () => number
}

/** Keys in one call: Redis does nothing else meanwhile, so not all at once. */
const BATCH = 200

/**
 * Leases of several nodes. Every lease of this node is renewed each `ttlMs / 3`, and at once after a broken connection:
 * whatever Redis has lost is whole again by then. Until `ttlMs / 2` after Redis was emptied or restarted other nodes'
 * leases may still be missing in it, so that calls reject with LeasesUnavailable although it answers; what they took or
 * gave back counts nevertheless.
 *
 * Resolves also when Redis is away: it is never on the path of a command. A process that starts in the first moments of
 * an emptied Redis cannot tell it from a new one and trusts it.
 */
export async function openRedisLeases(options: RedisLeasesOptions): Promise<Leases> {
  const { url, node, ttlMs = 30_000, prefix = 'lyceum:', clock = systemClock, now = () => '' } = options
  const commandTimeoutMs = Math.max(500, Math.min(1_000, ttlMs / 6))
  const own = ownLeases()
  let epoch: number | undefined
  let timer: Timer | undefined
  let renewing: Promise<void> | undefined
  let closed = false

  const redis = new Redis(url, redisOptions(commandTimeoutMs))
  redis.on('error', () => {}) // every call that fails says so itself

  const answered = async <T>(asked: Promise<T>): Promise<T> =>
    asked.catch((error: Error) => {
      throw new LeasesUnavailable(
        `Redis at ${redis.options.host}:${redis.options.port} gave no answer: ${error.message}`,
        { cause: error },
      )
    })

  /** Live leases of each of these people. */
  async function ask(
    action: 'hold' | 'release' | 'count',
    people: readonly string[],
    sockets: readonly string[] = [],
  ): Promise<number[]> {
    if (closed) throw new LeasesUnavailable('these leases are closed: the node is stopping')
    const keys = [`${prefix}leases-epoch`, ...people.map((person) => leaseKey(prefix, person))]
    const args = [action, ttlMs, now(), ...sockets.map((socket) => `${node}/${socket}`)]
    const answer = await answered(redis.eval(LEASES_LUA, keys.length, ...keys, ...args))
    const [began = 0, at = 0, ...counts] = answer as number[] // what the script returns
    epoch ??= began
    const wholeAt = began + ttlMs / 2
    if (began !== epoch && at < wholeAt) {
      throw new LeasesUnavailable(
        `Redis has lost its leases; the nodes are renewing them, its counts can be trusted in ${wholeAt - at} ms`,
      )
    }
    epoch = began
    return counts
  }

  async function renew(): Promise<void> {
    // Looked at again batch by batch: a socket may come or go while an earlier batch is on its way.
    for (const batch of inBatches(own.owed())) {
      const owed = batch.filter(([person, socket]) => !own.has(person, socket))
      await ask('release', owed.map(first), owed.map(second)).catch(untrusted)
      for (const [person, socket] of owed) own.settled(person, socket)
    }
    for (const batch of inBatches(own.all())) {
      const open = batch.filter(([person, socket]) => own.has(person, socket))
      await ask('hold', open.map(first), open.map(second)).catch(untrusted)
    }
  }

  function renewNow(): void {
    if (renewing !== undefined || closed) return
    timer?.cancel()
    renewing = renew()
      // repeated below, or as soon as the connection is back; callers hear of the outage from their own calls
      .catch(() => {})
      .finally(() => {
        renewing = undefined
        if (!closed) timer = clock.after(ttlMs / 3, renewNow)
      })
  }

  redis.on('ready', renewNow)
  try {
    await redis.connect()
    await ask('count', [])
  } catch {
    epoch = 0 // not seen from the beginning: what this Redis holds when it comes back is trusted only after a while
    renewNow()
  }

  return {
    async hold(person, socket) {
      own.add(person, socket)
      const [count = 0] = await ask('hold', [person], [socket])
      return count
    },
    async release(person, socket) {
      own.remove(person, socket)
      // Also what could not be given back earlier: it must not be counted as somebody else's.
      const owed = own.owedOf(person)
      const counts = await ask('release', owed.map(first), owed.map(second))
      for (const [, each] of owed) own.settled(person, each)
      return counts.at(-1) ?? 0
    },
    async count(people) {
      const counts: number[] = []
      for (const batch of inBatches(people)) counts.push(...(await ask('count', batch)))
      return counts
    },
    async elsewhere(person) {
      const answer = await answered(redis.eval(SEEN_LUA, 1, leaseKey(prefix, person)))
      const [serverNow, members] = answer as [number, string[]] // what the script returns
      const at = Number(now() || serverNow)
      const leases: Lease[] = []
      for (let i = 0; i < members.length; i += 2) {
        const [holder = '', socket = ''] = (members[i] ?? '').split('/')
        if (socket === '') continue // no node has written that
        const expiry = Number(members[i + 1])
        // By this node's clock, which is the one that it compares with.
        if (holder !== node)
          leases.push({ node: holder, socket, renewedAt: clock.now() - (at - (expiry - ttlMs)), live: expiry > at })
      }
      return leases
    },
    async close() {
      if (closed) return
      timer?.cancel()
      for (const [person, socket] of own.all()) own.remove(person, socket)
      await renewing
      await renew().catch(() => {}) // they expire by themselves
      closed = true
      timer?.cancel()
      redis.disconnect()
    },
  }
}

/** An untrusted count does not matter to a renewal: its leases are taken or given back all the same. */
function untrusted(error: unknown): void {
  if (!(error instanceof LeasesUnavailable) || error.cause !== undefined) throw error
}

type Pair = readonly [person: string, socket: string]
const first = ([person]: Pair): string => person
const second = ([, socket]: Pair): string => socket

function inBatches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, i) => items.slice(i * BATCH, (i + 1) * BATCH))
}
