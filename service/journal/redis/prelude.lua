-- What every script here begins with. One call's keys lie in one hash slot:
--   KEYS[1] the call (a hash), KEYS[2] its records (a list), KEYS[3] its spent tokens (a hash).
-- The first arguments are always the same:
--   ARGV[1] now_ms, ARGV[2] when the call expires if touched now, ARGV[3] the same as a span,
--   ARGV[4] an incarnation nobody has yet, ARGV[5] the life of this server's data.
-- Numbers of milliseconds stay strings: Lua would write them as 1.79e+12.
local call, records, tokens = KEYS[1], KEYS[2], KEYS[3]
local now, expires, ttl, fresh, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- The call as it stands, or nil. A call past its time, or one whose records were evicted, is removed.
-- The server restarted or was replaced: records may be missing, so readers' positions mean nothing.
local function standing()
  local row = redis.call('HMGET', call, 'incarnation', 'epoch', 'head', 'expires', 'life')
  if not row[1] then
    redis.call('DEL', records)
    return nil
  end
  if tonumber(row[4]) <= tonumber(now) or redis.call('LLEN', records) ~= tonumber(row[3]) then
    redis.call('DEL', call, records)
    redis.call('PUBLISH', call, '')
    return nil
  end
  if row[5] ~= life then
    redis.call('HSET', call, 'incarnation', fresh, 'life', life)
    row[1] = fresh
  end
  return {incarnation = row[1], epoch = tonumber(row[2]), head = tonumber(row[3]), expires = row[4]}
end

-- Write the call anew as it is. A WAIT means only what its own connection wrote; behind a script that
-- found everything written before, it must mean that too.
local function rewrite(row)
  redis.call('HSET', call, 'incarnation', row.incarnation)
end

-- The call lives on from now. Its keys always expire together.
local function touch(row)
  if tonumber(expires) > tonumber(row.expires) then
    redis.call('HSET', call, 'expires', expires)
    row.expires = expires
  end
  redis.call('PEXPIRE', call, ttl)
  redis.call('PEXPIRE', records, ttl)
end

-- How many bytes the records from ARGV[first] on are.
local function weigh(first)
  local bytes = 0
  for place = first, #ARGV do
    bytes = bytes + #ARGV[place]
  end
  return bytes
end

-- The call that stands, or a new one with the records from ARGV[first] on. True when it is new.
local function stand(first)
  local row = standing()
  if row then
    return row, false
  end
  local head = #ARGV - first + 1
  redis.call('HSET', call, 'incarnation', fresh, 'life', life, 'epoch', 0, 'head', head,
    'opened', now, 'expires', expires)
  if head > 0 then
    redis.call('RPUSH', records, unpack(ARGV, first))
    redis.call('HSET', call, 'bytes', weigh(first))
  end
  row = {incarnation = fresh, epoch = 0, head = head, expires = expires}
  touch(row)
  redis.call('PUBLISH', call, '')
  return row, true
end
