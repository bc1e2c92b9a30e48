-- ARGV[6] the epoch or '', ARGV[7] the position before or '', ARGV[8] the key,
-- ARGV[9] how many records a call may have, ARGV[10] how many bytes, ARGV[11] on: the records.
-- The key is looked at first: a repeated write gets its first answer whatever happened since.
local row = standing()
if not row then
  return {'missing', 0}
end
local first = redis.call('HGET', call, 'k:' .. ARGV[8])
if first then
  rewrite(row)
  return {'repeated', tonumber(first)}
end
if ARGV[6] ~= '' and tonumber(ARGV[6]) ~= row.epoch then
  return {'fenced', row.epoch}
end
if ARGV[7] ~= '' and tonumber(ARGV[7]) ~= row.head then
  return {'behind', row.head}
end
local head = row.head + #ARGV - 10
local bytes = tonumber(redis.call('HGET', call, 'bytes') or 0) + weigh(11)
if head > tonumber(ARGV[9]) or bytes > tonumber(ARGV[10]) then
  return {'full', 0}
end
redis.call('RPUSH', records, unpack(ARGV, 11))
redis.call('HSET', call, 'head', head, 'bytes', bytes, 'k:' .. ARGV[8], head)
touch(row)
redis.call('PUBLISH', call, head)
return {'appended', head}
