"""Mistral's SDK, unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import json
import sys

from mistralai.client import Mistral
from mistralai.client.errors import SDKError

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"
MODEL = "mistral-large-latest"

client = Mistral(api_key="sdk-test", server_url=sys.argv[1], timeout_ms=60_000)
messages = [
    {"role": "system", "content": "Answer in the team's voice."},
    {"role": "user", "content": f"Write to {EMAIL} and ask for a call at {PHONE}."},
]

# Not streamed.
answer = client.chat.complete(model=MODEL, messages=messages)
text = answer.choices[0].message.content
assert EMAIL in text and PHONE in text, "the answer holds the real values"

# Streamed. The usage comes unasked: the simulated provider refuses whoever asks, as Mistral does.
pieces = [event.data.choices[0].delta.content or "" for event in client.chat.stream(model=MODEL, messages=messages)
          if event.data.choices]
assert len(pieces) > 5, "the stream came in pieces"
assert EMAIL in "".join(pieces) and PHONE in "".join(pieces)

# Tools.
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
called = client.chat.complete(model=MODEL, messages=messages, tools=tools, tool_choice="required")
call = called.choices[0].message.tool_calls[0]
assert json.loads(call.function.arguments) == {"email": EMAIL, "phone": PHONE}
history = messages + [
    {"role": "assistant", "content": "", "tool_calls": [call.model_dump()]},
    {"role": "tool", "tool_call_id": call.id, "name": "send_message", "content": f"sent to {EMAIL}"},
]
assert EMAIL in client.chat.complete(model=MODEL, messages=history, tools=tools).choices[0].message.content

# Fill in the middle.
code = {"model": "codestral-latest", "prompt": f"# write to {EMAIL}", "suffix": f"# or call {PHONE}"}
assert EMAIL in client.fim.complete(**code).choices[0].message.content
pieces = [event.data.choices[0].delta.content or "" for event in client.fim.stream(**code) if event.data.choices]
assert EMAIL in "".join(pieces)

# Errors are the SDK's own exceptions, and do not repeat what was sent.
for content in (
    f"{EMAIL} was diagnosed with epilepsy",
    [{"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="}],
    [{"type": "document_url", "document_url": "https://example.com/a.pdf"}],
):
    try:
        client.chat.complete(model=MODEL, messages=[{"role": "user", "content": content}])
    except SDKError as error:
        assert error.status_code == 403 and EMAIL not in str(error), error
    else:
        raise AssertionError("expected a refusal")
print("mistralai")
