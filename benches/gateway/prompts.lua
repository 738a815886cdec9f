-- wrk script: chat completions of about 1 KB with a name, an e-mail address, a phone number and an
-- account number in each. Every request is another prompt, so that no cache of results helps,
-- unless CACHED is set.
local cached = os.getenv("CACHED") == "1"
-- Made-up surnames, some eight thousand, so that the model has something new to read.
local syllable = { "ba", "del", "fi", "gor", "hal", "ke", "lin", "mo", "nar", "os", "pe", "ren", "sol", "ta", "ul", "ve", "wen", "yar", "zim", "dra" }
local first = { "Anna", "Piotr", "Claire", "Miguel", "Giulia", "Jonas", "Ingrid", "Thomas" }
local filler = "The customer called about the invoice of last month and asked whether the second item " ..
  "could be returned. The colleague at the desk said that this is possible within thirty days if the " ..
  "box has not been opened. Please write a short and friendly answer that explains the steps, names " ..
  "the form to be used, and offers to call back in the afternoon. Keep it under two hundred words, " ..
  "do not promise a date for the refund, and mention that the shipping label will be sent by mail. "

local function body(n)
  local a, b, c = n % 20 + 1, math.floor(n / 20) % 20 + 1, math.floor(n / 400) % 20 + 1
  local surname = syllable[a]:gsub("^%l", string.upper) .. syllable[b] .. syllable[c]
  local name = first[n % 8 + 1] .. " " .. surname
  local text = string.format(
    "Customer %s (customer%d@example.org, +49 30 9018%05d, IBAN DE89370400440532013000) wrote today, case %d. ",
    name, n, n % 100000, n)
  return '{"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant of a shop."},' ..
    '{"role":"user","content":"' .. text .. filler .. filler:sub(1, 330) .. '"}],"temperature":0.2}'
end

local seed = 0
function setup(thread)
  thread:set("seed", seed)
  seed = seed + 1000003
end

local n
function init()
  n = seed or 0
end

function request()
  n = n + 1
  return wrk.format("POST", "/v1/chat/completions", { ["Content-Type"] = "application/json" }, body(cached and n % 50 or n))
end
