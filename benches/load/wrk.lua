-- Asks for the requests of a file in turn, and looks at every sixteenth page.
-- Arguments: the file, a seed for fresh ids, and (to look at pages) how many rows and hearts a page must show.

local threads = {}
local heads, tails, turn, seen = {}, {}, 0, 0
local rows, hearts
writes, checked, wrong = 0, 0, 0

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  math.randomseed(tonumber(arguments[2]) * 1000 + number)
  rows, hearts = tonumber(arguments[3]), tonumber(arguments[4])
  local file = assert(io.open(arguments[1], "rb"))
  for raw in file:read("*a"):gmatch("[^%z]+") do
    local head, tail = raw:match("^(.-){fresh}(.*)$")
    table.insert(heads, head or raw)
    tails[#heads] = tail
  end
  file:close()
  -- Each thread begins elsewhere in the list.
  turn = number * 7
  if rows then response = look end
end

-- 22 digits: an id that nobody has hearted.
local function fresh()
  return string.format("%011d%011d", math.random(0, 99999999999), math.random(0, 99999999999))
end

function request()
  turn = turn % #heads + 1
  if tails[turn] then return heads[turn] .. fresh() .. tails[turn] end
  return heads[turn]
end

local function count(text, words)
  local found, at = 0, 1
  while true do
    local from, to = text:find(words, at, true)
    if not from then return found end
    found, at = found + 1, to + 1
  end
end

function look(status, headers, body)
  if status ~= 200 then return end
  -- What is no page answers a write.
  if body:byte(1) == 123 then
    writes = writes + 1
    return
  end
  seen = seen + 1
  if seen % 16 ~= 1 then return end
  checked = checked + 1
  if count(body, '<li class="card"') ~= rows or count(body, 'aria-pressed="true"') ~= hearts then wrong = wrong + 1 end
end

function done(summary, latency)
  local sums = { writes = 0, checked = 0, wrong = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local failed = summary.errors
  io.write(string.format(
    "told requests=%d writes=%d seconds=%f p50=%f p99=%f refused=%d broken=%d checked=%d wrong=%d\n",
    summary.requests, sums.writes, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.status, failed.connect + failed.read + failed.write + failed.timeout, sums.checked, sums.wrong))
end
