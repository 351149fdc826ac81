import { Redis } from 'ioredis'
import type { Receipt, ReceiptStore } from './receipt-store.ts'
import { receiptIn, receiptText } from './receipt-text.ts'
import { redisOptions } from './redis-connection.ts'
import { FRESH } from './redis-script.ts'

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

/** KEYS: a person's receipts. ARGV: socket, receipt, how long it is kept in seconds. */
const PUT_LUA = `
${FRESH}
fresh(KEYS[1], 'hash')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
`

/** KEYS: a person's receipts. ARGV: socket, mark. Marks a receipt that is still there. */
const LOSE_LUA = `
${FRESH}
fresh(KEYS[1], 'hash')
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text and string.sub(text, -#ARGV[2]) ~= ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], text .. ARGV[2]) end
`

/** KEYS: a person's receipts. ARGV: socket. */
const DROP_LUA = `
${FRESH}
fresh(KEYS[1], 'hash')
redis.call('HDEL', KEYS[1], ARGV[1])
`

/** KEYS: a person's receipts. Gives socket and receipt in turn. */
const ALL_LUA = `
${FRESH}
fresh(KEYS[1], 'hash')
return redis.call('HGETALL', KEYS[1])
`

/**
 * The receipts of all nodes: a hash for each person, a field for each connection. While Redis is away nothing is known
 * of anybody, and who comes back is told how it stands, not what they have missed.
 */
export async function openRedisReceipts(options: RedisReceiptsOptions): Promise<ReceiptStore> {
  const { url, prefix = 'lyceum:', onError } = options
  const redis = new Redis(url, {
    ...{ ...redisOptions(TIMEOUT_MS), enableAutoPipelining: true },
    scripts: {
      putReceipt: { lua: PUT_LUA, numberOfKeys: 1 },
      loseReceipt: { lua: LOSE_LUA, numberOfKeys: 1 },
      dropReceipt: { lua: DROP_LUA, numberOfKeys: 1 },
      allReceipts: { lua: ALL_LUA, numberOfKeys: 1 },
    },
  }) as Redis & Scripts // ioredis adds a method for each script
  redis.on('error', () => {}) // every call that fails says so itself
  await redis.connect().catch(onError)
  const keyOf = (person: string): string => `${prefix}receipts:${person}`
  const written = (asked: Promise<unknown>): void => void asked.catch(onError)

  return {
    put(person, receipt) {
      written(redis.putReceipt(keyOf(person), receipt.socket, receiptText(receipt), String(KEPT_S)))
    },
    lose: (person, socket) => written(redis.loseReceipt(keyOf(person), socket, LOST)),
    drop: (person, socket) => written(redis.dropReceipt(keyOf(person), socket)),
    async of(person) {
      try {
        const all = await redis.allReceipts(keyOf(person))
        return all.flatMap((socket, i): Receipt | [] => {
          const value = all[i + 1]
          if (i % 2 === 1 || value === undefined) return []
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

interface Scripts {
  putReceipt(key: string, socket: string, receipt: string, keptS: string): Promise<unknown>
  loseReceipt(key: string, socket: string, mark: string): Promise<unknown>
  dropReceipt(key: string, socket: string): Promise<unknown>
  allReceipts(key: string): Promise<readonly string[]>
}
