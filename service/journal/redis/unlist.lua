-- KEYS[1] a list of calls, ARGV[1] a time, ARGV[2] a call that has no place in the list any more. A call
-- that came anew meanwhile has a later time in the list, and stays.
local expires = redis.call('ZSCORE', KEYS[1], ARGV[2])
if expires and tonumber(expires) <= tonumber(ARGV[1]) then
  return redis.call('ZREM', KEYS[1], ARGV[2])
end
return 0
