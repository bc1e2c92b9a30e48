-- All of the call, now. Answers with the number of keys that were there.
local erased = redis.call('DEL', call, records, tokens)
redis.call('PUBLISH', call, '')
return erased
