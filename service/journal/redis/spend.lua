-- ARGV[6] the nonce, ARGV[7] the stream, ARGV[8] the window, ARGV[9] the uses, ARGV[10] the tokens of a
-- call, ARGV[11] how long a spent token is remembered. The rule is that of tokens.py.
-- A token is `uses used_ms stream_sid`. Answers with the use's number, or the reason against it.
local kept = redis.call('HGET', tokens, ARGV[6])
local uses = 0
if kept then
  local used, at, stream = string.match(kept, '^(%d+) (%d+) (.*)$')
  uses = tonumber(used)
  if stream ~= ARGV[7] then
    return 'other_stream'
  end
  if uses >= tonumber(ARGV[9]) then
    return 'too_often'
  end
  if tonumber(now) - tonumber(at) > tonumber(ARGV[8]) then
    return 'too_late'
  end
elseif redis.call('HLEN', tokens) >= tonumber(ARGV[10]) then
  return 'too_many'
end
redis.call('HSET', tokens, ARGV[6], string.format('%d %s %s', uses + 1, now, ARGV[7]))
redis.call('PEXPIRE', tokens, ARGV[11])
return uses + 1
