-- ARGV[6] the owner, ARGV[7] until when, ARGV[8] the epoch that must stand or '', ARGV[9] the key,
-- ARGV[10] on: the opening records. Answers with the new fence, and the lease and the snapshot's
-- position as they were; or, when another epoch stands, with that alone, and nothing is changed.
-- A repeated claim counts no epoch: it gets its first answer, but for how far the journal goes now.
local found = standing()
local epoch = found and found.epoch or 0
local key, before = unpack(redis.call('HMGET', call, 'claim_key', 'claim_before'))
if found and key == ARGV[9] then
  local was = cjson.decode(before)
  local at = redis.call('HGET', call, 'snapshot_at')
  rewrite(found)
  return {epoch, found.incarnation, was.is_new, found.head, at, unpack(was.lease)}
end
if ARGV[8] ~= '' and tonumber(ARGV[8]) ~= epoch then
  return {epoch}
end
local row, is_new = stand(10)
local lease = redis.call('HMGET', call, 'owner', 'owner_epoch', 'renewed', 'until', 'snapshot_at')
local at = table.remove(lease)
epoch = redis.call('HINCRBY', call, 'epoch', 1)
local was = {is_new = is_new and 1 or 0, lease = lease}
redis.call('HSET', call, 'owner', ARGV[6], 'owner_epoch', epoch, 'renewed', now, 'until', ARGV[7],
  'claim_key', ARGV[9], 'claim_before', cjson.encode(was))
redis.call('HDEL', call, 'released')
touch(row)
return {epoch, row.incarnation, was.is_new, row.head, at, unpack(was.lease)}
