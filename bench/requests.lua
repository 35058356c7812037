-- What wrk sends: requests read from a file, one a line ("METHOD target" and, behind tabs, headers); what it answers: one line of JSON.
-- Arguments: the file; the size of a PUT's body in bytes, each body another one; "once" to end with the file, or "cycle".

local requests, headers, bodySize, once, at = {}, {}, 0, false, 0
local filler = ""

function init(args)
  bodySize = tonumber(args[2])
  once = args[3] == "once"
  for line in io.lines(args[1]) do
    local first, rest = line:match("^([^\t]*)\t?(.*)$")
    local extra = rest == "" and "" or rest:gsub("\t", "\r\n") .. "\r\n"
    requests[#requests + 1] = first .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n" .. extra
  end
  math.randomseed(#requests)
  local bytes = {}
  for n = 1, bodySize - 12 do bytes[n] = string.char(math.random(0, 255)) end
  filler = table.concat(bytes)
end

local salt = string.format("%04x", os.time() % 65536)

function request()
  at = at + 1
  if at > #requests then
    if once then wrk.thread:stop() end
    at = 1
  end
  if bodySize == 0 then return requests[at] .. "\r\n" end
  return requests[at] .. "Content-Length: " .. bodySize .. "\r\n\r\n" .. salt .. string.format("%08d", at) .. filler
end

local ffi = require("ffi")
ffi.cdef("typedef struct { uint64_t count, limit, min, max, data[1]; } latencies;")

-- For each latency that is long, wrk counts shorter ones as well, which it supposes a client would have met that does not wait.
-- They are taken out again, from the longest down, so that what is told are the requests that were made.
local function takeOutSupposed(latency, summary)
  local all = ffi.cast("latencies **", latency)[0]
  local perConnection = math.floor(summary.requests / tonumber(os.getenv("CONNECTIONS")))
  if perConnection > 0 then
    local interval = math.floor(summary.duration / perConnection)
    for long = tonumber(all.max), interval * 2, -1 do
      local count = all.data[long]
      if count > 0 then
        for short = long - interval, interval + 1, -interval do
          all.data[short] = all.data[short] - count
          all.count = all.count - count
        end
      end
    end
  end
  if tonumber(all.count) ~= summary.requests then error("these are not the latencies that wrk 4.1 keeps") end
end

function done(summary, latency)
  local failed = summary.errors
  takeOutSupposed(latency, summary)
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"bytes":%d,"failed":%d,"p50":%.3f,"p90":%.3f,"p99":%.3f,"max":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
