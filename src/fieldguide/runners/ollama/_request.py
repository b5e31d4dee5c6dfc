"""Requests to bodies of Ollama's own API."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.domain import (
    CompletionRequest,
    EmbeddingRequest,
    JsonValue,
    ProviderTool,
    ReasoningOptions,
    ResponseSchema,
    Tool,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import object_of
from fieldguide.runners.ollama._messages import PROVIDER, wire_messages

API = "Ollama's API"


def request_body(
    request: CompletionRequest, *, model: str, stream: bool, context_tokens: int | None = None
) -> dict[str, JsonValue]:
    """Return the JSON body of a request: of /api/chat for a conversation, of /api/generate for a text to continue.

    A text goes as it stands (`raw`). Servers are asked neither to cut the prompt nor to slide it out of the context
    (`truncate` and `shift` false): those that know the two fields answer with an error instead, or stop at the limit.

    Args:
        request: What is asked.
        model: Name as the server knows it.
        stream: Whether the answer is to come in pieces.
        context_tokens: Tokens of context to serve the model with; None leaves it to the server.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    body: dict[str, JsonValue] = {"model": model, "stream": stream, "truncate": False, "shift": False}
    if request.messages is not None:
        body["messages"] = wire_messages(request.messages)
    else:
        body |= {"prompt": request.prompt, "raw": True}
    body |= {name: value for name, value in _optional(request) if value is not None}
    own = dict(request.extra.get(PROVIDER, {}))
    options = {name: value for name, value in _options(request, context_tokens) if value is not None}
    options |= object_of(own.pop("options", None))
    if options:
        body["options"] = options
    return body | own


def _optional(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "tools", [_tool(tool) for tool in request.tools] or None
    yield "format", _format(request.response_schema)
    yield "think", None if request.reasoning is None else _think(request.reasoning)
    if request.logprobs is not None:
        yield "logprobs", True
        yield "top_logprobs", request.logprobs or None


def _options(request: CompletionRequest, context_tokens: int | None) -> Iterator[tuple[str, JsonValue]]:
    yield "num_ctx", context_tokens
    yield "num_predict", request.max_output_tokens
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "top_k", request.top_k
    yield "seed", request.seed
    yield "stop", list(request.stop) or None
    yield "frequency_penalty", request.frequency_penalty
    yield "presence_penalty", request.presence_penalty


def _tool(tool: Tool | ProviderTool) -> JsonValue:
    if isinstance(tool, ProviderTool):
        return tool.value
    if tool.strict:
        raise UnsupportedError(API, "arguments that follow their schema to the letter", hint="Leave `strict` out.")
    function: dict[str, JsonValue] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.parameters if tool.parameters is not None else {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _format(schema: ResponseSchema | None) -> JsonValue:
    if schema is None:
        return None
    if schema.description is not None:
        raise UnsupportedError(API, "a description of an answer's form", hint="Put it into the schema.")
    return "json" if schema.schema is None else schema.schema


def _think(options: ReasoningOptions) -> JsonValue:
    """Return how much to think: a switch, or an effort for the models that know efforts."""
    for name in ("budget_tokens", "summary"):
        if getattr(options, name) is not None:
            raise UnsupportedError(API, f"the reasoning option {name}", hint="Give `enabled` or an effort.")
    return options.enabled if options.effort is None else options.effort


def embed_body(request: EmbeddingRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of /api/embed; texts that are too long are an error and not cut.

    Raises:
        UnsupportedError: It states a purpose, for which the API has no word.
    """
    if request.purpose is not None:
        raise UnsupportedError(API, "a purpose of the vectors", hint="Leave `purpose` out.")
    body: dict[str, JsonValue] = {"model": model, "input": list(request.texts), "truncate": False}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body | dict(request.extra.get(PROVIDER, {}))


def older_embed_body(request: EmbeddingRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of /api/embeddings, of old servers: one text, and no choice of dimensions.

    Raises:
        UnsupportedError: It asks for more than that.
    """
    if len(request.texts) != 1 or request.dimensions is not None or request.purpose is not None:
        raise UnsupportedError("Ollama's older embeddings API", "several texts, dimensions or a purpose")
    return {"model": model, "prompt": request.texts[0]} | dict(request.extra.get(PROVIDER, {}))
