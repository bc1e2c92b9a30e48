-- ARGV[6] the owner, ARGV[7] until when, ARGV[8] on: the opening records.
-- Answers with the new fence, and the lease and the snapshot's position as they were.
local row, is_new = stand(8)
local lease = redis.call('HMGET', call, 'owner', 'owner_epoch', 'renewed', 'until', 'snapshot_at')
local epoch = redis.call('HINCRBY', call, 'epoch', 1)
redis.call('HSET', call, 'owner', ARGV[6], 'owner_epoch', epoch, 'renewed', now, 'until', ARGV[7])
touch(row)
return {epoch, row.incarnation, is_new and 1 or 0, lease[5],
  lease[1], lease[2], lease[3], lease[4]}
