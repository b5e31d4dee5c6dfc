"""All routes, each with who may use it and in whose words it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fieldguide.server import _chat, _messages, _service
from fieldguide.server._errors import Shape
from fieldguide.server._message import JSON, AnyReply, Call

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
    "/v1/models": {"GET": Route(handler=_service.models)},
    "/v1/models/": {"GET": Route(handler=_service.model)},
    "/v1/chat/completions": _json(_chat.chat),
    "/v1/messages": _json(_messages.messages, "anthropic"),
    "/v1/messages/count_tokens": _json(_messages.count_tokens, "anthropic"),
}
"""By path; one that ends in a slash takes what follows it as a name."""
