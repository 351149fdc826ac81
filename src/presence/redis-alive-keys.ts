import { Redis } from 'ioredis'
import { type Clock, systemClock, type Timer } from '../clock.ts'
import { type AliveKeys, aliveKey, aliveValue, userKey, userValue, type Visit } from './alive-keys.ts'
import { GONE_LUA, KEEP_LUA, LEAVE_LUA } from './redis-alive-script.ts'
import { redisOptions } from './redis-connection.ts'
import { leaseKey } from './redis-script.ts'

export interface RedisAliveKeysOptions {
  readonly url: string
  /**
   * When the present presence of a person began, as recorded, milliseconds since 1970; undefined = they are offline.
   */
  readonly since: (person: string) => number | undefined
  readonly onError: (error: unknown) => void
  /** How long the keys of a dead node live: at most 60,000, the same as the leases'. Default 30,000. */
  readonly ttlMs?: number
  /** The only node whose leases count, where there is one; null or left out: those of all. */
  readonly onlyNode?: string | null
  /** Of the leases' keys; the contract's own have none. Default `lyceum:`. */
  readonly prefix?: string
  /** Paces the renewals. */
  readonly clock?: Clock
}

/** Visits in one call: Redis does nothing else meanwhile. */
const BATCH = 100

/**
 * The keys in Redis. Nothing here is repeated: whatever could not be written is written with the next renewal (each
 * `ttlMs / 3`, and at once after a broken connection), whatever could not be removed expires. Resolves also when Redis
 * is away.
 */
export async function openRedisAliveKeys(options: RedisAliveKeysOptions): Promise<AliveKeys> {
  const { url, since, onError, ttlMs = 30_000, prefix = 'lyceum:', clock = systemClock } = options
  const only = options.onlyNode ? `${options.onlyNode}/` : ''
  const timeoutMs = Math.max(500, Math.min(1_000, ttlMs / 6))
  const held = new Map<string, Visit>()
  /**
   * People whose keys may still be there: teachers who were here, and whoever's key was handed to a socket that may be
   * gone.
   */
  const shown = new Map<string, Visit>()
  let timer: Timer | undefined
  let renewing: Promise<void> | undefined
  let closed = false

  const redis = new Redis(url, {
    ...redisOptions(timeoutMs),
    scripts: {
      keep: { lua: KEEP_LUA },
      leave: { lua: LEAVE_LUA, numberOfKeys: 2 },
      gone: { lua: GONE_LUA, numberOfKeys: 3 },
    },
  }) as Redis & Scripts // ioredis adds a method for each script
  redis.on('error', () => {}) // every call that fails says so itself

  const write = async (how: 'enter' | 'keep', visits: readonly Visit[]): Promise<void> => {
    const keys: string[] = []
    const values: string[] = []
    for (const visit of visits) {
      const { person, org, id, role } = visit
      const began = role === 'teacher' ? since(person) : undefined
      const taught = org !== null && began !== undefined
      if (taught) shown.set(person, visit)
      keys.push(userKey(id), taught ? aliveKey(org, id) : userKey(id))
      values.push(userValue(visit), taught ? aliveValue(began) : '')
    }
    await redis.keep(keys.length, ...keys, ttlMs, how, ...values)
  }

  const renew = async (): Promise<void> => {
    const sockets = [...held.keys()]
    for (let i = 0; i < sockets.length; i += BATCH) {
      // Looked at again batch by batch: a socket may close while an earlier batch is on its way.
      const visits = sockets.slice(i, i + BATCH).flatMap((socket) => held.get(socket) ?? [])
      if (visits.length > 0) await write('keep', visits)
    }
  }

  function renewNow(): void {
    if (renewing !== undefined || closed) return
    timer?.cancel()
    renewing = renew()
      .catch(onError)
      .finally(() => {
        renewing = undefined
        if (!closed) timer = clock.after(ttlMs / 3, renewNow)
      })
  }

  const keys: AliveKeys = {
    async enter(visit) {
      held.set(visit.socket, visit)
      await write('enter', [visit]).catch(onError)
    },
    async leave(socket) {
      const visit = held.get(socket)
      if (!held.delete(socket) || visit === undefined) return
      const [user, leases] = [userKey(visit.id), leaseKey(prefix, visit.person)]
      shown.set(visit.person, visit) // first: they may be recorded as gone before the answer is here
      const handedOn = await redis
        .leave(user, leases, userValue(visit), socket, behindSid(visit), String(ttlMs), only)
        .catch(onError)
      if (handedOn !== 1 && visit.role !== 'teacher') shown.delete(visit.person)
    },
    async gone(person, state) {
      const visit = shown.get(person)
      if (visit === undefined) return
      if (state === 'offline') shown.delete(person)
      const { org, id } = visit
      const alive = org === null ? userKey(id) : aliveKey(org, id)
      await redis.gone(userKey(id), leaseKey(prefix, person), alive, only, behindSid(visit), state).catch(onError)
    },
    async close() {
      if (closed) return
      closed = true
      timer?.cancel()
      await renewing
      await Promise.all([...held.keys()].map((socket) => keys.leave(socket)))
      redis.disconnect()
    },
  }

  redis.on('ready', renewNow)
  await redis.connect().catch(onError)
  return keys
}

interface Scripts {
  keep(...args: (string | number)[]): Promise<unknown>
  leave(user: string, leases: string, ...args: string[]): Promise<unknown>
  gone(user: string, leases: string, alive: string, ...args: string[]): Promise<unknown>
}

/** The value of `{user_id}` behind the socket's id. */
function behindSid(visit: Visit): string {
  const value = userValue(visit)
  return value.slice(value.indexOf(visit.socket) + visit.socket.length)
}
