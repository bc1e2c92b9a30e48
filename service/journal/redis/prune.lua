-- All of a call that was released, but for its spent tokens. Answers with when it would have expired, or false.
local until_then = redis.call('HGET', call, 'expires')
if redis.call('HEXISTS', call, 'released') == 0 then
  return false
end
redis.call('DEL', call, records)
redis.call('PUBLISH', call, '')
return until_then
