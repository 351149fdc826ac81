import type { RedisOptions } from 'ioredis'
import { isOnReplica } from '../read-only-redis.ts'

/**
 * How presence speaks to Redis: a call is answered soon or fails, and is never repeated late, which could revive a
 * lease or a key that was given back since. What failed is made good by the next renewal. `timeoutMs`: for one call; a
 * connection that says nothing for three is dead.
 */
export const redisOptions = (timeoutMs: number) =>
  ({
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    socketTimeout: 3 * timeoutMs,
    reconnectOnError: isOnReplica,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  }) satisfies RedisOptions
