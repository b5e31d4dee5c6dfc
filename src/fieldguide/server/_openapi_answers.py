"""Schemas of what the gateway's endpoints give, and of the errors in each client's own form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldguide.server._errors import Shape
from fieldguide.server._openapi_requests import COUNT, FLAG, NAME, NUMBER, TEXT, many, maybe

Schema = dict[str, Any]


def whole(**fields: Schema) -> Schema:
    """Return the schema of an object whose fields are all there; more may stand beside them."""
    return {"type": "object", "properties": fields, "required": list(fields)}


EVENT = whole(data=TEXT)
"""One event of a stream: what its protocol says stands in `data`, as JSON."""
BYTES: Schema = {"type": "string", "format": "binary"}
_VECTOR = many(NUMBER)
_REASON = {"enum": ["stop", "length", "tool_calls", "content_filter"]}
_CHAT_USAGE = whole(prompt_tokens=COUNT, completion_tokens=COUNT, total_tokens=COUNT)

HEALTH = whole(status={"const": "ok"})
READY = whole(ready=FLAG)
VERSION = whole(version=NAME)
_OF_OPENAI = whole(id=NAME, object={"const": "model"}, created=COUNT, owned_by=TEXT)
_OF_ANTHROPIC = whole(type={"const": "model"}, id=NAME, display_name=NAME, created_at=TEXT)
MODEL: Schema = {"anyOf": [_OF_OPENAI, _OF_ANTHROPIC]}
MODELS = whole(data=many(MODEL))

CHAT = whole(
    id=NAME,
    object={"const": "chat.completion"},
    created=COUNT,
    model=NAME,
    choices=many(
        whole(index=COUNT, message=whole(role={"const": "assistant"}, content=maybe(TEXT)), finish_reason=_REASON),
        least=1,
    ),
    usage=maybe(_CHAT_USAGE),
)
COMPLETION = whole(
    id=NAME,
    object={"const": "text_completion"},
    created=COUNT,
    model=NAME,
    choices=many(whole(index=COUNT, text=TEXT, finish_reason=_REASON), least=1),
    usage=maybe(_CHAT_USAGE),
)
RESPONSE = whole(
    id=NAME,
    object={"const": "response"},
    created_at=COUNT,
    status={"enum": ["completed", "incomplete"]},
    model=NAME,
    output=many(whole(type=NAME)),
    error={"type": "null"},
    incomplete_details=maybe(whole(reason=NAME)),
    usage=maybe(whole(input_tokens=COUNT, output_tokens=COUNT, total_tokens=COUNT)),
)
EMBEDDINGS = whole(
    object={"const": "list"},
    model=NAME,
    data=many(whole(object={"const": "embedding"}, index=COUNT, embedding={"anyOf": [_VECTOR, TEXT]}), least=1),
    usage=whole(prompt_tokens=COUNT, total_tokens=COUNT),
)
IMAGES = whole(
    created=COUNT,
    data=many({"anyOf": [whole(b64_json=NAME), whole(url=NAME)]}, least=1),
)
TRANSCRIPT = whole(text=TEXT)
MESSAGE = whole(
    id=NAME,
    type={"const": "message"},
    role={"const": "assistant"},
    model=NAME,
    content=many(whole(type=NAME)),
    stop_reason=NAME,
    stop_sequence=maybe(TEXT),
    usage=whole(input_tokens=COUNT, output_tokens=COUNT),
)
TOKENS = whole(input_tokens=COUNT)
_OLLAMA_END = {"model": NAME, "created_at": NAME, "done": {"const": True}, "done_reason": NAME}
OLLAMA_CHAT = whole(message=whole(role={"const": "assistant"}, content=TEXT), **_OLLAMA_END)
OLLAMA_GENERATE = whole(response=TEXT, **_OLLAMA_END)
OLLAMA_VECTORS = whole(model=NAME, embeddings=many(_VECTOR, least=1))
OLLAMA_MODELS = whole(models=many(whole(name=NAME, model=NAME, details={"type": "object"})))
OLLAMA_SHOW = whole(capabilities=many(NAME), details={"type": "object"}, model_info={"type": "object"})

ERROR_NAMES: Mapping[Shape, str] = {
    "openai": "ErrorOfOpenAI",
    "anthropic": "ErrorOfAnthropic",
    "ollama": "ErrorOfOllama",
}
ERRORS: Mapping[str, Schema] = {
    "ErrorOfOpenAI": whole(error=whole(message=NAME, type=NAME, param=maybe(TEXT), code=NAME)),
    "ErrorOfAnthropic": whole(type={"const": "error"}, error=whole(type=NAME, message=NAME), request_id=TEXT),
    "ErrorOfOllama": whole(error=NAME),
}
