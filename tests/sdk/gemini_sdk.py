"""Google's SDK for Gemini (google-genai), unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import sys

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"
ASK = f"Write to {EMAIL} and ask for a call at {PHONE}."
MODEL = "gemini-2.5-flash"

options = types.HttpOptions(base_url=sys.argv[1], timeout=60_000)
client = genai.Client(api_key="AIza-sdk-test", http_options=options)

# Not streamed, with a system instruction.
config = types.GenerateContentConfig(system_instruction="Answer in the team's voice.", temperature=0.5)
answer = client.models.generate_content(model=MODEL, contents=ASK, config=config)
assert EMAIL in answer.text and PHONE in answer.text, "the answer holds the real values"
assert answer.candidates[0].finish_reason == types.FinishReason.STOP
assert answer.usage_metadata.prompt_token_count > 0
assert answer.sdk_http_response.headers["tollgate-exchange"]

# Streamed.
pieces = list(client.models.generate_content_stream(model=MODEL, contents=ASK, config=config))
assert len(pieces) > 5, "the stream came in pieces"
text = "".join(piece.text or "" for piece in pieces)
assert EMAIL in text and PHONE in text
assert pieces[-1].usage_metadata.candidates_token_count > 0

# Tools, both ways.
send = types.FunctionDeclaration(
    name="send_message",
    description="Sends a message.",
    parameters={
        "type": "OBJECT",
        "properties": {"email": {"type": "STRING"}, "phone": {"type": "STRING"}},
        "required": ["email"],
    },
)
tools = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[send])],
    tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")),
)
called = client.models.generate_content(model=MODEL, contents=ASK, config=tools)
assert called.function_calls[0].args == {"email": EMAIL, "phone": PHONE}
for piece in client.models.generate_content_stream(model=MODEL, contents=ASK, config=tools):
    if piece.function_calls:
        call = piece.function_calls[0]
assert call.name == "send_message" and call.args == {"email": EMAIL, "phone": PHONE}

# The tool's result goes back with the call in the history.
history = [
    types.Content(role="user", parts=[types.Part(text=ASK)]),
    called.candidates[0].content,
    types.Content(
        role="user",
        parts=[types.Part.from_function_response(name="send_message", response={"sent_to": EMAIL})],
    ),
]
answer = client.models.generate_content(model=MODEL, contents=history, config=config)
assert EMAIL in answer.text

# A chat keeps its history itself.
chat = client.chats.create(model=MODEL)
chat.send_message(ASK)
assert EMAIL in chat.send_message("Repeat it, please.").text

# Tokens, embeddings, models.
assert client.models.count_tokens(model=MODEL, contents=ASK).total_tokens > 0
vectors = client.models.embed_content(
    model="gemini-embedding-001", contents=["one", f"mail {EMAIL}"]
)
assert len(vectors.embeddings) == 2 and len(vectors.embeddings[0].values) == 768
assert f"models/{MODEL}" in [model.name for model in client.models.list()]
assert client.models.get(model=MODEL).name == f"models/{MODEL}"


# Errors are the SDK's own exceptions, and do not repeat what was sent.
def refused(code, status, reason, call):
    try:
        call()
    except errors.ClientError as error:
        assert (error.code, error.status) == (code, status), error
        assert error.details["error"]["details"][0]["reason"] == reason, error.details
        assert EMAIL not in str(error)
        return
    raise AssertionError(f"expected {status}")


ill = f"{EMAIL} was diagnosed with epilepsy"
image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
refused(
    403, "PERMISSION_DENIED", "POLICY_BLOCKED",
    lambda: client.models.generate_content(model=MODEL, contents=ill),
)
refused(
    403, "PERMISSION_DENIED", "POLICY_BLOCKED",
    lambda: list(client.models.generate_content_stream(model=MODEL, contents=[ASK, image])),
)
refused(
    404, "NOT_FOUND", "UNKNOWN_ROUTE",
    lambda: client.caches.create(model=MODEL, config=types.CreateCachedContentConfig(contents=ASK)),
)
if not sys.argv[1].endswith("/gemini"):  # an endpoint that is named by its prefix takes any model
    refused(
        404, "NOT_FOUND", "MODEL_NOT_FOUND",
        lambda: client.models.generate_content(model="no-such-model", contents=ASK),
    )

# The same through Vertex AI's paths, with a token in place of a key.
vertex = genai.Client(
    vertexai=True,
    project="made-up",
    location="europe-west4",
    credentials=Credentials(token="ya29-sdk-test"),
    http_options=options,
)
assert EMAIL in vertex.models.generate_content(model=MODEL, contents=ASK).text
pieces = vertex.models.generate_content_stream(model=MODEL, contents=ASK)
assert PHONE in "".join(piece.text or "" for piece in pieces)
print("google-genai", genai.__version__)
