-- KEYS[1] a wrapped key, ARGV[1] what it was, ARGV[2] what it is to be. Its time to live stays.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
