"""OpenAI's /v1/completions: a text that is continued as it stands."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fieldguide.app.gateway import Open
from fieldguide.domain import Completion, CompletionRequest, StreamPiece, TextDelta, TokenLogprob
from fieldguide.server._answering import asked, complete, streamed, whole
from fieldguide.server._chat_read import NEUTRAL, forwarded
from fieldguide.server._chat_write import REASONS, dumped, usage_of
from fieldguide.server._errors import RequestError
from fieldguide.server._message import AnyReply, Call
from fieldguide.server._reading import Fields, parse_body

if TYPE_CHECKING:
    from fieldguide.server._site import Site

_FORWARDED = (*NEUTRAL, "n", "best_of", "echo", "suffix", "logit_bias", "min_p", "repetition_penalty", "min_tokens")


async def completions(site: Site, call: Call) -> AnyReply:
    """Continue a text."""
    body = parse_body(call.body)
    ask = asked(call, body, "completions")
    fields = Fields(body, "", ask.notes)

    def build(model: Open) -> CompletionRequest:
        return _read(body, model, ask.notes)

    if not fields.flag("stream"):
        answer = await complete(site, ask, build)
        return whole(ask, call, _write(answer.completion, answer.model, call.request_id))
    options = fields.inner("stream_options")
    with_usage = bool(options and options.flag("include_usage"))
    return await streamed(
        site, ask, call, build, lambda model: _Chunks(model, call.request_id, with_usage=with_usage), shape="openai"
    )


def _read(body: dict[str, Any], model: Open, notes: list[str]) -> CompletionRequest:
    fields = Fields(body, "", notes)
    for name in ("model", "stream", "stream_options"):
        fields.get(name)
    prompts = fields.texts("prompt")
    if len(prompts) != 1:
        raise RequestError("prompt is not one text.", param="prompt")
    extra = forwarded(fields, model.takes_chat_fields, _FORWARDED)
    request = CompletionRequest(
        prompt=prompts[0],
        max_output_tokens=fields.count("max_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.whole("top_k"),
        stop=fields.texts("stop"),
        seed=fields.whole("seed"),
        frequency_penalty=fields.number("frequency_penalty") or None,
        presence_penalty=fields.number("presence_penalty") or None,
        logprobs=fields.count("logprobs"),
        extra={model.provider: extra} if extra else {},
    )
    fields.end()
    return request


def _head(model: Open, request_id: str) -> dict[str, Any]:
    return {
        "id": f"cmpl-{request_id}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model.config.alias,
    }


def _write(completion: Completion, model: Open, request_id: str) -> bytes:
    if model.takes_chat_fields and completion.raw is not None:
        return completion.raw.encode("utf-8", "replace")
    value = _head(model, request_id) | {"choices": [_choice(completion, completion.text)]}
    value["model"] = completion.model or model.config.alias
    return dumped({**value, "usage": usage_of(completion.usage)})


def _choice(completion: Completion, text: str) -> dict[str, Any]:
    return {
        "index": 0,
        "text": text,
        "logprobs": _logprobs(completion.logprobs),
        "finish_reason": REASONS[completion.finish_reason],
    }


def _logprobs(tokens: tuple[TokenLogprob, ...] | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    return {
        "tokens": [token.token for token in tokens],
        "token_logprobs": [token.logprob if token.logprob == token.logprob else None for token in tokens],
        "top_logprobs": [{each.token: each.logprob for each in token.alternatives} for token in tokens],
        "text_offset": [],
    }


class _Chunks:
    """Writes the pieces of one continuation as chunks."""

    heartbeat = b": still here\n\n"

    def __init__(self, model: Open, request_id: str, *, with_usage: bool) -> None:
        self._head, self._with_usage = _head(model, request_id), with_usage
        self._said = False

    def begin(self) -> bytes:
        """Return nothing: the first piece begins."""
        return b""

    def piece(self, piece: StreamPiece) -> bytes:
        """Return what a piece is as a chunk."""
        if not isinstance(piece, TextDelta) or piece.reasoning:
            return b""
        self._said = True
        return self._chunk([{"index": 0, "text": piece.text, "logprobs": None, "finish_reason": None}])

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return b"data: " + dumped({**self._head, "choices": choices, **more}) + b"\n\n"

    def end(self, completion: Completion) -> bytes:
        """Return the last chunks."""
        told = self._chunk([_choice(completion, "" if self._said else completion.text)])
        if self._with_usage:
            told += self._chunk([], usage=usage_of(completion.usage))
        return told + b"data: [DONE]\n\n"

    def error(self, value: Mapping[str, object]) -> bytes:
        """Return the event that tells of an error in the middle; the stream ends with it."""
        return b"data: " + dumped(value) + b"\n\n"
