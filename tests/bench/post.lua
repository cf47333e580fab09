-- wrk: Open311 reports, each of another citizen.  TURUNC_BENCH_KEY is the API key.
local key = os.getenv("TURUNC_BENCH_KEY")
local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local created, other = 0, 0

function setup(thread)
  thread:set("seed", math.random(1, 1000000000))
end

function init(args)
  math.randomseed(seed + os.time())
end

function request()
  local phone = string.format("%%2B90532%07d", math.random(0, 9999999))
  local body = "api_key=" .. key .. "&service_code=cadde-supurme&lat=36.85" .. math.random(10, 99)
    .. "&long=30.75" .. math.random(10, 99) .. "&address_string=Fener%20Mahallesi%20Tekelioglu%20Caddesi%20No%20"
    .. math.random(1, 300) .. "&first_name=Deneme&last_name=Kisi&phone=" .. phone
    .. "&description=Cadde%20gunlerdir%20supurulmedi%2C%20temizlenmesini%20rica%20ederim."
  return wrk.format("POST", "/open311/v2/requests.json", headers, body)
end

function response(status)
  if status == 201 then created = created + 1 else other = other + 1 end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "RESULT requests=%d seconds=%.3f p50_ms=%.3f p99_ms=%.3f bad_status=%d socket_errors=%d\n",
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
