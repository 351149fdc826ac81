/**
 * What the contract's two keys ask of Redis, one atomic step each. Values are compared as texts: a node knows exactly what it wrote.
 *
 * KEYS  per visit `{user_id}`, `alive:…`        ARGV  the time to live in ms, 'enter' | 'keep', per visit the value of each ('' = none)
 *
 * `{user_id}` goes to who enters; who keeps takes it only when it is free, so that a newer socket's value stays. A key of another type
 * is another program's, and left alone. All nodes write the same `alive:…`, what the log says.
 */
export const KEEP_LUA = `
for i = 1, #KEYS, 2 do
  local user, alive = ARGV[i + 2], ARGV[i + 3]
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind == 'none' or (kind == 'string' and (ARGV[2] == 'enter' or redis.call('GET', KEYS[i]) == user)) then
    redis.call('SET', KEYS[i], user, 'PX', ARGV[1])
  end
  if alive ~= '' then redis.call('SET', KEYS[i + 1], alive, 'PX', ARGV[1]) end
end
`

/**
 * KEYS  `{user_id}`, the person's leases        ARGV  the value of the socket that left, its id, that value behind the id
 *
 * Only what is still that socket's is touched: it goes to the socket of the same person whose lease lives longest, on whatever node, with
 * that lease's time, or is removed.
 */
export const LEAVE_LUA = `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES')
for i = #live - 1, 1, -2 do
  local socket = string.match(live[i], '/([^/]+)$')
  if socket ~= ARGV[2] then
    redis.call('SET', KEYS[1], '{"sid":"' .. socket .. ARGV[3], 'PX', string.format('%.0f', math.min(live[i + 1] - now, tonumber(ARGV[4]))))
    return
  end
end
redis.call('DEL', KEYS[1])
`

/** KEYS  `alive:…`, the person's leases. A presence may have begun anew before its end was heard of: then there are leases. */
export const OVER_LUA = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZCOUNT', KEYS[2], '(' .. string.format('%.0f', now), '+inf') == 0 then redis.call('DEL', KEYS[1]) end
`
