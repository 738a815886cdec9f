"""The official OpenAI SDK's class for Azure, unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import sys

import openai

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"

client = openai.AzureOpenAI(
    azure_endpoint=sys.argv[1],
    api_version="2024-10-21",
    api_key="azure-sdk-test",
    max_retries=0,
    timeout=60,
)
ask = {
    "model": "eu-gpt-4o",
    "messages": [{"role": "user", "content": f"Write to {EMAIL} and ask for a call at {PHONE}."}],
}

# By deployment, not streamed and streamed.
answer = client.chat.completions.create(**ask)
text = answer.choices[0].message.content
assert EMAIL in text and PHONE in text, "the answer holds the real values"
chunks = list(client.chat.completions.create(stream=True, **ask))
pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
assert len(pieces) > 5, "the stream came in pieces"
assert EMAIL in "".join(pieces) and PHONE in "".join(pieces)
assert all(chunk.choices for chunk in chunks), "usage that was not asked for"

# Embeddings, responses and models.
vectors = client.embeddings.create(model="eu-gpt-embedding", input=f"mail {EMAIL}")
assert len(vectors.data[0].embedding) == 1536
answer = client.responses.create(model="eu-gpt-4o", input=ask["messages"][0]["content"])
assert EMAIL in answer.output_text
assert list(client.models.list())

# Errors are the SDK's own exceptions, and do not repeat what was sent.
try:
    ill = [{"role": "user", "content": f"{EMAIL} was diagnosed with epilepsy"}]
    client.chat.completions.create(model="eu-gpt-4o", messages=ill)
except openai.PermissionDeniedError as error:
    assert error.code == "policy_blocked" and EMAIL not in str(error), error
else:
    raise AssertionError("expected a refusal")

# The paths without versions take OpenAI's own class.
v1 = openai.OpenAI(
    base_url=sys.argv[2], api_key="azure-sdk-test", max_retries=0, timeout=60
)
assert EMAIL in v1.chat.completions.create(**ask).choices[0].message.content
print("azure")
