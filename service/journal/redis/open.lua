-- ARGV[6] on: the opening records. Answers with the call, opened now or before.
local row = stand(6)
rewrite(row)
local lease = redis.call('HMGET', call, 'owner', 'owner_epoch', 'renewed', 'until')
return {row.incarnation, row.epoch, row.head, row.expires, lease[1], lease[2], lease[3], lease[4]}
