"""Cohere's SDK, unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import json
import sys

import cohere
from cohere.core.api_error import ApiError

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"
MODEL = "command-a-03-2025"

client = cohere.ClientV2(api_key="sdk-test", base_url=sys.argv[1], timeout=60)
messages = [
    {"role": "system", "content": "Answer in the team's voice."},
    {"role": "user", "content": f"Write to {EMAIL} and ask for a call at {PHONE}."},
]

# Not streamed.
answer = client.chat(model=MODEL, messages=messages)
text = answer.message.content[0].text
assert EMAIL in text and PHONE in text, "the answer holds the real values"
assert answer.finish_reason == "COMPLETE" and answer.usage.billed_units.input_tokens > 0

# Streamed.
pieces, usage = [], None
for event in client.chat_stream(model=MODEL, messages=messages):
    if event.type == "content-delta":
        pieces.append(event.delta.message.content.text)
    elif event.type == "message-end":
        usage = event.delta.usage
assert len(pieces) > 5, "the stream came in pieces"
assert EMAIL in "".join(pieces) and PHONE in "".join(pieces)
assert usage.billed_units.output_tokens > 0

# Tools, both ways.
tools = [
    {
        "type": "function",
        "function": {
            "name": "send_message",
            "description": "Sends a message.",
            "parameters": {
                "type": "object",
                "properties": {"email": {"type": "string"}, "phone": {"type": "string"}},
                "required": ["email"],
            },
        },
    }
]
force = {"tools": tools, "tool_choice": "REQUIRED"}
called = client.chat(model=MODEL, messages=messages, **force)
call = called.message.tool_calls[0]
assert json.loads(call.function.arguments) == {"email": EMAIL, "phone": PHONE}
arguments = ""
for event in client.chat_stream(model=MODEL, messages=messages, **force):
    if event.type == "tool-call-delta":
        arguments += event.delta.message.tool_calls.function.arguments
assert json.loads(arguments) == {"email": EMAIL, "phone": PHONE}

# The tool's result goes back with the call in the history.
history = messages + [
    {"role": "assistant", "tool_plan": f"I will write to {EMAIL}.", "tool_calls": [call.model_dump()]},
    {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"sent_to": EMAIL})},
]
answer = client.chat(model=MODEL, messages=history, tools=tools)
assert EMAIL in answer.message.content[0].text

# Embeddings and ranks.
vectors = client.embed(
    model="embed-v4.0", input_type="search_document", embedding_types=["float"], texts=[f"mail {EMAIL}"]
)
assert len(vectors.embeddings.float_[0]) == 256 and vectors.texts == [f"mail {EMAIL}"]
ranks = client.rerank(model="rerank-v3.5", query="whose mail?", documents=[f"mail {EMAIL}", "two"])
assert len(ranks.results) == 2


# Errors are the SDK's own exceptions, and do not repeat what was sent.
def refused(status, code, call):
    try:
        call()
    except ApiError as error:
        assert error.status_code == status, error.status_code
        assert code in error.body["message"], error.body
        assert EMAIL not in str(error)
        return
    raise AssertionError(f"expected {status}")


ill = [{"role": "user", "content": f"{EMAIL} was diagnosed with epilepsy"}]
refused(403, "policy_blocked", lambda: client.chat(model=MODEL, messages=ill))
refused(403, "policy_blocked", lambda: list(client.chat_stream(model=MODEL, messages=ill)))
if not sys.argv[1].endswith("/cohere"):  # an endpoint that is named by its prefix takes any model
    refused(404, "model_not_found", lambda: client.chat(model="no-such-model", messages=messages))
print("cohere")
