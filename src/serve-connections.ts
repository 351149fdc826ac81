import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { lastOf } from './log/last-of.ts'
import type { Log } from './log/log.ts'
import { countedHere } from './presence/counted-here.ts'
import { type GuestStore, openGuestFile } from './presence/guest-file.ts'
import { openHeartbeat } from './presence/heartbeat.ts'
import type { Leases } from './presence/leases.ts'
import { type LivenessProbe, localProbe } from './presence/liveness-probe.ts'
import { memoryLeases } from './presence/memory.ts'
import { openReceiptFile } from './presence/receipt-file.ts'
import type { ReceiptStore } from './presence/receipt-store.ts'

export interface ConnectionPartsOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly onError: (error: unknown) => void
}

/**
 * What is known of connections: who holds some, whether anybody is at their other end, and when somebody who has none
 * was last seen.
 */
export interface ConnectionParts {
  readonly leases: Leases
  readonly liveness: LivenessProbe
  readonly receipts: ReceiptStore
  /** Who came to this node without a token. */
  readonly guests: GuestStore
  lastSeen(person: string): Promise<number | null>
  /** When the process before this one was last alive, where there is one at a time. */
  readonly diedAt: number | null
  /** From now on the next process is told that this one is alive. */
  beat(): void
  /** The node whose leases alone count, where there is one; null = those of all. */
  readonly onlyNode: string | null
  stop(): Promise<void>
}

/** To be called before anything is recorded. */
export async function connectionParts({
  config,
  clock,
  log,
  onError,
}: ConnectionPartsOptions): Promise<ConnectionParts> {
  const { redisUrl: url, leaseMs: ttlMs, dataDirectory } = config
  const guests = await openGuestFile(join(dataDirectory, 'guests'), onError)
  const node = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  // Not loaded where there is no Redis: a start is shorter by its library.
  const inRedis =
    url === null ? null : await (await import('./presence/redis.ts')).openRedisLeases({ url, node, ttlMs })
  const here = localProbe()
  if (url !== null && inRedis !== null && config.eventStoreUrl !== null) {
    const { openRedisProbe } = await import('./presence/redis-liveness-probe.ts')
    const { openRedisReceipts } = await import('./presence/redis-receipts.ts')
    const liveness = await openRedisProbe({ url, node, here, leases: inRedis, clock, onError })
    const receipts = await openRedisReceipts({ url, onError })
    return {
      leases: inRedis,
      liveness,
      receipts,
      guests,
      onlyNode: null,
      diedAt: null,
      beat() {},
      async lastSeen(person) {
        const seen = (await inRedis.elsewhere(person)).map(({ renewedAt }) => renewedAt)
        return seen.length === 0 ? null : Math.max(...seen)
      },
      stop: async () => void (await Promise.all([liveness.stop(), inRedis.close(), receipts.close(), guests.close()])),
    }
  }
  // One node. Leases of another name are those of its dead predecessor, which lived at least until the last event and
  // its last heartbeat.
  const leases = inRedis === null ? memoryLeases() : countedHere(inRedis, memoryLeases())
  const lastEventAt = (await lastOf(log))?.at ?? 0
  const heartbeat = await openHeartbeat(join(dataDirectory, 'alive'), clock, onError)
  const receipts = await openReceiptFile(join(dataDirectory, 'receipts'), onError)
  const aliveUntil = Math.max(heartbeat.lastBeat ?? 0, lastEventAt) || null
  return {
    leases,
    liveness: here,
    receipts,
    guests,
    onlyNode: node,
    lastSeen: async () => null,
    diedAt: aliveUntil,
    beat: heartbeat.start,
    stop: async () => void (await Promise.all([heartbeat.stop(), leases.close(), receipts.close(), guests.close()])),
  }
}
