"""The gateway's endpoints as an OpenAPI document: what may be sent to each, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from fieldguide import __version__
from fieldguide.server import _openapi_answers as answers
from fieldguide.server import _openapi_requests as requests
from fieldguide.server._chat_write import dumped
from fieldguide.server._errors import RULES, Shape
from fieldguide.server._message import JSON, LINES, AnyReply, Call, Reply

if TYPE_CHECKING:
    from fieldguide.server._site import Site

Schema = dict[str, Any]
_EVENTS = "text/event-stream"
_OF_THE_HEAD = (400, 401, 403, 404, 405, 408, 413, 415, 421, 429, 431)
"""Statuses of requests that are refused before a model is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One path and method, as the document tells of it."""

    summary: str
    takes: Schema | None = None
    """Schema of the body; None for none."""
    gives: Mapping[str, Schema] = field(default_factory=dict)
    """Schemas of an answer by media type."""
    statuses: tuple[int, ...] = (200,)
    """Of answers that are no errors."""


_SOUNDS = ("audio/mpeg", "audio/wav", "audio/ogg", "audio/aac", "audio/flac", "audio/pcm", "application/octet-stream")
_SPOKEN = dict.fromkeys(_SOUNDS, answers.BYTES)
_WRITTEN_DOWN = {
    JSON: answers.TRANSCRIPT,
    **dict.fromkeys(("text/plain", "text/vtt", "application/x-subrip"), requests.TEXT),
    _EVENTS: answers.EVENT,
}

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/health"): Operation(summary="Whether the process is alive", gives={JSON: answers.HEALTH}),
    ("GET", "/ready"): Operation(
        summary="Whether requests can be answered and accounted for", gives={JSON: answers.READY}, statuses=(200, 503)
    ),
    ("GET", "/metrics"): Operation(summary="What was counted, for Prometheus", gives={"text/plain": requests.TEXT}),
    ("GET", "/openapi.json"): Operation(summary="This document", gives={JSON: {"type": "object"}}),
    ("GET", "/v1/models"): Operation(
        summary="The models that this key may ask; in Anthropic's words with the header `anthropic-version`",
        gives={JSON: answers.MODELS},
    ),
    ("GET", "/v1/models/"): Operation(summary="One model", gives={JSON: answers.MODEL}),
    ("POST", "/v1/chat/completions"): Operation(
        summary="Answer a conversation (OpenAI)",
        takes=requests.CHAT,
        gives={JSON: answers.CHAT, _EVENTS: answers.EVENT},
    ),
    ("POST", "/v1/responses"): Operation(
        summary="Answer a conversation (OpenAI's Responses API; nothing is kept)",
        takes=requests.RESPONSE,
        gives={JSON: answers.RESPONSE, _EVENTS: answers.EVENT},
    ),
    ("POST", "/v1/completions"): Operation(
        summary="Continue a text (OpenAI)",
        takes=requests.COMPLETION,
        gives={JSON: answers.COMPLETION, _EVENTS: answers.EVENT},
    ),
    ("POST", "/v1/embeddings"): Operation(
        summary="Turn texts into vectors (OpenAI)", takes=requests.EMBEDDING, gives={JSON: answers.EMBEDDINGS}
    ),
    ("POST", "/v1/images/generations"): Operation(
        summary="Make pictures (OpenAI)", takes=requests.IMAGE, gives={JSON: answers.IMAGES}
    ),
    ("POST", "/v1/audio/speech"): Operation(
        summary="Read a text aloud (OpenAI)", takes=requests.SPEECH, gives={**_SPOKEN, _EVENTS: answers.EVENT}
    ),
    ("POST", "/v1/audio/transcriptions"): Operation(
        summary="Write down what is said (OpenAI)", takes=requests.TRANSCRIPTION, gives=_WRITTEN_DOWN
    ),
    ("POST", "/v1/audio/translations"): Operation(
        summary="Write down in English what is said (OpenAI)", takes=requests.TRANSCRIPTION, gives=_WRITTEN_DOWN
    ),
    ("POST", "/v1/messages"): Operation(
        summary="Answer a conversation (Anthropic)",
        takes=requests.MESSAGES,
        gives={JSON: answers.MESSAGE, _EVENTS: answers.EVENT},
    ),
    ("POST", "/v1/messages/count_tokens"): Operation(
        summary="Count the tokens of a conversation (Anthropic)", takes=requests.MESSAGES, gives={JSON: answers.TOKENS}
    ),
    ("POST", "/api/chat"): Operation(
        summary="Answer a conversation (Ollama)",
        takes=requests.OLLAMA_CHAT,
        gives={JSON: answers.OLLAMA_CHAT, LINES: requests.TEXT},
    ),
    ("POST", "/api/generate"): Operation(
        summary="Answer a question, or continue a text (Ollama)",
        takes=requests.OLLAMA_GENERATE,
        gives={JSON: answers.OLLAMA_GENERATE, LINES: requests.TEXT},
    ),
    ("POST", "/api/embed"): Operation(
        summary="Turn texts into vectors (Ollama)", takes=requests.OLLAMA_EMBED, gives={JSON: answers.OLLAMA_VECTORS}
    ),
    ("POST", "/api/show"): Operation(
        summary="What a model can be asked (Ollama)", takes=requests.OLLAMA_SHOW, gives={JSON: answers.OLLAMA_SHOW}
    ),
    ("GET", "/api/tags"): Operation(summary="All models (Ollama)", gives={JSON: answers.OLLAMA_MODELS}),
    ("GET", "/api/ps"): Operation(summary="The models that are open (Ollama)", gives={JSON: answers.OLLAMA_MODELS}),
    ("GET", "/api/version"): Operation(summary="The gateway's version (Ollama)", gives={JSON: answers.VERSION}),
}


async def openapi(site: Site, call: Call) -> AnyReply:
    """Return the document."""
    return Reply(body=_written())


@cache
def _written() -> bytes:
    from fieldguide.server._routes import ROUTES

    shapes = {(method, path): route.shape for path, methods in ROUTES.items() for method, route in methods.items()}
    bodies = {(method, path): route.body for path, methods in ROUTES.items() for method, route in methods.items()}
    is_open = {(method, path) for path, methods in ROUTES.items() for method, r in methods.items() if r.role == "open"}
    paths: dict[str, dict[str, Any]] = {}
    for key, operation in OPERATIONS.items():
        method, path = key
        written = _operation(operation, shapes[key], bodies[key], is_open=key in is_open)
        if path.endswith("/"):
            path += "{name}"
            name = {"type": "string", "minLength": 1}
            written["parameters"] = [{"name": "name", "in": "path", "required": True, "schema": name}]
        paths.setdefault(path, {})[method.lower()] = written
    return dumped(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Fieldguide's gateway",
                "version": __version__,
                "description": "One address for every model, in the words of OpenAI, Anthropic and Ollama. Fields "
                "that are not known go nowhere, and are listed in the header `x-fieldguide-not-passed-on`.",
            },
            "paths": paths,
            "components": {
                "schemas": answers.ERRORS,
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                },
            },
            "security": [{"bearer": []}, {"header": []}],
        }
    )


def _operation(operation: Operation, shape: Shape, body: str | None, *, is_open: bool) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind, schema in operation.gives.items()}
    given = {str(status): {"description": "The answer", "content": content} for status in operation.statuses}
    written: dict[str, Any] = {"summary": operation.summary, "responses": given | _errors(shape, body)}
    if operation.takes is not None and body is not None:
        written["requestBody"] = {"required": True, "content": {body: {"schema": operation.takes}}}
    if is_open:
        written["security"] = []
    return written


def _errors(shape: Shape, body: str | None) -> dict[str, Any]:
    """Return the responses that tell of errors. Before a route is found, what is no HTTP is told in OpenAI's form."""
    own = {"$ref": f"#/components/schemas/{answers.ERROR_NAMES[shape]}"}
    plain = {"$ref": f"#/components/schemas/{answers.ERROR_NAMES['openai']}"}
    either = own if shape == "openai" else {"anyOf": [own, plain]}
    statuses = {*_OF_THE_HEAD, *({rule.status for rule in RULES.values()} if body is not None else {500})}
    return {
        str(status): {"description": "An error", "content": {JSON: {"schema": either}}} for status in sorted(statuses)
    }
