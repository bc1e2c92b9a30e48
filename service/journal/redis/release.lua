-- ARGV[6] the epoch. Answers with when the call's hold would have ended, or false.
local row = standing()
if not row or row.epoch ~= tonumber(ARGV[6]) then
  return false
end
redis.call('HSET', call, 'released', 1)
return redis.call('HGET', call, 'until') or redis.call('HGET', call, 'opened')
