import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** A Lua program that Redis runs as one step, known to it by its digest. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') })

/**
 * Runs a script by its digest, and sends its text only when Redis does not know it (yet, or since its last restart).
 */
export async function run(
  redis: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return await redis.eval(lua, keys.length, ...keys, ...args)
  }
}

/** `fresh(key, kind)` throws away what is of another type than we write. */
const FRESH = `
local function fresh(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then redis.call('DEL', key) end
end
`

/** The fields of a table's hash that hold the position and the id of its last event. No key begins with NUL. */
export const POSITION = '\0position'
export const EVENT_ID = '\0event-id'

/**
 * KEYS rows, index, tables. ARGV from, its id, to, its id, table, four counts, then: rows to write (key, row), rows to
 * remove (key), entries to remove (entry), entries to add (0, entry). Lua's unpack takes some 8,000 values at most,
 * hence the slices. 1 = done, 0 = the table stands elsewhere.
 */
export const COMMIT = script(`
${FRESH}
fresh(KEYS[3], 'set')
local stands = redis.call('HMGET', KEYS[1], '\\0position', '\\0event-id')
if (stands[1] or '') ~= ARGV[1] or (stands[2] or '') ~= ARGV[2] then return 0 end
local at = 10
local function each(command, key, count)
  local last = at + count - 1
  while at <= last do
    local stop = math.min(at + 3999, last)
    redis.call(command, key, unpack(ARGV, at, stop))
    at = stop + 1
  end
end
each('HSET', KEYS[1], tonumber(ARGV[6]))
each('HDEL', KEYS[1], tonumber(ARGV[7]))
each('ZREM', KEYS[2], tonumber(ARGV[8]))
each('ZADD', KEYS[2], tonumber(ARGV[9]))
redis.call('HSET', KEYS[1], '\\0position', ARGV[3], '\\0event-id', ARGV[4])
if ARGV[1] == '' then redis.call('SADD', KEYS[3], ARGV[5]) end
return 1
`)

/** KEYS rows, index. ARGV from, to, limit, 'backwards' or '', characters or ''. Gives position and
 * id, entries, their rows, and how many of these are shown. */
export const SCAN = script(`
local found
if ARGV[4] == 'backwards' then
  found = redis.call('ZREVRANGEBYLEX', KEYS[2], '(' .. ARGV[2], '[' .. ARGV[1], 'LIMIT', 0, ARGV[3])
else
  found = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ARGV[1], '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
end
local keys = {}
for i, entry in ipairs(found) do
  local cut = string.find(entry, '\\0', 1, true)
  if not cut then return redis.error_reply('ERR this is no entry of an index') end
  keys[i] = string.sub(entry, cut + 1)
end
local rows = {}
local most = tonumber(ARGV[5])
local step = most and 16 or 4000
local characters = 0
local shown = 0
for at = 1, #keys, step do
  local stop = math.min(at + step - 1, #keys)
  for i, row in ipairs(redis.call('HMGET', KEYS[1], unpack(keys, at, stop))) do
    rows[at + i - 1] = row
    if not most or characters < most then shown = shown + 1 end
    if most and row then characters = characters + #row end
  end
  if most and characters >= most then break end
end
return { redis.call('HMGET', KEYS[1], '\\0position', '\\0event-id'), found, rows, shown }
`)

/**
 * KEYS live, tables. ARGV previous ('' = none), table, what comes before and after a table's name in its two keys
 * (prefix, ':rows', ':index').
 */
export const PROMOTE = script(`
${FRESH}
fresh(KEYS[1], 'string')
fresh(KEYS[2], 'set')
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if name ~= ARGV[2] then
    redis.call('UNLINK', ARGV[3] .. name .. ARGV[4], ARGV[3] .. name .. ARGV[5])
    redis.call('SREM', KEYS[2], name)
  end
end
return 1
`)
