"""What the Redis store asks the server to do in one go, in the server's language, Lua.

A script is never interrupted, so that nobody comes between what it reads and what it writes. Each
is the common part and one of the others. The values are written as claims.py writes them.

KEYS[1] is the beginning of all names. ARGV[1] is the time in seconds, or empty for the server's
own, so that all hosts agree.

Names: `at:` and a key for each value; `index`, a sorted set of all keys in the order of their
bytes; `ends`, a sorted set of the keys that come to an end, by that end. What Redis itself has let
go of leaves its key in the sets until somebody meets it there or its end has passed.
"""

_COMMON = r"""
local prefix, now = KEYS[1], tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local INDEX, ENDS = prefix .. 'index', prefix .. 'ends'
local MAX_NUMBER, LONGEST_S, SPARE_S = 9007199254740991, 315360000, 60
local SWEEP, MOST_SKIPPED = 16, 10000

local function number(value) return string.format('%.17g', value) end
local function whole(value) return string.format('%.0f', value) end
local function refuse(sentence) return redis.error_reply('POEFLASK ' .. sentence) end

local function read(key)
  local value = redis.call('GET', prefix .. 'at:' .. key)
  if not value then return nil, nil end
  local ends = tonumber(redis.call('ZSCORE', ENDS, key) or nil)
  if ends and ends <= now then return nil, nil end
  return value, ends
end

local function keep(key, value, ends)
  if ends then
    -- Redis' own end comes later: it only clears away what nobody asks for any more.
    local left_s = math.min(math.max(ends - now, 0), LONGEST_S) + SPARE_S
    redis.call('SET', prefix .. 'at:' .. key, value, 'PX', whole(left_s * 1000))
    redis.call('ZADD', ENDS, number(ends), key)
  else
    redis.call('SET', prefix .. 'at:' .. key, value)
    redis.call('ZREM', ENDS, key)
  end
  redis.call('ZADD', INDEX, 0, key)
end

local function forget(key)
  redis.call('DEL', prefix .. 'at:' .. key)
  redis.call('ZREM', INDEX, key)
  redis.call('ZREM', ENDS, key)
end

local function sweep()
  local ended = redis.call('ZRANGEBYSCORE', ENDS, '-inf', number(now), 'LIMIT', 0, SWEEP)
  for _, key in ipairs(ended) do forget(key) end
end
"""

GET = (
    _COMMON
    + r"""
return (read(ARGV[2])) or false
"""
)
"""ARGV: key. Gives the value."""

WRITE = (
    _COMMON
    + r"""
-- A full server tells it at a script's first change only, and of deletions not at all.
for at = 3, #ARGV, 4 do
  if ARGV[at] == 'put' then redis.call('ZADD', INDEX, 'XX', 0, '') end
end
for at = 2, #ARGV, 4 do
  local key, verb, value, ttl = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  if verb == 'put' then
    keep(key, value, ttl and now + ttl)
  else
    forget(key)
  end
end
sweep()
"""
)
"""ARGV: for each put: key, "put" or "forget", value, ttl in seconds or empty."""

ADD = (
    _COMMON
    + r"""
local key, amount, ttl = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local value, ends = read(key)
if value and not string.match(value, '^-?%d+$') then return refuse('the value is no number') end
local sum = tonumber(value or 0) + amount
if math.abs(sum) > MAX_NUMBER then
  return refuse('a number may be up to ' .. whole(MAX_NUMBER))
end
if not value then ends = ttl and now + ttl end
keep(key, whole(sum), ends)
sweep()
return whole(sum)
"""
)
"""ARGV: key, amount, ttl in seconds or empty. Gives the sum in digits."""

PAGE = (
    _COMMON
    + r"""
local from, to, limit, whole_items = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == 'items'
local found, count = {}, 0
while count < limit do
  local keys = redis.call('ZRANGEBYLEX', INDEX, from, to, 'LIMIT', 0, limit - count)
  if #keys == 0 then break end
  for _, key in ipairs(keys) do
    local value = read(key)
    if value then
      count = count + 1
      found[#found + 1] = key
      if whole_items then found[#found + 1] = value end
    else
      forget(key)
    end
    from = '(' .. key
  end
end
return found
"""
)
"""ARGV: from, to (as ZRANGEBYLEX has them), how many, "items" or "keys".

Gives the living keys in order, each followed by its value if those are wanted.
"""

MAKE_ROOM = (
    _COMMON
    + r"""
-- What was claimed stays: forgotten, it would be granted again.
local wanted, forgotten, skipped = tonumber(ARGV[2]), 0, 0
while forgotten < wanted and skipped < MOST_SKIPPED do
  local soonest = redis.call('ZRANGE', ENDS, skipped, skipped + wanted - forgotten - 1)
  if #soonest == 0 then break end
  for _, key in ipairs(soonest) do
    local value = read(key) or ''
    if string.match(value, '^window\n') or string.match(value, '^lease\n')
        or string.match(value, '^-?%d+$') then
      skipped = skipped + 1
    else
      forget(key)
      forgotten = forgotten + 1
    end
  end
end
return forgotten
"""
)
"""ARGV: how many of those that end soonest are forgotten. Gives how many were."""

TAKE = (
    _COMMON
    + r"""
local SLOTS = 20

local function exceeds(claim, used)
  return claim.limit and claim.amount >= 0 and used + claim.amount > claim.limit
end

local function window_text(slots)
  local lines = {}
  for at, slot in ipairs(slots) do lines[at] = number(slot.time) .. ' ' .. whole(slot.much) end
  return 'window\n' .. table.concat(lines, '\n')
end

local function sum(slots)
  local total = 0
  for _, slot in ipairs(slots) do total = total + slot.much end
  return total
end

local function booked(slots, claim)
  local after, left = {}, 0
  if claim.amount < 0 and claim.age < claim.span then left = -claim.amount end
  for _, slot in ipairs(slots) do
    local gone = math.min(slot.much, left)
    left = left - gone
    if slot.much > gone then
      after[#after + 1] = {time = slot.time, much = slot.much - gone}
    end
  end
  if claim.amount > 0 then
    local width, last = claim.span / SLOTS, after[#after]
    if last and math.floor(last.time / width) == math.floor(now / width) then
      last.time, last.much = now, last.much + claim.amount
    else
      after[#after + 1] = {time = now, much = claim.amount}
    end
  end
  return after
end

local function window_wait(slots, claim)
  local room = claim.limit - claim.amount - sum(slots)
  for _, slot in ipairs(slots) do
    room = room + slot.much
    if room >= 0 then return slot.time + claim.span - now end
  end
  return claim.span
end

local function window(claim, value)
  local slots, set_back = {}, false
  for time, much in string.gmatch(string.sub(value or '', 8), '(%S+) (%S+)') do
    time = tonumber(time)
    set_back = set_back or time > now
    if time > now - claim.span then
      slots[#slots + 1] = {time = math.min(time, now), much = tonumber(much)}
    end
  end
  local used, after = sum(slots), booked(slots, claim)
  return {
    before = used,
    after = sum(after),
    wait = exceeds(claim, used) and window_wait(slots, claim),
    granted = window_text(after),
    mended = set_back and window_text(slots),
    ends = now + claim.span,
  }
end

local function total(claim, value, ends)
  local latest = now + claim.span
  local until_then = math.min(ends or latest, latest)
  local used = tonumber(value or 0)
  return {
    before = used,
    after = math.max(used + claim.amount, 0),
    wait = exceeds(claim, used) and until_then - now,
    granted = whole(math.max(used + claim.amount, 0)),
    mended = value and ends ~= until_then and value,
    ends = until_then,
  }
end

local function lease_text(places)
  local lines = {}
  for at, place in ipairs(places) do
    lines[at] = number(place.time) .. ' ' .. number(place.ttl) .. ' ' .. place.holder
  end
  return 'lease\n' .. table.concat(lines, '\n')
end

local function place_wait(claim, places)
  if claim.limit == 0 or claim.limit > #places then return claim.span end
  local ends = {}
  for at, place in ipairs(places) do ends[at] = place.time + place.ttl end
  table.sort(ends)
  return ends[#ends - claim.limit + 1] - now
end

local function lease(claim, value)
  local living, after, held, set_back = {}, {}, false, false
  local living_end, after_end = now, now + claim.span
  for line in string.gmatch(string.sub(value or '', 7), '[^\n]+') do
    local time, ttl, holder = string.match(line, '^(%S+) (%S+) (.+)$')
    time, ttl = tonumber(time), tonumber(ttl)
    set_back = set_back or time > now
    if time + ttl > now then
      local place = {time = math.min(time, now), ttl = ttl, holder = holder}
      living[#living + 1] = place
      living_end = math.max(living_end, place.time + ttl)
      if holder == claim.holder then
        held = true
      else
        after[#after + 1] = place
        after_end = math.max(after_end, place.time + ttl)
      end
    end
  end
  after[#after + 1] = {time = now, ttl = claim.span, holder = claim.holder}
  local mended = set_back and #living > 0
  local full = claim.limit and not held and #after > claim.limit
  return {
    before = #living,
    after = #after,
    wait = full and place_wait(claim, living),
    granted = lease_text(after),
    mended = mended and lease_text(living),
    ends = after_end,
    mended_ends = living_end,
  }
end

local KINDS = {
  window = {judge = window, form = '^window\n'},
  total = {judge = total, form = '^-?%d+$'},
  lease = {judge = lease, form = '^lease\n'},
}
local claims, verdicts, refused = {}, {}, nil
for at = 2, #ARGV, 7 do
  local claim = {
    kind = ARGV[at], key = ARGV[at + 1], amount = tonumber(ARGV[at + 2]),
    limit = tonumber(ARGV[at + 3]), span = tonumber(ARGV[at + 4]),
    age = tonumber(ARGV[at + 5]), holder = ARGV[at + 6],
  }
  local value, ends = read(claim.key)
  if value and not string.match(value, KINDS[claim.kind].form) then
    return refuse('the value under a key is no ' .. claim.kind)
  end
  local verdict = KINDS[claim.kind].judge(claim, value, ends)
  if verdict.after > MAX_NUMBER then
    return refuse('a number may be up to ' .. whole(MAX_NUMBER))
  end
  claims[#claims + 1], verdicts[#verdicts + 1] = claim, verdict
  if verdict.wait and (not refused or verdict.wait > verdicts[refused].wait) then
    refused = #verdicts
  end
end

local answer = {refused and refused - 1 or -1, number(refused and verdicts[refused].wait or 0)}
for at, verdict in ipairs(verdicts) do
  if not refused then
    keep(claims[at].key, verdict.granted, verdict.ends)
  elseif verdict.mended then
    keep(claims[at].key, verdict.mended, verdict.mended_ends or verdict.ends)
  end
  answer[#answer + 1] = whole(refused and verdict.before or verdict.after)
end
sweep()
return answer
"""
)
"""ARGV: for each claim: "window", "total" or "lease", key, amount, limit or empty, window or ttl in
seconds, age in seconds, holder.

Gives which was refused (from 0; -1 for none), the wait in seconds, and how much of each is used.
"""

GIVE_BACK = (
    _COMMON
    + r"""
local key, leaving = ARGV[2], ARGV[3]
local value, ends = read(key)
if not value then return end
if not string.match(value, '^lease\n') then return refuse('the value under a key is no lease') end
local lines = {}
for line in string.gmatch(string.sub(value, 7), '[^\n]+') do
  if string.match(line, '^%S+ %S+ (.+)$') ~= leaving then lines[#lines + 1] = line end
end
if #lines > 0 then
  keep(key, 'lease\n' .. table.concat(lines, '\n'), ends)
else
  forget(key)
end
"""
)
"""ARGV: key, holder."""

RESERVE = r"""
local prefix, now = KEYS[1], tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local SIZES, ENDS = prefix .. 'file_sizes', prefix .. 'file_ends'
local name, size, ends, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local LONGEST_S, SPARE_S = 315360000, 60
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', ENDS, '-inf', string.format('%.17g', now))) do
  redis.call('HDEL', SIZES, ended)
  redis.call('ZREM', ENDS, ended)
end
local taken = 0
for _, other in ipairs(redis.call('HVALS', SIZES)) do taken = taken + tonumber(other) end
if taken + size > most then return -1 end
redis.call('HSET', SIZES, name, size)
redis.call('ZADD', ENDS, string.format('%.17g', ends), name)
return math.ceil((math.min(math.max(ends - now, 0), LONGEST_S) + SPARE_S) * 1000)
"""
"""ARGV: name, size in bytes, end in seconds since 1970, how many bytes all contents may have.

Gives for how many milliseconds the chunks are to be kept, or -1 if there is no room.
"""
