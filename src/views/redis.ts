import { Redis } from 'ioredis'
import type { Checkpoint } from '../log/log.ts'
import { isOnReplica } from '../read-only-redis.ts'
import { COMMIT, EVENT_ID, POSITION, PROMOTE, run, SCAN } from './redis-scripts.ts'
import { type Change, type Entry, type Json, type ViewStore, ViewsUnavailable } from './store.ts'
import { viewOf } from './table-name.ts'

export interface RedisViewsOptions {
  /** `redis://…` or `rediss://…` */
  readonly url: string
  /** What all keys begin with, so that several installations can share one Redis. Default `lyceum`. */
  readonly prefix?: string
  /**
   * After this long an answer counts as not coming: its outcome is unknown, the compare-and-set sorts it out. Default
   * 2000.
   */
  readonly commandTimeoutMs?: number
}

/** Redis takes at most 1,048,576 arguments per command, and holds everybody up while it works through them. */
const MAX_ARGUMENTS = 500_000

/**
 * Views in Redis 6 or newer. A table is a hash (rows by key, and the position) and a sorted set (index entries); all
 * keys of one view share a hash tag, so that each script stays on one node of a cluster. May be lost, emptied or
 * restored at any moment: a table that is gone stands at null, and the compare-and-set fails for whoever thinks
 * otherwise. A table in which something stands that this program does not write is as good as gone: it is thrown
 * away, and folded again. A Redis that is down at the start is no error here: the methods reject with ViewsUnavailable
 * until it comes. Throws for a url that is none.
 */
export async function openRedisViews({
  url,
  prefix = 'lyceum',
  commandTimeoutMs = 2_000,
}: RedisViewsOptions): Promise<ViewStore> {
  if (!/^rediss?:\/\/./.test(url))
    throw new Error(`the Redis url must look like redis://host:6379, got ${JSON.stringify(url)}`)
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    socketTimeout: 3 * commandTimeoutMs, // a connection that says nothing for so long is dead
    reconnectOnError: isOnReplica,
    retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 10), 1_000) * (0.5 + Math.random() / 2),
  })
  // Every command that suffers from a lost connection rejects by itself; without a listener ioredis would print to the
  // console.
  redis.on('error', () => {})
  await redis.connect().catch(() => {})

  const viewKey = (view: string, what: string) => `{${prefix}:${view}}:${what}`
  const tableKey = (table: string, what: string) => viewKey(viewOf(table), `${table}:${what}`)
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer
    } catch (error) {
      throw new ViewsUnavailable(`Redis did not answer: ${(error as Error).message}`, { cause: error })
    }
  }

  /** Asks again when what was found cannot be ours, and is gone. */
  const mending = async <T>(table: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      if (!isGarbage(error)) throw error
      await asked(redis.unlink(tableKey(table, 'rows'), tableKey(table, 'index')))
      return ask()
    }
  }

  return {
    async live(view) {
      const key = viewKey(view, 'live')
      const table = await asked(redis.get(key)).catch((error: unknown) => {
        if (!isGarbage(error)) throw error
        return ''
      })
      if (table === null || table.startsWith(`${view}.`)) return table
      await asked(redis.unlink(key))
      return null
    },

    async promote(view, previous, table) {
      const keys = [viewKey(view, 'live'), viewKey(view, 'tables')]
      return (
        (await asked(run(redis, PROMOTE, keys, [previous ?? '', table, viewKey(view, ''), ':rows', ':index']))) === 1
      )
    },

    read: (table, keys) =>
      mending(table, async () => {
        const [position, id, ...rows] = await asked(redis.hmget(tableKey(table, 'rows'), POSITION, EVENT_ID, ...keys))
        return { upTo: checkpointOf(position, id), rows: rows.map(parsed) }
      }),

    scan: (table, { from, to, limit, backwards = false, characters }) =>
      mending(table, async () => {
        const keys = [tableKey(table, 'rows'), tableKey(table, 'index')]
        const answer = await asked(
          run(redis, SCAN, keys, [from, to, `${limit}`, backwards ? 'backwards' : '', `${characters ?? ''}`]),
        )
        // What the script returns: see SCAN.
        const [[position, id], found, rows, shown] = answer as [(string | null)[], string[], (string | null)[], number]
        const entries = found.slice(0, shown).map((entry, at) => entryOf(entry, rows[at]))
        return { upTo: checkpointOf(position, id), entries, ...(shown < found.length ? { isCut: true as const } : {}) }
      }),

    async commit(table, from, to, changes) {
      const args = commitArguments(table, from, to, changes)
      if (args.length > MAX_ARGUMENTS)
        throw new ViewsUnavailable(`one commit may hold at most ${MAX_ARGUMENTS} values, got ${args.length}: split it`)
      const keys = [tableKey(table, 'rows'), tableKey(table, 'index'), viewKey(viewOf(table), 'tables')]
      return (await mending(table, () => asked(run(redis, COMMIT, keys, args)))) === 1
    },

    async close() {
      redis.disconnect()
    },
  }
}

function commitArguments(table: string, from: Checkpoint | null, to: Checkpoint, changes: readonly Change[]): string[] {
  const set: string[] = []
  const gone: string[] = []
  const removed: string[] = []
  const added: string[] = []
  for (const change of changes) {
    if (change.row === null) gone.push(change.key)
    else set.push(change.key, JSON.stringify(change.row))
    for (const index of change.removed) removed.push(`${index}\0${change.key}`)
    for (const index of change.added) added.push('0', `${index}\0${change.key}`)
  }
  const counts = [set, gone, removed, added].map((list) => `${list.length}`)
  const places = [from === null ? '' : `${from.position}`, from?.id ?? '', `${to.position}`, to.id]
  return [...places, table, ...counts, ...set, ...gone, ...removed, ...added]
}

function entryOf(entry: string, row: string | null | undefined): Entry {
  const cut = entry.indexOf('\0')
  return { index: entry.slice(0, cut), key: entry.slice(cut + 1), row: parsed(row) ?? null }
}

/** What Redis, its scripts, or we ourselves say of a value that is of another type or shape than we write. */
const isGarbage = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  (error instanceof ViewsUnavailable && /WRONGTYPE|no entry of an index/.test(error.message))

const checkpointOf = (position: string | null | undefined, id: string | null | undefined): Checkpoint | null =>
  position == null || id == null ? null : { position: BigInt(position), id }

const parsed = (text: string | null | undefined): Json | undefined => (text == null ? undefined : JSON.parse(text))
