-- The projection of the log into Redis, version 1.  Everything under live: is written by this text
-- and nothing else, so each call is one step that happens whole or not at all.
--
-- KEYS[1]  live:1:current, which names the generation that counts
-- ARGV     mode, generation, then what the mode takes
--
-- A generation G lives under live:1:G:
--   head         hash: log_id, seq, committed_us; or loading, while it is being filled
--   ticket       hash: ticket -> "status department opened_us channel answered legal_due service_due"
--                of every ticket that is not closed, so that a step finds what it changes
--   status       hash: status -> tickets
--   departments  set of those that ever had a ticket ("-": none yet)
--   open:D       zset: open ticket -> opened_us
--   due:D        zset: open ticket -> the nearest deadline that runs
--   day:N        hash: counters of the day N (days since 1970 in Istanbul)
--   calls:N      hash: call -> letters of what was seen of it
--   min:N        hash: counters of the minute N since 1970
--   days, mins   zsets of the days and minutes there are;  keys: set of all keys of the generation
-- seq comes as twenty digits and is compared as text: a Lua number is exact up to 2^53 only.
local BASE, LAST_LIVE, CLOSED, WAITING = 'live:1:', 6, '12', '6'
local KEPT_MINUTES, KEPT_DAYS = 120, 2
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

local function drop_others(kept, kept_too)
  for _, other in ipairs(redis.call('SMEMBERS', BASE .. 'generations')) do
    if other ~= kept and other ~= kept_too then
      drop(other)
    end
  end
end

-- Days and minutes that no figure needs any more go when a new one comes.
local function enter(index, number, kept, names)
  if redis.call('ZADD', key(index), number, number) == 0 then
    return
  end
  local limit = tonumber(number) - kept
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', key(index), '-inf', limit)) do
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
  enter('mins', minute, KEPT_MINUTES, { 'min:' })
  redis.call('HINCRBY', key('min:' .. minute), field, n)
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
  local due = nearest_due(t)
  if due ~= nil then
    redis.call('ZADD', key('due:' .. t.department), due, id)
  end
end

local op = {}

-- o ticket opened_us channel day minute: a ticket was opened
op.o = function(p)
  put_in(p[2], { status = '1', department = '-', opened = p[3], channel = p[4], answered = '0',
    legal = '0', service = '0' })
  count_day(p[5], 'today.' .. p[4], 1)
  count_minute(p[6], 'opened', 1)
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

-- c day letter call: something is known of a call; its steps come in any order
op.c = function(p, text)
  local day, letter = p[2], p[3]
  local call = string.sub(text, #day + 6)
  local seen = redis.call('HGET', key('calls:' .. day), call) or ''
  if string.find(seen, letter, 1, true) then
    return
  end
  redis.call('HSET', key('calls:' .. day), call, seen .. letter)
  if seen == '' then
    count_day(day, 'calls.offered', 1)
  end
  if letter == 'a' then
    count_day(day, 'calls.answered', 1)
  elseif letter == 'x' then
    count_day(day, 'calls.abandoned', 1)
  end
end

-- Only while loading: t ticket (as it is kept), d day field n, m minute field n
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
  run_ops(7)
  redis.call('HSET', key('head'), 'seq', through)
  if ARGV[6] ~= '0' then
    redis.call('HSET', key('head'), 'committed_us', ARGV[6])
  end
  remember_keys()
  return { 'OK', through, tostring(unknown) }
end

-- begin G: a new generation, empty
run.begin = function()
  drop_others(redis.call('GET', KEYS[1]), generation)
  redis.call('SADD', BASE .. 'generations', generation)
  redis.call('HSET', key('head'), 'loading', '1')
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

-- read G log_id now_us day minute: every figure of the board, as name, value, name, value ...
run.read = function()
  local no = refusal(ARGV[3])
  if no then
    return { no }
  end
  local now, day, minute = ARGV[4], ARGV[5], tonumber(ARGV[6])
  local head = redis.call('HMGET', prefix .. 'head', 'seq', 'committed_us')
  local out = { 'OK', head[1], head[2] }
  local function add(name, value)
    out[#out + 1] = name
    out[#out + 1] = tostring(value)
  end
  local function add_all(kind, name)
    local all = redis.call('HGETALL', prefix .. name)
    for i = 1, #all, 2 do
      add(kind .. all[i], all[i + 1])
    end
  end
  add_all('status.', 'status')
  add_all('', 'day:' .. day)
  for _, department in ipairs(redis.call('SMEMBERS', prefix .. 'departments')) do
    local d = 'd.' .. department .. '.'
    add(d .. 'open', redis.call('ZCARD', prefix .. 'open:' .. department))
    add(d .. 'overdue', redis.call('ZCOUNT', prefix .. 'due:' .. department, '-inf', now))
    local oldest = redis.call('ZRANGE', prefix .. 'open:' .. department, 0, 0, 'WITHSCORES')
    if oldest[2] then
      add(d .. 'oldest', oldest[2])
    end
  end
  local sums = {}
  for m = minute - 59, minute do
    local all = redis.call('HGETALL', prefix .. 'min:' .. string.format('%d', m))
    for i = 1, #all, 2 do
      sums[all[i]] = (sums[all[i]] or 0) + tonumber(all[i + 1])
    end
  end
  for field, n in pairs(sums) do
    local flow, department = string.match(field, '^(%a+)%.(.+)$')
    add(flow and 'd.' .. department .. '.' .. flow or 'hour.' .. field, string.format('%d', n))
  end
  return out
end

return run[mode]()
