-- ARGV[6] the epoch, ARGV[7] the owner, ARGV[8] until when.
local row = standing()
if not row or row.epoch ~= tonumber(ARGV[6]) then
  return 0
end
redis.call('HSET', call, 'owner', ARGV[7], 'owner_epoch', row.epoch, 'renewed', now,
  'until', ARGV[8])
redis.call('HDEL', call, 'released')
touch(row)
return 1
