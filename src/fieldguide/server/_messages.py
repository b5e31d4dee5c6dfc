"""Anthropic's /v1/messages and /v1/messages/count_tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldguide.app.gateway import Open
from fieldguide.domain import CompletionRequest
from fieldguide.runners.anthropic import MessagesTap
from fieldguide.server._answering import asked, complete, headers_of, streamed, whole
from fieldguide.server._chat_write import dumped
from fieldguide.server._message import AnyReply, Call, Reply
from fieldguide.server._messages_read import read_messages
from fieldguide.server._messages_write import MessageEvents, speaks, write_message
from fieldguide.server._reading import Fields, parse_body

if TYPE_CHECKING:
    from fieldguide.app.gateway import Ask, Build
    from fieldguide.server._site import Site


async def messages(site: Site, call: Call) -> AnyReply:
    """Answer a conversation."""
    body = parse_body(call.body)
    ask = asked(call, body, "messages")
    build = _build(site, call, body, ask)
    if not Fields(body, "", ask.notes).flag("stream"):
        answer = await complete(site, ask, build)
        return whole(ask, call, write_message(answer.completion, answer.model, call.request_id))
    return await streamed(
        site,
        ask,
        call,
        build,
        lambda model: MessageEvents(model, call.request_id),
        shape="anthropic",
        tap_for=lambda model: MessagesTap() if model.sends_messages else None,
    )


async def count_tokens(site: Site, call: Call) -> AnyReply:
    """Count the tokens of a conversation; an estimate says so in a header."""
    body = parse_body(call.body)
    ask = asked(call, body, "count_tokens")
    count = await site.gateway.count(ask, _build(site, call, body, ask))
    headers = headers_of(ask, call) | ({"x-fieldguide-estimated": "true"} if count.estimated else {})
    return Reply(body=dumped({"input_tokens": count.input_tokens}), headers=headers)


def _build(site: Site, call: Call, body: dict[str, object], ask: Ask) -> Build:
    betas = [each.strip() for each in call.head.headers.get("anthropic-beta", "").split(",") if each.strip()]

    def build(model: Open) -> CompletionRequest:
        return read_messages(
            body,
            speaks=speaks(model),
            media_hosts=site.gateway.config.media_hosts,
            notes=ask.notes,
            betas=betas,
        )

    return build
