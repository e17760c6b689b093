-- Sends the requests of a file and checks the answers.
--
-- Arguments: the file; the number of threads; the number of pages sent for each heart; the hearts' states, one character
-- each; and, if pages are checked, their number of rows and their least and greatest number of pressed hearts.
--
-- A heart is a PUT of the file. Each press toggles it: the next request for it is a DELETE, the one after that a PUT. One
-- thread sends it, and only after the last answer for it, so the last answer says what must be stored. The app returns
-- the header x-request-id, which carries the heart's number.

local HEARTED, REMOVED, UNKNOWN = "1", "0", "?"

local threads = {}
local pages, puts, deletes = {}, {}, {}
-- Ring of the hearts that are not under way: `free` of them, from `first` on.
local ring, first, free, size = {}, 1, 0, 0
-- What the heart's request under way asks for.
local asked = {}
local page, turn, seen, pages_per_heart, probed = 0, 0, 0, 0, false
local rows, least, most
-- Read by done().
states, presses, answered, bytes, checked, wrong = {}, 0, 0, 0, 0, 0

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  local count, initial = tonumber(arguments[2]), arguments[4]
  pages_per_heart = tonumber(arguments[3])
  rows, least, most = tonumber(arguments[5]), tonumber(arguments[6]), tonumber(arguments[7])
  local file = assert(io.open(arguments[1], "rb"))
  local hearts = 0
  for raw in file:read("*a"):gmatch("[^%z]+") do
    if raw:sub(1, 4) ~= "PUT " then
      table.insert(pages, raw)
    else
      hearts = hearts + 1
      if hearts % count == number then
        puts[hearts], deletes[hearts] = raw, "DELETE " .. raw:sub(5)
        states[hearts] = initial:sub(hearts, hearts)
        size = size + 1
        ring[size] = hearts
      end
    end
  end
  file:close()
  free = size
  -- Each thread starts at another page.
  page = number * 7
end

local function press()
  assert(free > 0, "more connections than hearts")
  local heart = ring[first]
  first, free = first % size + 1, free - 1
  asked[heart] = states[heart] == HEARTED and REMOVED or HEARTED
  states[heart] = UNKNOWN
  return asked[heart] == HEARTED and puts[heart] or deletes[heart]
end

function request()
  -- Before the run, wrk takes one request of the first thread and does not send it.
  if number == 0 and not probed then
    probed = true
    return pages[1] or puts[ring[1]]
  end
  turn = turn + 1
  if size > 0 and turn % (pages_per_heart + 1) == 0 then return press() end
  page = page % #pages + 1
  return pages[page]
end

local function count(text, words)
  local found, at = 0, 1
  while true do
    local from, to = text:find(words, at, true)
    if not from then return found end
    found, at = found + 1, to + 1
  end
end

local function check_heart(heart, body)
  states[heart] = body:find('"hearted":true', 1, true) and HEARTED or REMOVED
  if states[heart] ~= asked[heart] then wrong = wrong + 1 end
  ring[(first + free - 1) % size + 1] = heart
  free = free + 1
  presses = presses + 1
end

local function check_page(body)
  answered, bytes = answered + 1, bytes + #body
  if not rows or answered % 16 ~= 1 then return end
  checked = checked + 1
  local pressed = count(body, 'aria-pressed="true"')
  if count(body, '<li class="card"') ~= rows or pressed < least or pressed > most then wrong = wrong + 1 end
end

function response(status, headers, body)
  if status ~= 200 then
    wrong = wrong + 1
    return
  end
  local heart = (headers["x-request-id"] or ""):match("^heart%-(%d+)$")
  if heart then check_heart(tonumber(heart), body) else check_page(body) end
end

function done(summary, latency)
  local sums = { presses = 0, answered = 0, bytes = 0, checked = 0, wrong = 0 }
  local all, hearts = {}, 0
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
    for heart, state in pairs(thread:get("states")) do
      all[heart] = state
      hearts = math.max(hearts, heart)
    end
  end
  local failed = summary.errors
  io.write(string.format(
    "result requests=%d presses=%d seconds=%f p50=%f p99=%f refused=%d broken=%d checked=%d wrong=%d page_bytes=%f states=%s\n",
    summary.requests, sums.presses, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.status, failed.connect + failed.read + failed.write + failed.timeout, sums.checked, sums.wrong,
    sums.bytes / sums.answered, hearts > 0 and table.concat(all, "", 1, hearts) or "-"))
end
