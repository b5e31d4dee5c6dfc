"""OpenAI's /v1/responses; nothing is kept, so that every request brings all turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldguide.app.gateway import Open
from fieldguide.domain import CompletionRequest
from fieldguide.server._answering import asked, complete, streamed, whole
from fieldguide.server._message import AnyReply, Call
from fieldguide.server._reading import Fields, parse_body
from fieldguide.server._responses_read import read_response
from fieldguide.server._responses_write import ResponseEvents, write_response

if TYPE_CHECKING:
    from fieldguide.server._site import Site


async def responses(site: Site, call: Call) -> AnyReply:
    """Answer a conversation."""
    body = parse_body(call.body)
    ask = asked(call, body, "responses")

    def build(model: Open) -> CompletionRequest:
        return read_response(body, model, site.gateway.config.media_hosts, ask.notes)

    if not Fields(body, "", ask.notes).flag("stream"):
        answer = await complete(site, ask, build)
        return whole(ask, call, write_response(answer.completion, answer.model, call.request_id, body))
    return await streamed(
        site, ask, call, build, lambda model: ResponseEvents(model, call.request_id, body), shape="openai"
    )
