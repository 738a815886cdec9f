"""Amazon's SDK (boto3) for Bedrock, unchanged, through the gate. Argument: the base URL.

Any failed expectation ends the program with a traceback and exit code 1.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

EMAIL = "nora.lindgren@brevlada.se"
PHONE = "+44 20 7946 0857"
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"

client = boto3.client(
    "bedrock-runtime",
    endpoint_url=sys.argv[1],
    region_name="eu-central-1",
    aws_access_key_id="AKIDCALLER",
    aws_secret_access_key="made-up-secret-of-the-caller",
    config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
)
ask = {
    "modelId": MODEL,
    "system": [{"text": "Answer in the team's voice."}],
    "messages": [
        {"role": "user", "content": [{"text": f"Write to {EMAIL} and ask for a call at {PHONE}."}]}
    ],
    "inferenceConfig": {"maxTokens": 500, "temperature": 0.5},
}

# Not streamed.
answer = client.converse(**ask)
text = answer["output"]["message"]["content"][0]["text"]
assert EMAIL in text and PHONE in text, "the answer holds the real values"
assert answer["stopReason"] == "end_turn" and answer["usage"]["inputTokens"] > 0
assert answer["ResponseMetadata"]["HTTPHeaders"]["tollgate-exchange"]

# Streamed.
pieces, usage, stop = [], None, None
for event in client.converse_stream(**ask)["stream"]:
    if "contentBlockDelta" in event:
        pieces.append(event["contentBlockDelta"]["delta"]["text"])
    elif "messageStop" in event:
        stop = event["messageStop"]["stopReason"]
    elif "metadata" in event:
        usage = event["metadata"]["usage"]
assert len(pieces) > 5, "the stream came in pieces"
assert EMAIL in "".join(pieces) and PHONE in "".join(pieces)
assert stop == "end_turn" and usage["outputTokens"] > 0

# Tools, both ways.
schema = {
    "type": "object",
    "properties": {"email": {"type": "string"}, "phone": {"type": "string"}},
    "required": ["email"],
}
spec = {"name": "send_message", "description": "Sends a message.", "inputSchema": {"json": schema}}
tools = {"tools": [{"toolSpec": spec}]}
force = {**tools, "toolChoice": {"any": {}}}
called = client.converse(**ask, toolConfig=force)["output"]["message"]
use = called["content"][0]["toolUse"]
assert use["input"] == {"email": EMAIL, "phone": PHONE}
arguments = ""
for event in client.converse_stream(**ask, toolConfig=force)["stream"]:
    if "contentBlockDelta" in event:
        arguments += event["contentBlockDelta"]["delta"]["toolUse"]["input"]
assert json.loads(arguments) == {"email": EMAIL, "phone": PHONE}

# The tool's result goes back with the call in the history.
result = {"toolUseId": use["toolUseId"], "content": [{"json": {"sent_to": EMAIL}}]}
history = ask["messages"] + [called, {"role": "user", "content": [{"toolResult": result}]}]
answer = client.converse(**{**ask, "messages": history}, toolConfig=tools)
assert EMAIL in answer["output"]["message"]["content"][0]["text"]


# Errors are the SDK's own exceptions, and do not repeat what was sent.
def refused(status, kind, code, call):
    try:
        call()
    except ClientError as error:
        told = error.response
        assert told["ResponseMetadata"]["HTTPStatusCode"] == status, told
        assert told["Error"]["Code"] == kind and code in told["Error"]["Message"], told
        assert EMAIL not in str(error)
        return
    raise AssertionError(f"expected {kind}")


ill = [{"role": "user", "content": [{"text": f"{EMAIL} was diagnosed with epilepsy"}]}]
image = [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}]}]
for messages in (ill, image):
    for operation in (client.converse, client.converse_stream):
        refused(
            403, "AccessDeniedException", "policy_blocked",
            lambda: operation(modelId=MODEL, messages=messages),
        )
refused(
    404, "ResourceNotFoundException", "unknown_route",
    lambda: client.invoke_model(modelId=MODEL, body=json.dumps({"prompt": EMAIL})),
)
print("boto3", boto3.__version__)
