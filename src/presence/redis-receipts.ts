import { Redis } from 'ioredis'
import type { Receipt, ReceiptStore } from './receipt-store.ts'
import { receiptIn, receiptText } from './receipt-text.ts'
import { redisOptions } from './redis-connection.ts'

export interface RedisReceiptsOptions {
  readonly url: string
  /** Of every key. Default `lyceum:`. */
  readonly prefix?: string
  readonly onError: (error: unknown) => void
}

/** Whoever stays away for longer is somebody new. */
const KEPT_S = 24 * 60 * 60
const TIMEOUT_MS = 1_000
/** Stands behind the text of a receipt whose connection was lost. */
const LOST = ' lost'

/** KEYS: a person's receipts. ARGV: socket, mark. Marks a receipt that is still there. */
const LOSE_LUA = `
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text and string.sub(text, -#ARGV[2]) ~= ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], text .. ARGV[2]) end
`

/**
 * The receipts of all nodes: a hash for each person, a field for each connection. While Redis is away nothing is known
 * of anybody, and who comes back is told how it stands, not what they have missed.
 */
export async function openRedisReceipts(options: RedisReceiptsOptions): Promise<ReceiptStore> {
  const { url, prefix = 'lyceum:', onError } = options
  const redis = new Redis(url, { ...redisOptions(TIMEOUT_MS), enableAutoPipelining: true })
  redis.on('error', () => {}) // every call that fails says so itself
  await redis.connect().catch(onError)
  const keyOf = (person: string): string => `${prefix}receipts:${person}`
  const written = (asked: Promise<unknown>): void => void asked.catch(onError)

  return {
    put(person, receipt) {
      written(redis.hset(keyOf(person), receipt.socket, receiptText(receipt)))
      written(redis.expire(keyOf(person), KEPT_S))
    },
    lose: (person, socket) => written(redis.eval(LOSE_LUA, 1, keyOf(person), socket, LOST)),
    drop: (person, socket) => written(redis.hdel(keyOf(person), socket)),
    async of(person) {
      try {
        const all = Object.entries(await redis.hgetall(keyOf(person)))
        return all.flatMap(([socket, value]): Receipt | [] => {
          const isLost = value.endsWith(LOST)
          const receipt = receiptIn(socket, isLost ? value.slice(0, -LOST.length) : value)
          return receipt ? { ...receipt, isLost } : []
        })
      } catch (error) {
        onError(error)
        return []
      }
    },
    keepOnly() {}, // other nodes' people, and those of nodes that are yet to start: they end by themselves
    forget() {},
    async close() {
      await redis.quit().catch(() => redis.disconnect())
    },
  }
}
