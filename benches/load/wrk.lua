-- Sends the requests of a file and checks the responses.
--
-- Arguments: the file; the number of threads; the number of pages for each heart; the hearts' current states, one
-- character each; and, if pages are checked, their number of rows and their minimum and maximum number of hearts.
--
-- In the file, a heart is a PUT. Each request for it toggles it: a PUT adds it, the next one, a DELETE, removes it. Only
-- one thread requests a heart, and only after the previous response for it, so the last response says what must be
-- stored. The app returns the header x-request-id, which carries the heart's number.

local HEARTED, REMOVED, UNKNOWN = "1", "0", "?"

local threads = {}
local pages, puts, deletes = {}, {}, {}
-- Ring buffer of the hearts without a request in flight: `idle` of them, starting at `head`.
local ring, head, idle, capacity = {}, 1, 0, 0
-- State that the request in flight asks for, by heart.
local requested = {}
local page, request_count, pages_per_heart, is_probed = 0, 0, 0, false
local rows, min_hearted, max_hearted
-- Read by done().
states, toggles, page_count, bytes, checked, wrong = {}, 0, 0, 0, 0, 0

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  local thread_count, initial = tonumber(arguments[2]), arguments[4]
  pages_per_heart = tonumber(arguments[3])
  rows, min_hearted, max_hearted = tonumber(arguments[5]), tonumber(arguments[6]), tonumber(arguments[7])
  local file = assert(io.open(arguments[1], "rb"))
  local hearts = 0
  for raw in file:read("*a"):gmatch("[^%z]+") do
    if raw:sub(1, 4) ~= "PUT " then
      table.insert(pages, raw)
    else
      hearts = hearts + 1
      if hearts % thread_count == number then
        puts[hearts], deletes[hearts] = raw, "DELETE " .. raw:sub(5)
        states[hearts] = initial:sub(hearts, hearts)
        capacity = capacity + 1
        ring[capacity] = hearts
      end
    end
  end
  file:close()
  idle = capacity
  -- Each thread starts at another page.
  page = number * 7
end

local function toggle_heart()
  assert(idle > 0, "more connections than hearts")
  local heart = ring[head]
  head, idle = head % capacity + 1, idle - 1
  requested[heart] = states[heart] == HEARTED and REMOVED or HEARTED
  states[heart] = UNKNOWN
  return requested[heart] == HEARTED and puts[heart] or deletes[heart]
end

function request()
  -- Before the run, wrk calls this once in the first thread and does not send the result.
  if number == 0 and not is_probed then
    is_probed = true
    return pages[1] or puts[ring[1]]
  end
  request_count = request_count + 1
  if capacity > 0 and request_count % (pages_per_heart + 1) == 0 then return toggle_heart() end
  page = page % #pages + 1
  return pages[page]
end

local function count(text, pattern)
  local found, at = 0, 1
  while true do
    local from, to = text:find(pattern, at)
    if not from then return found end
    found, at = found + 1, to + 1
  end
end

local function check_heart(heart, body)
  states[heart] = body:find('"hearted":true', 1, true) and HEARTED or REMOVED
  if states[heart] ~= requested[heart] then wrong = wrong + 1 end
  ring[(head + idle - 1) % capacity + 1] = heart
  idle = idle + 1
  toggles = toggles + 1
end

local function check_page(body)
  page_count, bytes = page_count + 1, bytes + #body
  if not rows or page_count % 16 ~= 1 then return end
  checked = checked + 1
  -- Cards have no quotes where HTML needs none.
  local hearted = count(body, 'name=hearted value=false')
  local is_expected = count(body, '<li class="?card[" ]') == rows and hearted >= min_hearted and hearted <= max_hearted
  if not is_expected then wrong = wrong + 1 end
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
  local totals = { toggles = 0, page_count = 0, bytes = 0, checked = 0, wrong = 0 }
  local all_states, hearts = {}, 0
  for _, thread in ipairs(threads) do
    for name in pairs(totals) do totals[name] = totals[name] + thread:get(name) end
    for heart, state in pairs(thread:get("states")) do
      all_states[heart] = state
      hearts = math.max(hearts, heart)
    end
  end
  local errors = summary.errors
  io.write(string.format(
    "result requests=%d toggles=%d seconds=%f p50=%f p99=%f http_errors=%d socket_errors=%d checked=%d wrong=%d "
      .. "page_bytes=%f states=%s\n",
    summary.requests, totals.toggles, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    totals.checked, totals.wrong, totals.bytes / totals.page_count,
    hearts > 0 and table.concat(all_states, "", 1, hearts) or "-"))
end
