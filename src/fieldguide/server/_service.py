"""What the gateway says of itself: health, readiness, metrics, its models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fieldguide.errors import UnknownModelError
from fieldguide.server._chat_write import dumped
from fieldguide.server._message import AnyReply, Call, Reply

if TYPE_CHECKING:
    from fieldguide.server._site import Site

_CREATED = 1_700_000_000
"""The lists want a time at which a model was made, which is not known: the same for all."""


async def health(site: Site, call: Call) -> AnyReply:
    """Say that the process is alive."""
    return Reply(body=b'{"status":"ok"}')


async def ready(site: Site, call: Call) -> AnyReply:
    """Say whether requests can be answered and accounted for."""
    good = site.gateway.ready and not site.draining
    return Reply(status=200 if good else 503, body=dumped({"ready": good}))


async def metrics(site: Site, call: Call) -> AnyReply:
    """Return what was counted."""
    gateway = site.gateway
    text = gateway.metrics.text(loaded=len(gateway.models.loaded), pending=gateway.meters.pending)
    return Reply(body=text.encode(), content_type="text/plain; version=0.0.4; charset=utf-8")


async def models(site: Site, call: Call) -> AnyReply:
    """Return the models that this key may ask, in the words of whoever asks."""
    names = site.gateway.names(call.identity)
    if "anthropic-version" in call.head.headers:
        data = [_for_anthropic(name) for name in names]
        ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
        return Reply(body=dumped({"data": data, "has_more": False, **ends}))
    return Reply(body=dumped({"object": "list", "data": [_for_openai(name) for name in names]}))


async def model(site: Site, call: Call) -> AnyReply:
    """Return one model."""
    name = unquote(call.head.path.removeprefix("/v1/models/"))
    if name not in site.gateway.names(call.identity):
        raise UnknownModelError("There is no such model here.", hint="The list of models says what there is.")
    told = _for_anthropic(name) if "anthropic-version" in call.head.headers else _for_openai(name)
    return Reply(body=dumped(told))


def _for_openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "fieldguide"}


def _for_anthropic(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2023-11-14T22:13:20Z"}
