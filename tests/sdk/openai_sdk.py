"""The official OpenAI SDK for Python, unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import json
import sys

import openai

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"

client = openai.OpenAI(base_url=sys.argv[1], api_key="sk-sdk-test", max_retries=0, timeout=60)
messages = [
    {"role": "system", "content": "Answer in the team's voice."},
    {"role": "user", "content": f"Write to {EMAIL} and ask for a call at {PHONE}."},
]

# Not streamed.
answer = client.chat.completions.create(model="gpt-4o", messages=messages)
text = answer.choices[0].message.content
assert EMAIL in text and PHONE in text, "the answer holds the real values"
assert answer.choices[0].finish_reason == "stop"
assert answer.model == "gpt-4o"
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0

# The raw response names the exchange.
raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=messages)
assert raw.headers["tollgate-exchange"]
assert raw.parse().choices[0].message.content

# Streamed, with usage in the last chunk.
pieces, usage = [], None
stream = client.chat.completions.create(
    model="gpt-4o", messages=messages, stream=True, stream_options={"include_usage": True}
)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        pieces.append(chunk.choices[0].delta.content)
    usage = chunk.usage or usage
assert len(pieces) > 5, "the stream came in pieces"
assert EMAIL in "".join(pieces) and PHONE in "".join(pieces)
assert usage.completion_tokens > 0

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
called = client.chat.completions.create(
    model="gpt-4o", messages=messages, tools=tools, tool_choice="required"
)
call = called.choices[0].message.tool_calls[0]
assert json.loads(call.function.arguments) == {"email": EMAIL, "phone": PHONE}
arguments = ""
for chunk in client.chat.completions.create(
    model="gpt-4o", messages=messages, tools=tools, tool_choice="required", stream=True
):
    for part in chunk.choices[0].delta.tool_calls or []:
        arguments += part.function.arguments or ""
assert json.loads(arguments) == {"email": EMAIL, "phone": PHONE}

# The tool's result goes back with the call in the history.
history = messages + [
    called.choices[0].message.model_dump(exclude_none=True),
    {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"sent_to": EMAIL})},
]
answer = client.chat.completions.create(model="gpt-4o", messages=history, tools=tools)
assert EMAIL in answer.choices[0].message.content

# Embeddings: the SDK asks for base64 by itself.
vectors = client.embeddings.create(model="text-embedding-3-small", input=["one", f"mail {EMAIL}"])
assert len(vectors.data) == 2 and len(vectors.data[0].embedding) == 1536

# Models.
assert "gpt-4o" in [model.id for model in client.models.list()]
assert client.models.retrieve("gpt-4o").id == "gpt-4o"

# Legacy completions, not streamed and streamed.
prompt = messages[1]["content"]
answer = client.completions.create(model="gpt-4o", prompt=prompt, suffix=".")
assert EMAIL in answer.choices[0].text and PHONE in answer.choices[0].text
chunks = list(client.completions.create(model="gpt-4o", prompt=prompt, stream=True))
assert len(chunks) > 5, "the stream came in pieces"
text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
assert EMAIL in text and PHONE in text

# Moderations, with a model and without one.
for model in ({"model": "omni-moderation-latest"}, {}):
    judged = client.moderations.create(input=[prompt, "two"], **model)
    assert [result.flagged for result in judged.results] == [False, False]


# Errors are the SDK's own exceptions, and do not repeat what was sent.
def refused(kind, status, code, call):
    try:
        call()
    except kind as error:
        assert error.status_code == status, error.status_code
        assert error.code == code, error.code
        assert error.response.headers["tollgate-exchange"]
        assert EMAIL not in str(error)
        return
    raise AssertionError(f"expected {kind.__name__}")


refused(
    openai.PermissionDeniedError, 403, "policy_blocked",
    lambda: client.embeddings.create(
        model="text-embedding-3-small", input=f"{EMAIL} was diagnosed with epilepsy"
    ),
)
if "/openai/" not in sys.argv[1]:  # an endpoint that is named by its prefix takes any model
    refused(
        openai.NotFoundError, 404, "model_not_found",
        lambda: client.chat.completions.create(model="no-such-model", messages=messages),
    )
refused(
    openai.NotFoundError, 404, "unknown_route",
    lambda: client.images.generate(model="dall-e-3", prompt=f"a portrait of {EMAIL}"),
)
# The Responses API: not streamed, streamed, with a tool, with the call in the history.
wish = {"instructions": messages[0]["content"], "input": messages[1]["content"]}
answer = client.responses.create(model="gpt-4o", **wish)
assert EMAIL in answer.output_text and PHONE in answer.output_text
assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
pieces, done, whole = [], None, None
for event in client.responses.create(model="gpt-4o", stream=True, **wish):
    if event.type == "response.output_text.delta":
        pieces.append(event.delta)
    elif event.type == "response.output_text.done":
        done = event.text
    elif event.type == "response.completed":
        whole = event.response
assert len(pieces) > 5, "the stream came in pieces"
assert EMAIL in done and PHONE in done and "".join(pieces) == done == whole.output_text
tool = {"type": "function", "strict": False, **tools[0]["function"]}
called = client.responses.create(model="gpt-4o", tools=[tool], tool_choice="required", **wish)
call = called.output[0]
assert json.loads(call.arguments) == {"email": EMAIL, "phone": PHONE}
arguments = ""
for event in client.responses.create(
    model="gpt-4o", tools=[tool], tool_choice="required", stream=True, **wish
):
    if event.type == "response.function_call_arguments.delta":
        arguments += event.delta
    elif event.type == "response.output_item.done":
        assert json.loads(event.item.arguments) == {"email": EMAIL, "phone": PHONE}
assert json.loads(arguments) == {"email": EMAIL, "phone": PHONE}
history = [
    messages[1],
    call.model_dump(exclude_none=True),
    {"type": "function_call_output", "call_id": call.call_id, "output": json.dumps({"sent_to": EMAIL})},
]
answer = client.responses.create(model="gpt-4o", input=history, tools=[tool])
assert EMAIL in answer.output_text
print("openai", openai.__version__)
