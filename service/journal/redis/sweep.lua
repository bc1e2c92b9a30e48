-- Erases the call if its time is over. Answers with when it expires if it lives, or false.
local until_then = redis.call('HGET', call, 'expires')
if until_then and tonumber(until_then) > tonumber(now) then
  return until_then
end
if redis.call('DEL', call, records, tokens) > 0 then
  redis.call('PUBLISH', call, '')
end
return false
