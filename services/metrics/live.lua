-- The projection of the log into Redis, version 3.  Everything under live: is written by this text
-- and nothing else, so each call is one step that happens whole or not at all.
--
-- KEYS[1]  live:3:current, which names the generation that counts
-- ARGV     mode, generation, then what the mode takes
--
-- A generation G lives under live:3:G:
--   head         hash: log_id, seq, committed_us; or loading, while it is being filled; minute, the last
--                one of the hour that the sums below are of
--   ticket       hash: ticket -> "status department opened_us channel answered legal_due service_due"
--                of every ticket that is not closed, so that a step finds what it changes
--   status       hash: status -> tickets
--   departments  set of those that ever had a ticket ("-": none yet)
--   channel      hash: channel -> open tickets
--   legal:C      zset: open ticket of the channel C -> its legal deadline, until it is answered
--   open:D       zset: open ticket -> opened_us
--   due:D        zset: open ticket -> the nearest deadline that runs
--   day:N        hash: counters of the day N (days since 1970 in Istanbul)
--   calls:N      hash: call -> what was seen of it, each a letter and when
--   waiting      zset: call that nobody has answered -> when it was offered
--   min:N        hash: counters of the minute N since 1970
--   near:N       hash: place, which is "neighbourhood/subject" -> tickets opened in it in the minute N
--   hour         hash: counters of the 60 minutes up to head's minute, summed
--   surge        zset: place -> tickets opened in it in these
--   place:N      hash: place -> tickets opened in it on the day N
--   days, mins, places  zsets of the days and minutes there are;  keys: set of all keys of the generation
-- seq comes as twenty digits and is compared as text: a Lua number is exact up to 2^53 only.
local BASE, FORMER, LAST_LIVE, CLOSED, WAITING = 'live:3:', { 'live:1:', 'live:2:' }, 6, '12', '6'
-- A read is not to cost more the more places there are: the sums of the last hour are kept as records come
-- and minutes go, and of the places only the greatest are told, whether anybody may be told of them or not.
local KEPT_MINUTES, KEPT_DAYS, KEPT_PLACES = 120, 2, 9
local HOUR, BEHIND, TOLD_PLACES = 60, 5, 200
-- Seconds beyond which waits are not told apart; a call of which nothing was heard for so long (in
-- microseconds) waits no more; days that say what is usual.
local LONG_WAIT, WAIT_MOST, USUAL_DAYS = 600, 3600000000, 7
local mode, generation = ARGV[1], ARGV[2]
local prefix = BASE .. generation .. ':'
local used, unknown = {}, 0

local function key(name)
  local full = prefix .. name
  used[full] = true
  return full
end

local function remember_keys()
  for name in pairs(used) do
    redis.call('SADD', prefix .. 'keys', name)
  end
end

local function drop(doomed)
  local index = BASE .. doomed .. ':keys'
  for _, name in ipairs(redis.call('SMEMBERS', index)) do
    redis.call('UNLINK', name)
  end
  redis.call('UNLINK', index, BASE .. doomed .. ':head')
  redis.call('SREM', BASE .. 'generations', doomed)
end

-- What the versions before this one have left.
local function drop_former()
  for _, base in ipairs(FORMER) do
    for _, former in ipairs(redis.call('SMEMBERS', base .. 'generations')) do
      for _, name in ipairs(redis.call('SMEMBERS', base .. former .. ':keys')) do
        redis.call('UNLINK', name)
      end
      redis.call('UNLINK', base .. former .. ':keys', base .. former .. ':head')
    end
    redis.call('UNLINK', base .. 'generations', base .. 'current')
  end
end

local function drop_others(kept, kept_too)
  for _, other in ipairs(redis.call('SMEMBERS', BASE .. 'generations')) do
    if other ~= kept and other ~= kept_too then
      drop(other)
    end
  end
end

-- The sums of the hour.  What of the minute m is added when it enters the hour is taken away when it leaves.
local function sum_minute(m, sign)
  local n = string.format('%d', m)
  local all = redis.call('HGETALL', prefix .. 'min:' .. n)
  for i = 1, #all, 2 do
    if redis.call('HINCRBY', key('hour'), all[i], sign * all[i + 1]) == 0 then
      redis.call('HDEL', key('hour'), all[i])
    end
  end
  all = redis.call('HGETALL', prefix .. 'near:' .. n)
  for i = 1, #all, 2 do
    redis.call('ZINCRBY', key('surge'), sign * all[i + 1], all[i])
  end
  if sign < 0 and #all > 0 then
    redis.call('ZREMRANGEBYSCORE', key('surge'), '-inf', 0)
  end
end

-- The last minute of the hour that is summed; while there is none nothing is.
local summed_to = nil
local function hour_end()
  if summed_to == nil then
    summed_to = tonumber(redis.call('HGET', prefix .. 'head', 'minute') or 0)
  end
  return summed_to
end

local function in_hour(m)
  return m <= hour_end() and m > hour_end() - HOUR
end

-- Makes m the last minute of the hour, forwards or, by a clock that was set back, backwards.
local function move_hour(m)
  local old = hour_end()
  if m == old then
    return
  end
  if math.abs(m - old) >= HOUR then
    redis.call('UNLINK', prefix .. 'hour', prefix .. 'surge')
    for n = m - HOUR + 1, m do
      sum_minute(n, 1)
    end
  else
    local step = m > old and 1 or -1
    for n = old, m - step, step do
      sum_minute(step > 0 and n - HOUR + 1 or n, -1)
      sum_minute(step > 0 and n + 1 or n - HOUR, 1)
    end
  end
  redis.call('HSET', key('head'), 'minute', string.format('%d', m))
  summed_to = m
end

-- Days and minutes that no figure needs any more go when a new one comes.
local function enter(index, number, kept, names)
  if redis.call('ZADD', key(index), number, number) == 0 then
    return
  end
  local limit = tonumber(number) - kept
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', key(index), '-inf', limit)) do
    if index == 'mins' and in_hour(tonumber(old)) then
      sum_minute(tonumber(old), -1)
    end
    for _, name in ipairs(names) do
      redis.call('UNLINK', prefix .. name .. old)
      redis.call('SREM', prefix .. 'keys', prefix .. name .. old)
    end
    redis.call('ZREM', key(index), old)
  end
end

local function count_day(day, field, n)
  enter('days', day, KEPT_DAYS, { 'day:', 'calls:' })
  redis.call('HINCRBY', key('day:' .. day), field, n)
end

local function count_minute(minute, field, n)
  enter('mins', minute, KEPT_MINUTES, { 'min:', 'near:' })
  redis.call('HINCRBY', key('min:' .. minute), field, n)
  if in_hour(tonumber(minute)) then
    redis.call('HINCRBY', key('hour'), field, n)
  end
end

local function count_near(minute, place, n)
  enter('mins', minute, KEPT_MINUTES, { 'min:', 'near:' })
  redis.call('HINCRBY', key('near:' .. minute), place, n)
  if in_hour(tonumber(minute)) then
    redis.call('ZINCRBY', key('surge'), n, place)
  end
end

local function count_place(day, place, n)
  enter('places', day, KEPT_PLACES, { 'place:' })
  redis.call('HINCRBY', key('place:' .. day), place, n)
end

local function split(text)
  local parts = {}
  for part in string.gmatch(text, '%S+') do
    parts[#parts + 1] = part
  end
  return parts
end

local function read_ticket(text)
  local p = split(text)
  return { status = p[1], department = p[2], opened = p[3], channel = p[4], answered = p[5],
    legal = p[6], service = p[7] }
end

-- The legal clock runs until the first answer, the service clock while nobody is waited for.
local function nearest_due(t)
  local due = nil
  if t.answered == '0' and t.legal ~= '0' then
    due = t.legal
  end
  if t.service ~= '0' and t.status ~= WAITING
    and (due == nil or tonumber(t.service) < tonumber(due)) then
    due = t.service
  end
  return due
end

local function take_out(id, t)
  redis.call('HINCRBY', key('status'), t.status, -1)
  if tonumber(t.status) <= LAST_LIVE then
    redis.call('ZREM', key('open:' .. t.department), id)
    redis.call('ZREM', key('due:' .. t.department), id)
    redis.call('ZREM', key('legal:' .. t.channel), id)
    redis.call('HINCRBY', key('channel'), t.channel, -1)
  end
end

local function put_in(id, t)
  if t.status == CLOSED then
    redis.call('HDEL', key('ticket'), id)
    return
  end
  redis.call('HSET', key('ticket'), id, table.concat(
    { t.status, t.department, t.opened, t.channel, t.answered, t.legal, t.service }, ' '))
  redis.call('HINCRBY', key('status'), t.status, 1)
  if tonumber(t.status) > LAST_LIVE then
    return
  end
  redis.call('SADD', key('departments'), t.department)
  redis.call('ZADD', key('open:' .. t.department), t.opened, id)
  redis.call('HINCRBY', key('channel'), t.channel, 1)
  if t.answered == '0' and t.legal ~= '0' then
    redis.call('ZADD', key('legal:' .. t.channel), t.legal, id)
  end
  local due = nearest_due(t)
  if due ~= nil then
    redis.call('ZADD', key('due:' .. t.department), due, id)
  end
end

local op = {}

-- o ticket opened_us channel day minute place: a ticket was opened; place "-": not known
op.o = function(p)
  put_in(p[2], { status = '1', department = '-', opened = p[3], channel = p[4], answered = '0',
    legal = '0', service = '0' })
  count_day(p[5], 'today.' .. p[4], 1)
  count_minute(p[6], 'opened', 1)
  if p[7] ~= '-' then
    count_near(p[6], p[7], 1)
    count_place(p[5], p[7], 1)
  end
end

-- s ticket status department answers legal_due service_due flow minute: a step of its life
op.s = function(p)
  local text = redis.call('HGET', key('ticket'), p[2])
  if p[8] == 'in' then
    count_minute(p[9], 'in.' .. p[4], 1)
  elseif p[8] == 'out' then
    count_minute(p[9], 'out.' .. p[4], 1)
    count_minute(p[9], 'ended', 1)
  end
  if not text then
    unknown = unknown + 1
    return
  end
  local t = read_ticket(text)
  take_out(p[2], t)
  t.status, t.department, t.legal, t.service = p[3], p[4], p[6], p[7]
  if p[5] == '1' then
    t.answered = '1'
  end
  put_in(p[2], t)
end

local function seen_of(day, call)
  return redis.call('HGET', prefix .. 'calls:' .. day, call) or ''
end

-- How long it took to answer, in whole seconds, on the day it was answered and in the minute we know it.
local function count_wait(day, minute, offered, answered)
  local wait = math.floor((tonumber(answered) - tonumber(offered)) / 1000000)
  local field = 'wait.' .. string.format('%d', math.max(0, math.min(wait, LONG_WAIT)))
  count_day(day, field, 1)
  count_minute(minute, field, 1)
end

-- Answered before it was offered, as events come: perhaps after midnight.
local function offered_late(day, minute, call, seen, at)
  local next_day = string.format('%d', day + 1)
  local later = seen_of(next_day, call)
  local today, tomorrow = string.match(seen, 'a(%d+)'), string.match(later, 'a(%d+)')
  if today then
    count_wait(day, minute, at, today)
  elseif tomorrow then
    count_wait(next_day, minute, at, tomorrow)
  end
  if not string.find(seen .. later, '[axe]') then
    redis.call('ZADD', key('waiting'), at, call)
  end
end

-- c day letter at_us minute call: something is known of a call; its steps come in any order
op.c = function(p, text)
  local day, letter, at, minute = p[2], p[3], p[4], p[5]
  local call = string.sub(text, #day + #at + #minute + 8)
  local seen = seen_of(day, call)
  local beside = seen_of(string.format('%d', day - 1), call) .. seen_of(string.format('%d', day + 1), call)
  if string.find(seen .. beside, letter, 1, true) then
    return
  end
  -- A call over midnight is one of either day, and one of the hour.
  if seen == '' then
    count_day(day, 'calls.offered', 1)
  end
  if seen .. beside == '' then
    count_minute(minute, 'offered', 1)
  end
  redis.call('HSET', key('calls:' .. day), call, seen .. letter .. at)
  if letter == 'o' then
    offered_late(day, minute, call, seen, at)
    return
  end
  local offered = redis.call('ZSCORE', prefix .. 'waiting', call) or string.match(seen, 'o(%d+)')
  redis.call('ZREM', key('waiting'), call)
  if letter == 'a' then
    count_day(day, 'calls.answered', 1)
    count_minute(minute, 'answered', 1)
    if offered then
      count_wait(day, minute, offered, at)
    end
  elseif letter == 'x' then
    count_day(day, 'calls.abandoned', 1)
    count_minute(minute, 'abandoned', 1)
  end
end

-- Only while loading: t ticket (as it is kept), d day field n, m minute field n, p day place n,
-- n minute place n
op.t = function(p)
  put_in(p[2], { status = p[3], department = p[4], opened = p[5], channel = p[6], answered = p[7],
    legal = p[8], service = p[9] })
end
op.d = function(p)
  count_day(p[2], p[3], p[4])
end
op.m = function(p)
  count_minute(p[2], p[3], p[4])
end

op.p = function(p)
  count_place(p[2], p[3], p[4])
end
op.n = function(p)
  count_near(p[2], p[3], p[4])
end

local function run_ops(first)
  for i = first, #ARGV do
    local p = split(ARGV[i])
    op[p[1]](p, ARGV[i])
  end
end

local function refusal(log_id)
  local now = redis.call('GET', KEYS[1])
  if not now then
    return 'LOST'
  end
  if now ~= generation then
    return 'GENERATION'
  end
  local head = redis.call('HGET', prefix .. 'head', 'log_id')
  if not head then
    return 'LOST'
  end
  if log_id and head ~= log_id then
    return 'LOG'
  end
  return nil
end

local run = {}

run.position = function()
  local now = redis.call('GET', KEYS[1])
  if not now then
    return { 'LOST' }
  end
  local head = redis.call('HMGET', BASE .. now .. ':head', 'log_id', 'seq', 'committed_us')
  if not head[1] or not head[2] then
    return { 'LOST' }
  end
  return { 'OK', now, head[1], head[2], head[3] }
end

-- apply G log_id after through committed_us op...
run.apply = function()
  local log_id, after, through = ARGV[3], ARGV[4], ARGV[5]
  local no = refusal(log_id)
  if no then
    return { no }
  end
  local seq = redis.call('HGET', prefix .. 'head', 'seq')
  if through <= seq then
    return { 'STALE', seq }
  end
  if after ~= seq then
    return { after < seq and 'OVERLAP' or 'GAP', seq }
  end
  -- Nobody has read for long: minutes that come now are to find the hour they belong to.
  local minute = math.floor(tonumber(ARGV[6]) / 60000000)
  if minute > hour_end() + BEHIND then
    move_hour(minute)
  end
  run_ops(7)
  redis.call('HSET', key('head'), 'seq', through)
  if ARGV[6] ~= '0' then
    redis.call('HSET', key('head'), 'committed_us', ARGV[6])
    redis.call('ZREMRANGEBYSCORE', key('waiting'), '-inf', tonumber(ARGV[6]) - WAIT_MOST)
  end
  remember_keys()
  return { 'OK', through, tostring(unknown) }
end

-- begin G minute: a new generation, empty
run.begin = function()
  drop_former()
  drop_others(redis.call('GET', KEYS[1]), generation)
  redis.call('SADD', BASE .. 'generations', generation)
  redis.call('HSET', key('head'), 'loading', '1', 'minute', ARGV[3])
  remember_keys()
  return { 'OK' }
end

-- load G op...
run.load = function()
  if not redis.call('HGET', prefix .. 'head', 'loading') then
    return { 'LOST' }
  end
  run_ops(3)
  remember_keys()
  return { 'OK' }
end

-- switch G log_id seq committed_us: it counts from now on, and the others are gone
run.switch = function()
  if not redis.call('HGET', prefix .. 'head', 'loading') then
    return { 'LOST' }
  end
  redis.call('HSET', prefix .. 'head', 'log_id', ARGV[3], 'seq', ARGV[4], 'committed_us', ARGV[5])
  redis.call('HDEL', prefix .. 'head', 'loading')
  redis.call('SET', KEYS[1], generation)
  drop_others(generation, generation)
  return { 'OK' }
end

local add_figures = {}

-- Counters of waits, as how many are known and how many of them took less than so many seconds; the others
-- as they are, by add_other.
local function add_counters(all, within, add, what, add_other)
  local known, quick = 0, 0
  for i = 1, #all, 2 do
    local seconds = string.match(all[i], '^wait%.(%d+)$')
    if not seconds then
      add_other(all[i], all[i + 1])
    else
      known = known + tonumber(all[i + 1])
      quick = quick + (tonumber(seconds) < within and tonumber(all[i + 1]) or 0)
    end
  end
  add(what .. '.known', known)
  add(what .. '.quick', quick)
end

add_figures.day = function(add, day, within)
  add_counters(redis.call('HGETALL', prefix .. 'day:' .. day), within, add, 'calls', add)
end

add_figures.waiting = function(add, now)
  local since = tonumber(now) - WAIT_MOST
  add('calls.waiting', redis.call('ZCOUNT', prefix .. 'waiting', since, '+inf'))
  local first = redis.call('ZRANGEBYSCORE', prefix .. 'waiting', since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if first[2] then
    add('calls.longest', first[2])
  end
end

-- Of each channel what is open, and how the law's clocks of these stand.
add_figures.channels = function(add, now, soon)
  local open = redis.call('HGETALL', prefix .. 'channel')
  for i = 1, #open, 2 do
    local legal = prefix .. 'legal:' .. open[i]
    add('open.' .. open[i], open[i + 1])
    add('late.' .. open[i], redis.call('ZCOUNT', legal, '-inf', now))
    add('soon.' .. open[i], redis.call('ZCOUNT', legal, '(' .. now, soon))
    local first = redis.call('ZRANGE', legal, 0, 0, 'WITHSCORES')
    if first[2] then
      add('due.' .. open[i], first[2])
    end
  end
end

add_figures.departments = function(add, now)
  for _, department in ipairs(redis.call('SMEMBERS', prefix .. 'departments')) do
    local d = 'd.' .. department .. '.'
    add(d .. 'open', redis.call('ZCARD', prefix .. 'open:' .. department))
    add(d .. 'overdue', redis.call('ZCOUNT', prefix .. 'due:' .. department, '-inf', now))
    local oldest = redis.call('ZRANGE', prefix .. 'open:' .. department, 0, 0, 'WITHSCORES')
    if oldest[2] then
      add(d .. 'oldest', oldest[2])
    end
  end
end

-- The places with most tickets in the last hour, if they have so many, and what they had in the days before.
add_figures.places = function(add, day, least)
  local found = redis.call('ZREVRANGEBYSCORE', prefix .. 'surge', '+inf', least, 'WITHSCORES', 'LIMIT', 0,
    TOLD_PLACES)
  local places, before = {}, {}
  for i = 1, #found, 2 do
    places[#places + 1] = found[i]
    before[#before + 1] = 0
    add('surge.' .. found[i], found[i + 1])
  end
  for d = tonumber(day) - USUAL_DAYS, tonumber(day) - 1 do
    local of_day = #places > 0
      and redis.call('HMGET', prefix .. 'place:' .. string.format('%d', d), unpack(places)) or {}
    for i = 1, #of_day do
      before[i] = before[i] + (of_day[i] or 0)
    end
  end
  for i = 1, #places do
    add('usual.' .. places[i], string.format('%d', before[i]))
  end
end

add_figures.hour = function(add, within)
  add_counters(redis.call('HGETALL', prefix .. 'hour'), within, add, 'hour', function(field, n)
    local flow, department = string.match(field, '^(%a+)%.(.+)$')
    add(flow and 'd.' .. department .. '.' .. flow or 'hour.' .. field, n)
  end)
end

-- read G log_id now_us day minute quick_s soon_us surge: every figure of the board, as name, value,
-- name, value ...; quick_s: a call answered sooner is answered quickly; soon_us: the law's deadlines until
-- then are near; surge: a place with fewer tickets in the last hour is not told.  The sums of the hour move
-- to the minute with it, so it writes, once a minute.
run.read = function()
  local no = refusal(ARGV[3])
  if no then
    return { no }
  end
  local now, day = ARGV[4], ARGV[5]
  local head = redis.call('HMGET', prefix .. 'head', 'seq', 'committed_us')
  local out = { 'OK', head[1], head[2] }
  move_hour(tonumber(ARGV[6]))
  local function add(name, value)
    out[#out + 1] = name
    out[#out + 1] = tostring(value)
  end
  local all = redis.call('HGETALL', prefix .. 'status')
  for i = 1, #all, 2 do
    add('status.' .. all[i], all[i + 1])
  end
  add_figures.day(add, day, tonumber(ARGV[7]))
  add_figures.waiting(add, now)
  add_figures.channels(add, now, ARGV[8])
  add_figures.departments(add, now)
  add_figures.hour(add, tonumber(ARGV[7]))
  add_figures.places(add, day, tonumber(ARGV[9]))
  remember_keys()
  return out
end

return run[mode]()
