"""Schemas of what the gateway's endpoints take: the fields that are read, by type; any other may stand beside them."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def maybe(schema: Schema) -> Schema:
    """Return the schema of a field that may as well be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def thing(needed: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """Return the schema of an object; what need not be there may be null."""
    properties = {name: schema if name in needed or not schema else maybe(schema) for name, schema in fields.items()}
    return {"type": "object", "properties": properties, **({"required": list(needed)} if needed else {})}


def many(schema: Schema, least: int = 0) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema, **({"minItems": least} if least else {})}


TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
WHOLE: Schema = {"type": "integer", "minimum": -(2**53), "maximum": 2**53}
NUMBER: Schema = {"type": "number", "minimum": -1e9, "maximum": 1e9}
TEXTS: Schema = {"anyOf": [TEXT, many(TEXT)]}
_PARTS = {"anyOf": [TEXT, many({"type": "object"})]}
_ROLES = {"enum": ["system", "developer", "user", "assistant", "tool"]}
_SAMPLING = {"temperature": NUMBER, "top_p": NUMBER}
_CHOICE = {"anyOf": [{"enum": ["auto", "none", "required"]}, {"type": "object"}]}

CHAT = thing(
    ("model", "messages"),
    model=NAME,
    messages=many(
        thing(
            ("role",), role=_ROLES, content=_PARTS, name=TEXT, tool_call_id=TEXT, tool_calls=many({"type": "object"})
        ),
        least=1,
    ),
    stream=FLAG,
    stream_options=thing(include_usage=FLAG),
    max_completion_tokens=COUNT,
    max_tokens=COUNT,
    stop=TEXTS,
    seed=WHOLE,
    frequency_penalty=NUMBER,
    presence_penalty=NUMBER,
    tools=many({"type": "object"}),
    tool_choice=_CHOICE,
    parallel_tool_calls=FLAG,
    response_format=thing(type=TEXT, json_schema={"type": "object"}),
    reasoning_effort=TEXT,
    logprobs=FLAG,
    top_logprobs=COUNT,
    **_SAMPLING,
)
RESPONSE = thing(
    ("model", "input"),
    model=NAME,
    input={"anyOf": [NAME, many({"type": "object"}, least=1)]},
    instructions=TEXT,
    stream=FLAG,
    max_output_tokens=COUNT,
    tools=many({"type": "object"}),
    tool_choice=_CHOICE,
    parallel_tool_calls=FLAG,
    text=thing(format={"type": "object"}),
    reasoning=thing(effort=TEXT, summary=TEXT),
    top_logprobs=COUNT,
    **_SAMPLING,
)
COMPLETION = thing(
    ("model", "prompt"),
    model=NAME,
    prompt={"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 1}]},
    stream=FLAG,
    stream_options=thing(include_usage=FLAG),
    max_tokens=COUNT,
    stop=TEXTS,
    seed=WHOLE,
    frequency_penalty=NUMBER,
    presence_penalty=NUMBER,
    logprobs=COUNT,
    **_SAMPLING,
)
EMBEDDING = thing(
    ("model", "input"),
    model=NAME,
    input={"anyOf": [NAME, many(NAME, least=1)]},
    encoding_format={"enum": ["float", "base64"]},
    dimensions={**COUNT, "minimum": 1},
)
IMAGE = thing(
    ("model", "prompt"),
    model=NAME,
    prompt=NAME,
    n={**COUNT, "minimum": 1},
    size=TEXT,
    quality=TEXT,
    output_format=TEXT,
    stream={"const": False},
)
SPEECH = thing(
    ("model", "input"),
    model=NAME,
    input=NAME,
    voice={"anyOf": [TEXT, thing(id=TEXT)]},
    instructions=TEXT,
    response_format=TEXT,
    speed=NUMBER,
    stream_format={"enum": ["audio", "sse"]},
)
TRANSCRIPTION: Schema = {
    "type": "object",
    "required": ["model", "file"],
    "properties": {
        "model": NAME,
        "file": {"type": "string", "format": "binary", "minLength": 1},
        "language": TEXT,
        "prompt": TEXT,
        "temperature": NUMBER,
        "response_format": {"enum": ["json", "text", "srt", "verbose_json", "vtt"]},
        "stream": FLAG,
        "timestamp_granularities": many({"enum": ["word", "segment"]}),
    },
}
MESSAGES = thing(
    ("model", "messages"),
    model=NAME,
    messages=many(thing(("role", "content"), role={"enum": ["user", "assistant", "system"]}, content=_PARTS), least=1),
    max_tokens=COUNT,
    system=_PARTS,
    stream=FLAG,
    stop_sequences=TEXTS,
    top_k=COUNT,
    tools=many({"type": "object"}),
    tool_choice=thing(("type",), type={"enum": ["auto", "any", "tool", "none"]}),
    thinking=thing(("type",), type=TEXT, budget_tokens=COUNT),
    **_SAMPLING,
)
_OLLAMA_OPTIONS = thing(
    num_predict=WHOLE, temperature=NUMBER, top_p=NUMBER, top_k=COUNT, seed=WHOLE, stop=TEXTS, frequency_penalty=NUMBER,
    presence_penalty=NUMBER,
)  # fmt: skip
_OLLAMA_FORMAT = {"anyOf": [{"enum": ["json", ""]}, {"type": "object"}]}
_OLLAMA_MORE: dict[str, Schema] = {
    "stream": FLAG,
    "options": _OLLAMA_OPTIONS,
    "format": _OLLAMA_FORMAT,
    "think": {"anyOf": [FLAG, TEXT]},
    "logprobs": FLAG,
    "top_logprobs": COUNT,
}
OLLAMA_CHAT = thing(
    ("model",),
    model=NAME,
    messages=many(
        thing(
            ("role",),
            role={"enum": ["system", "user", "assistant", "tool"]},
            content=TEXT,
            thinking=TEXT,
            images=many(TEXT),
            tool_calls=many({"type": "object"}),
            tool_name=TEXT,
        )
    ),
    tools=many({"type": "object"}),
    **_OLLAMA_MORE,
)
OLLAMA_GENERATE = thing(("model",), model=NAME, prompt=TEXT, system=TEXT, raw=FLAG, images=many(TEXT), **_OLLAMA_MORE)
OLLAMA_EMBED = thing(
    ("model", "input"), model=NAME, input={"anyOf": [TEXT, many(TEXT, least=1)]}, dimensions={**COUNT, "minimum": 1}
)
OLLAMA_SHOW = thing(("model",), model=NAME)
