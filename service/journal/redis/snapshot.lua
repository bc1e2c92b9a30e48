-- ARGV[6] the epoch, ARGV[7] the position, ARGV[8] the folded state. Only the newest is kept.
local row = standing()
if not row or row.epoch ~= tonumber(ARGV[6]) or tonumber(ARGV[7]) > row.head then
  return 0
end
local kept = redis.call('HGET', call, 'snapshot_at')
if not kept or tonumber(kept) <= tonumber(ARGV[7]) then
  redis.call('HSET', call, 'snapshot_at', ARGV[7], 'snapshot', ARGV[8])
end
return 1
