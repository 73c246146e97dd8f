"""Holds each request against the types of the packages `openai` and `anthropic`: no field may be wrong, missing or unknown to them."""

import json
import sys
import typing

import pydantic
from anthropic.types import message_create_params as messages
from openai.types.chat import completion_create_params as chat
from openai.types.responses import response_create_params as responses

TYPES = {
    "messages": (messages.MessageCreateParamsNonStreaming, messages.MessageCreateParamsStreaming),
    "chat": (chat.CompletionCreateParamsNonStreaming, chat.CompletionCreateParamsStreaming),
    "responses": (responses.ResponseCreateParamsNonStreaming, responses.ResponseCreateParamsStreaming),
}


# They must outlive what they have read.
ADAPTERS = {name: [pydantic.TypeAdapter(kind) for kind in kinds] for name, kinds in TYPES.items()}


def drain(value):
    """Iterables are read lazily; reading them is what checks them."""
    if isinstance(value, dict):
        return {key: drain(inner) for key, inner in value.items()}
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return value
    return [drain(inner) for inner in value]


def judge(protocol, body):
    which = 1 if body.get("stream") else 0
    kind = TYPES[protocol][which]
    unknown = set(body) - set(typing.get_type_hints(kind))
    if unknown:
        raise ValueError(f"unknown fields: {sorted(unknown)}")
    read = drain(ADAPTERS[protocol][which].validate_python(body))
    # What a type does not know is dropped when it is read.
    lost = missing(body, read)
    if lost:
        raise ValueError(f"unknown to the package: {lost}")


def missing(body, read, path=""):
    if isinstance(body, dict) and isinstance(read, dict):
        found = [f"{path}/{key}" for key in body if key not in read]
        return found + [lost for key in body if key in read for lost in missing(body[key], read[key], f"{path}/{key}")]
    if isinstance(body, list) and isinstance(read, list):
        return [lost for number, (one, other) in enumerate(zip(body, read)) for lost in missing(one, other, f"{path}/{number}")]
    return []


def spoilt(protocol, body):
    """The judge must tell wrong requests from right ones."""
    other = dict(body, **{"input" if protocol == "responses" else "messages": [{"role": "nobody"}]})
    for wrong in (dict(body, model=5), other, dict(body, surprise=1)):
        try:
            judge(protocol, wrong)
        except (pydantic.ValidationError, ValueError):
            continue
        raise SystemExit(f"{protocol}: a wrong request is taken for a right one: {json.dumps(wrong)[:300]}")


counts, wrong = {}, 0
for line in open(sys.argv[1]):
    request = json.loads(line)
    protocol, body = request["protocol"], request["body"]
    counts[protocol] = counts.get(protocol, 0) + 1
    try:
        judge(protocol, body)
    except (pydantic.ValidationError, ValueError) as problem:
        wrong += 1
        print(f"{protocol}: {json.dumps(body)[:500]}\n{problem}", file=sys.stderr)
    else:
        spoilt(protocol, body)
print(", ".join(f"{count} requests of {protocol}" for protocol, count in counts.items()) + f": {wrong} wrong")
sys.exit(1 if wrong or len(counts) != 3 else 0)
