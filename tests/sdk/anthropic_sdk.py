"""The official Anthropic SDK for Python, unchanged, through the gate. Argument: the gate's URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import sys

import anthropic

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"
MODEL = "claude-sonnet-4-5"

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="sk-ant-sdk-test", max_retries=0, timeout=60)
ask = {
    "model": MODEL,
    "max_tokens": 400,
    "system": "Answer in the team's voice.",
    "messages": [
        {"role": "user", "content": f"Write to {EMAIL} and ask for a call at {PHONE}."}
    ],
}

# Not streamed.
answer = client.messages.create(**ask)
assert EMAIL in answer.content[0].text and PHONE in answer.content[0].text
assert answer.stop_reason == "end_turn" and answer.model == MODEL
assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0

# Streamed, by the helper and event by event.
with client.messages.stream(**ask) as stream:
    pieces = list(stream.text_stream)
    final = stream.get_final_message()
assert len(pieces) > 5, "the stream came in pieces"
assert "".join(pieces) == final.content[0].text
assert EMAIL in final.content[0].text and PHONE in final.content[0].text
assert final.usage.output_tokens > 1
kinds = [event.type for event in client.messages.create(**ask, stream=True)]
assert kinds[0] == "message_start" and kinds[-1] == "message_stop", kinds

# Tools, both ways.
tools = [
    {
        "name": "send_message",
        "description": "Sends a message.",
        "input_schema": {
            "type": "object",
            "properties": {"email": {"type": "string"}, "phone": {"type": "string"}},
            "required": ["email"],
        },
    }
]
forced = {"tools": tools, "tool_choice": {"type": "any"}}
called = client.messages.create(**ask, **forced)
use = called.content[0]
assert use.type == "tool_use" and use.input == {"email": EMAIL, "phone": PHONE}
with client.messages.stream(**ask, **forced) as stream:
    streamed = stream.get_final_message().content[0]
assert streamed.input == {"email": EMAIL, "phone": PHONE}

# The tool's result goes back with the call in the history.
history = ask["messages"] + [
    {"role": "assistant", "content": [use.model_dump(exclude_none=True)]},
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": use.id, "content": f"sent to {EMAIL}"}
        ],
    },
]
answer = client.messages.create(**{**ask, "messages": history}, tools=tools)
assert EMAIL in answer.content[0].text

# Models.
assert MODEL in [model.id for model in client.models.list()]


# Errors are the SDK's own exceptions, and do not repeat what was sent.
def refused(kind, status, type_, call):
    try:
        call()
    except kind as error:
        assert error.status_code == status, error.status_code
        assert error.body["error"]["type"] == type_, error.body
        assert error.response.headers["tollgate-exchange"]
        assert EMAIL not in str(error)
        return
    raise AssertionError(f"expected {kind.__name__}")


image = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
}
picture = [{"role": "user", "content": [{"type": "text", "text": f"Is it {EMAIL}?"}, image]}]
refused(
    anthropic.PermissionDeniedError, 403, "permission_error",
    lambda: client.messages.create(**{**ask, "messages": picture}),
)
if not sys.argv[1].endswith("/anthropic"):  # an endpoint that is named by its prefix takes any model
    refused(
        anthropic.NotFoundError, 404, "not_found_error",
        lambda: client.messages.create(**{**ask, "model": "no-such-model"}),
    )
print("anthropic", anthropic.__version__)
