/** Leases that expired are remembered for so long: they tell when somebody was last seen. */
const REMEMBERED_MS = 600_000

/** No node may give leases for longer (`LEASE_MS`): whatever seems to live on is none. */
const LONGEST_MS = 60_000

/**
 * `fresh(key, kind)` throws away what stands under one of our keys and is of another type than ours; true when there
 * was such a thing. Nothing else would ever put it right.
 */
export const FRESH = `
local function fresh(key, kind)
  local found = redis.call('TYPE', key).ok
  if found == kind or found == 'none' then return false end
  redis.call('DEL', key)
  return true
end
`

/**
 * All that leases ask of Redis, one atomic step per call.
 *
 *   KEYS  the epoch's key, then one sorted set per person (`<node>/<socket>` scored by its expiry)
 *   ARGV  'hold' | 'release' | 'count', the time to live in ms, the time in ms ('' = the server's own: nodes' clocks
 *   differ), then
 *         for hold and release one member per person's key
 *   gives epoch, now, then the live leases of each person
 *
 * The epoch is when this Redis began to know leases. It begins anew when the server was restarted or replaced (its run
 * id differs, whatever it may have loaded from a disk) or emptied (the key is gone): then leases that are held are
 * missing in it for a while. So they are where something of another type stood in place of a person's leases: it is
 * thrown away, as are members that no node has written.
 */
export const LEASES_LUA = `
local time = redis.call('TIME')
local now = tonumber(ARGV[3]) or time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[2])

${FRESH}
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'unknown'
fresh(KEYS[1], 'string')
local known, epoch = string.match(redis.call('GET', KEYS[1]) or '', '^(%w+) (%d+)$')
local lost = false
for i = 2, #KEYS do lost = fresh(KEYS[i], 'zset') or lost end
if known ~= run or lost or tonumber(epoch) > now then
  epoch = string.format('%.0f', now)
  redis.call('SET', KEYS[1], run .. ' ' .. epoch)
end

local answer = { tonumber(epoch), now }
for i = 2, #KEYS do
  local key, member = KEYS[i], ARGV[i + 2]
  redis.call('ZREMRANGEBYSCORE', key, '(' .. string.format('%.0f', now + math.max(ttl, ${LONGEST_MS})), '+inf')
  if ARGV[1] == 'hold' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ${REMEMBERED_MS})
    redis.call('ZADD', key, now + ttl, member)
    redis.call('PEXPIRE', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2] - now + ${REMEMBERED_MS})
  elseif ARGV[1] == 'release' then
    redis.call('ZREM', key, member)
  end
  answer[#answer + 1] = redis.call('ZCOUNT', key, '(' .. string.format('%.0f', now), '+inf')
end
return answer
`

/** KEYS  a person's leases. Gives now, then each lease of the last minutes, live or not, with its expiry. */
export const SEEN_LUA = `
${FRESH}
fresh(KEYS[1], 'zset')
local time = redis.call('TIME')
return { time[1] * 1000 + math.floor(time[2] / 1000), redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES') }
`

/** One sorted set per person. */
export const leaseKey = (prefix: string, person: string): string => `${prefix}lease:${person}`
