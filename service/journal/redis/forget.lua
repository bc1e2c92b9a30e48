-- KEYS[1] a name, ARGV[1] a call. The name is forgotten if it still means this call.
local meant = redis.call('GET', KEYS[1])
if meant and string.match(meant, '^%d+ (.*)$') == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
