-- ARGV[6] the lease that lapsed: its owner or '' for none, ARGV[7] its epoch, ARGV[8] when it was
-- renewed, ARGV[9] until when, ARGV[10] how long a call may stay unclaimed, ARGV[11] the new owner,
-- ARGV[12] until when. Neither the fence nor the time to live is touched.
local row = standing()
if not row or redis.call('HEXISTS', call, 'released') == 1 then
  return 0
end
local owner, epoch, renewed, until_then, opened = unpack(
  redis.call('HMGET', call, 'owner', 'owner_epoch', 'renewed', 'until', 'opened'))
if owner then
  if owner ~= ARGV[6] or tonumber(epoch) ~= tonumber(ARGV[7])
    or tonumber(renewed) ~= tonumber(ARGV[8]) or tonumber(until_then) ~= tonumber(ARGV[9])
    or tonumber(until_then) > tonumber(now) then
    return 0
  end
elseif ARGV[6] ~= '' or tonumber(opened) + tonumber(ARGV[10]) > tonumber(now) then
  return 0
end
redis.call('HSET', call, 'owner', ARGV[11], 'owner_epoch', row.epoch, 'renewed', now,
  'until', ARGV[12])
return 1
