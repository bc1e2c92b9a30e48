-- ARGV[6] the owner, ARGV[7] until when, ARGV[8] the epoch that must stand or '', ARGV[9] on: the
-- opening records. Answers with the new fence, and the lease and the snapshot's position as they were;
-- or, when another epoch stands, with that alone, and nothing is changed.
local found = standing()
local epoch = found and found.epoch or 0
if ARGV[8] ~= '' and tonumber(ARGV[8]) ~= epoch then
  return {epoch}
end
local row, is_new = stand(9)
local lease = redis.call('HMGET', call, 'owner', 'owner_epoch', 'renewed', 'until', 'snapshot_at')
epoch = redis.call('HINCRBY', call, 'epoch', 1)
redis.call('HSET', call, 'owner', ARGV[6], 'owner_epoch', epoch, 'renewed', now, 'until', ARGV[7])
redis.call('HDEL', call, 'released')
touch(row)
return {epoch, row.incarnation, is_new and 1 or 0, row.head, lease[5],
  lease[1], lease[2], lease[3], lease[4]}
