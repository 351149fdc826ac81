/**
 * What the contract's two keys ask of Redis, one atomic step each. Values are compared as texts: a node knows exactly
 * what it wrote.
 *
 * KEYS  per visit `{user_id}`, `alive:…`        ARGV  the time to live in ms, 'enter' | 'keep', per visit the value of
 * each ('' = none)
 *
 * `{user_id}` goes to who enters; who keeps takes it only when it is free, so that a newer socket's value stays, or
 * when what stands there is none of ours: it begins otherwise, or would never end. A key of another type is another
 * program's, and left alone. All nodes write the same `alive:…`, what the log says.
 */
export const KEEP_LUA = `
for i = 1, #KEYS, 2 do
  local user, alive = ARGV[i + 2], ARGV[i + 3]
  local kind = redis.call('TYPE', KEYS[i]).ok
  local value = kind == 'string' and redis.call('GET', KEYS[i])
  local isOurs = value and string.sub(value, 1, 8) == '{"sid":"' and redis.call('PTTL', KEYS[i]) > 0
  if kind == 'none' or (value and (ARGV[2] == 'enter' or value == user or not isOurs)) then
    redis.call('SET', KEYS[i], user, 'PX', ARGV[1])
  end
  if alive ~= '' then redis.call('SET', KEYS[i + 1], alive, 'PX', ARGV[1]) end
end
`

/** Leases that count, the longest first: of any node, or of those whose members begin with `only`. */
const LIVE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function live(key, only)
  local found = {}
  if redis.call('TYPE', key).ok ~= 'zset' then return found end
  local members = redis.call('ZREVRANGEBYSCORE', key, '+inf', '(' .. string.format('%.0f', now), 'WITHSCORES')
  for i = 1, #members, 2 do
    local socket = string.match(members[i], '/([^/]+)$')
    if socket and string.sub(members[i], 1, #only) == only then
      found[#found + 1] = { socket = socket, left = members[i + 1] - now }
    end
  end
  return found
end
`

/**
 * KEYS  `{user_id}`, the person's leases        ARGV  the value of the socket that left, its id, that value behind the
 * id, the time to live, `only`
 *
 * Only what is still that socket's is touched: it goes to the socket of the same person whose lease lives longest, on
 * whatever node, with that lease's time (1), or is removed.
 */
export const LEAVE_LUA = `${LIVE}
if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for _, lease in ipairs(live(KEYS[2], ARGV[5])) do
  if lease.socket ~= ARGV[2] then
    local left = string.format('%.0f', math.min(lease.left, tonumber(ARGV[4])))
    redis.call('SET', KEYS[1], '{"sid":"' .. lease.socket .. ARGV[3], 'PX', left)
    return 1
  end
end
redis.call('DEL', KEYS[1])
return 0
`

/**
 * KEYS  `{user_id}`, the person's leases, `alive:…`        ARGV  `only`, what the person's value ends with behind the
 * socket, 'offline' or ''
 *
 * They are recorded as lost, or as offline. A presence may have begun anew before that was heard of: then there are
 * leases. Otherwise whatever still names a socket of theirs names one that is only thought to be open.
 */
export const GONE_LUA = `${LIVE}
if #live(KEYS[2], ARGV[1]) > 0 then return end
if redis.call('TYPE', KEYS[1]).ok == 'string' then
  if string.sub(redis.call('GET', KEYS[1]), -#ARGV[2]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
end
if ARGV[3] == 'offline' then redis.call('DEL', KEYS[3]) end
`
