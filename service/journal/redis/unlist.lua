-- KEYS[1] the list of calls, ARGV[1] now_ms, ARGV[2] a call that was swept. A call that was opened anew
-- meanwhile has a later time in the list, and stays.
local expires = redis.call('ZSCORE', KEYS[1], ARGV[2])
if expires and tonumber(expires) <= tonumber(ARGV[1]) then
  return redis.call('ZREM', KEYS[1], ARGV[2])
end
return 0
