"""OpenAI's /v1/chat/completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldguide.app.gateway import Open
from fieldguide.domain import CompletionRequest
from fieldguide.runners.openai_chat import ChatTap, usage_in
from fieldguide.server._answering import asked, streamed, whole
from fieldguide.server._chat_read import read_chat
from fieldguide.server._chat_write import ChatChunks, write_chat
from fieldguide.server._message import AnyReply, Call
from fieldguide.server._reading import Fields, parse_body

if TYPE_CHECKING:
    from fieldguide.server._site import Site


async def chat(site: Site, call: Call) -> AnyReply:
    """Answer a conversation."""
    body = parse_body(call.body)
    ask = asked(call, body, "chat")
    fields = Fields(body, "", ask.notes)
    media_hosts = site.gateway.config.media_hosts

    def build(model: Open) -> CompletionRequest:
        return read_chat(body, model, media_hosts, ask.notes)

    if not fields.flag("stream"):
        written = await site.gateway.written(
            ask,
            build,
            lambda completion, model: write_chat(completion, model, call.request_id),
            lambda model: usage_in if model.sends_chat else None,
        )
        return whole(ask, call, written)
    options = fields.inner("stream_options")
    with_usage = bool(options and options.flag("include_usage"))
    return await streamed(
        site,
        ask,
        call,
        build,
        lambda model: ChatChunks(model, call.request_id, with_usage=with_usage),
        shape="openai",
        tap_for=lambda model: ChatTap(with_usage=with_usage) if model.sends_chat else None,
        relayed_end=b"data: [DONE]\n\n",
    )
