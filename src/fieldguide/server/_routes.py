"""All routes, each with who may use it and in whose words it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fieldguide.server import (
    _chat,
    _completions,
    _media,
    _messages,
    _ollama,
    _openapi,
    _responses,
    _service,
    _speech,
    _transcription,
)
from fieldguide.server._errors import Shape
from fieldguide.server._message import FORM, JSON, AnyReply, Call

if TYPE_CHECKING:
    from fieldguide.server._site import Site

Handler = Callable[["Site", Call], Awaitable[AnyReply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path and method."""

    handler: Handler
    shape: Shape = "openai"
    role: Literal["open", "user", "admin"] = "user"
    """`open` wants no key."""
    body: str | None = None
    """Media type of the body that is read; None for none."""


def _json(handler: Handler, shape: Shape = "openai") -> Mapping[str, Route]:
    return {"POST": Route(handler=handler, shape=shape, body=JSON)}


ROUTES: Mapping[str, Mapping[str, Route]] = {
    "/health": {"GET": Route(handler=_service.health, role="open")},
    "/ready": {"GET": Route(handler=_service.ready, role="open")},
    "/metrics": {"GET": Route(handler=_service.metrics, role="admin")},
    "/openapi.json": {"GET": Route(handler=_openapi.openapi)},
    "/v1/models": {"GET": Route(handler=_service.models)},
    "/v1/models/": {"GET": Route(handler=_service.model)},
    "/v1/chat/completions": _json(_chat.chat),
    "/v1/responses": _json(_responses.responses),
    "/v1/completions": _json(_completions.completions),
    "/v1/embeddings": _json(_media.embeddings),
    "/v1/images/generations": _json(_media.images),
    "/v1/audio/speech": _json(_speech.speech),
    "/v1/audio/transcriptions": {"POST": Route(handler=_transcription.transcriptions, body=FORM)},
    "/v1/audio/translations": {"POST": Route(handler=_transcription.translations, body=FORM)},
    "/v1/messages": _json(_messages.messages, "anthropic"),
    "/v1/messages/count_tokens": _json(_messages.count_tokens, "anthropic"),
    "/api/chat": _json(_ollama.chat, "ollama"),
    "/api/generate": _json(_ollama.generate, "ollama"),
    "/api/embed": _json(_ollama.embeddings, "ollama"),
    "/api/show": _json(_ollama.show, "ollama"),
    "/api/tags": {"GET": Route(handler=_ollama.tags, shape="ollama")},
    "/api/ps": {"GET": Route(handler=_ollama.running, shape="ollama")},
    "/api/version": {"GET": Route(handler=_ollama.version, shape="ollama")},
}
"""By path; one that ends in a slash takes what follows it as a name."""
