"""Ollama's SDK, unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import sys

import ollama

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"
ASK = f"Write to {EMAIL} and ask for a call at {PHONE}."
MODEL = "llama3.2:3b"

client = ollama.Client(host=sys.argv[1], timeout=60)
messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": ASK}]

# Chat, not streamed and streamed.
answer = client.chat(model=MODEL, messages=messages)
assert EMAIL in answer.message.content and PHONE in answer.message.content
assert answer.done and answer.prompt_eval_count > 0 and answer.eval_count > 0
pieces = list(client.chat(model=MODEL, messages=messages, stream=True))
assert len(pieces) > 5, "the stream came in pieces"
text = "".join(piece.message.content for piece in pieces)
assert EMAIL in text and PHONE in text
assert pieces[-1].done and pieces[-1].eval_count > 0

# Generate, not streamed and streamed.
assert EMAIL in client.generate(model=MODEL, prompt=ASK, system="Be brief.").response
pieces = client.generate(model=MODEL, prompt=ASK, stream=True)
assert PHONE in "".join(piece.response for piece in pieces)


# Tools, both ways.
def send_message(email: str, phone: str) -> str:
    """Sends a message.

    Args:
        email: where to
        phone: or there
    """
    return f"sent to {email}, {phone}"


ask = [{"role": "user", "content": f"Send it to {EMAIL} or call {PHONE}."}]
called = client.chat(model=MODEL, messages=ask, tools=[send_message])
call = called.message.tool_calls[0].function
assert call.name == "send_message" and call.arguments == {"email": EMAIL, "phone": PHONE}
for piece in client.chat(model=MODEL, messages=ask, tools=[send_message], stream=True):
    for part in piece.message.tool_calls or []:
        call = part.function
assert call.arguments == {"email": EMAIL, "phone": PHONE}

# The tool's result goes back with the call in the history.
result = {"role": "tool", "tool_name": "send_message", "content": send_message(EMAIL, PHONE)}
answer = client.chat(model=MODEL, messages=[*ask, called.message, result])
assert EMAIL in answer.message.content

# Embeddings and models.
vectors = client.embed(model=MODEL, input=["one", f"mail {EMAIL}"])
assert len(vectors.embeddings) == 2 and len(vectors.embeddings[0]) == 768
assert MODEL in [model.model for model in client.list().models]


# Errors are the SDK's own exceptions, and do not repeat what was sent.
def refused(status, code, call):
    try:
        call()
    except ollama.ResponseError as error:
        assert error.status_code == status, error.status_code
        assert code in error.error, error.error
        assert EMAIL not in str(error)
        return
    raise AssertionError(f"expected {status}")


ill = [{"role": "user", "content": f"{EMAIL} was diagnosed with epilepsy"}]
refused(403, "policy_blocked", lambda: client.chat(model=MODEL, messages=ill))
refused(403, "policy_blocked", lambda: list(client.chat(model=MODEL, messages=ill, stream=True)))
image = [{"role": "user", "content": "What is it?", "images": [b"\x89PNG"]}]
refused(403, "policy_blocked", lambda: client.chat(model=MODEL, messages=image))
refused(404, "unknown_route", lambda: client.pull("another-model"))
print("ollama")
