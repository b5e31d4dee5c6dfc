"""Gemini's answers, whole or in pieces, to completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldguide.domain import (
    Block,
    Completion,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    Reasoning,
    StreamPiece,
    Text,
    TokenLogprob,
    ToolCall,
    Usage,
    kind_of,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import Blocks, thoughts, words
from fieldguide.runners._json import count_of, further, object_of, objects_of, parse_object, text_of, total
from fieldguide.runners.gemini._content import block_of
from fieldguide.runners.gemini._errors import error_in

_FINISH_REASONS = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "MODEL_ARMOR",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
        ),
        FinishReason.CONTENT_FILTER,
    ),
}
_UNION = ("groundingMetadata", "citationMetadata", "urlContextMetadata")
"""What a stream tells in several pieces, each with a part of it."""


def parse_completion(text: str, *, e2e_latency_s: float, provider: str) -> Completion:
    """Return the completion of a whole response body; a blocked prompt gives one without words.

    Raises:
        ResponseFormatError: It holds neither an answer nor a reason for having none.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in(body)
    candidate = _first(body)
    parts = objects_of(object_of(candidate.get("content")).get("parts"))
    blocks = tuple(block_of(part, provider) for part in parts)
    return _completion(body, candidate, blocks, latency=Latency(e2e_latency_s=e2e_latency_s), raw=text)


def _first(body: dict[str, Any]) -> dict[str, Any]:
    found = objects_of(body.get("candidates"))
    return next((each for each in found if not each.get("index")), found[0] if found else {})


def _completion(
    body: dict[str, Any], candidate: dict[str, Any], blocks: tuple[Block, ...], *, latency: Latency, raw: str
) -> Completion:
    blocked = text_of(object_of(body.get("promptFeedback")).get("blockReason"))
    reason = text_of(candidate.get("finishReason")) or blocked
    if reason is None and not blocks:
        raise ResponseFormatError("The endpoint answered without any content.")
    usage = object_of(body.get("usageMetadata"))
    metadata = further(body, "candidates", "usageMetadata", "modelVersion", "responseId")
    if about := further(candidate, "content", "finishReason"):
        metadata["candidate"] = about
    if others := [each for each in objects_of(body.get("candidates")) if each.get("index")]:
        metadata["other_choices"] = others
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=_finish_reason(reason, blocks, blocked=blocked is not None),
        raw_finish_reason=reason,
        usage=parse_usage(usage),
        latency=latency,
        model=text_of(body.get("modelVersion")),
        raw=raw,
        metadata=metadata,
        message=Message(role="assistant", content=blocks),
        logprobs=_logprobs(object_of(candidate.get("logprobsResult"))),
        response_id=text_of(body.get("responseId")),
        service_tier=text_of(usage.get("serviceTier")) or text_of(usage.get("trafficType")),
        raw_usage=body.get("usageMetadata"),
    )


def _finish_reason(reason: str | None, blocks: tuple[Block, ...], *, blocked: bool) -> FinishReason:
    """Return our word. Google says STOP for calls of tools too, and names why it blocked a prompt."""
    if blocked:
        return FinishReason.CONTENT_FILTER
    if reason == "STOP" and any(isinstance(block, ToolCall) for block in blocks):
        return FinishReason.TOOL_CALL
    return _FINISH_REASONS.get(reason or "", FinishReason.UNKNOWN)


def parse_usage(given: Mapping[str, Any]) -> Usage:
    """Return the token counts. Google leaves thoughts out of the answer's, and what its tools read out of the prompt's.

    A count of nothing is left out of its JSON: where there is any usage, no thoughts are no tokens of thought, but
    details that are absent are unknown.
    """
    said, thought = count_of(given.get("candidatesTokenCount")), count_of(given.get("thoughtsTokenCount"))
    return Usage(
        input_tokens=total(count_of(given.get("promptTokenCount")), count_of(given.get("toolUsePromptTokenCount"))),
        output_tokens=total(said or 0, thought) if given else None,
        cached_input_tokens=count_of(given.get("cachedContentTokenCount")),
        reasoning_tokens=thought,
        input_audio_tokens=_of_sound(given.get("promptTokensDetails")),
        output_audio_tokens=_of_sound(given.get("candidatesTokensDetails")),
    )


def _of_sound(details: object) -> int | None:
    counts = [count_of(each.get("tokenCount")) for each in objects_of(details) if each.get("modality") == "AUDIO"]
    return total(*counts)


def _logprobs(result: dict[str, Any]) -> tuple[TokenLogprob, ...] | None:
    chosen = objects_of(result.get("chosenCandidates"))
    others = objects_of(result.get("topCandidates"))
    if not chosen:
        return None
    beside = (
        [objects_of(each.get("candidates")) for each in others] if len(others) == len(chosen) else [[]] * len(chosen)
    )
    return tuple(
        _logprob(each, tuple(_logprob(other) for other in likely)) for each, likely in zip(chosen, beside, strict=True)
    )


def _logprob(given: dict[str, Any], alternatives: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
    """Return a token with its probability; a logarithm of 0, a certainty, is left out of Google's JSON."""
    value = given.get("logProbability", 0.0)
    return TokenLogprob(
        token=text_of(given.get("token")) or "",
        logprob=float(value) if isinstance(value, int | float) else float("nan"),
        alternatives=alternatives,
    )


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float, provider: str) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._provider = provider
        self._blocks = Blocks(provider, began_s=began_s)
        self._raw: list[str] = []
        self._body: dict[str, Any] = {}
        self._candidate: dict[str, Any] = {}

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take one piece: an answer of its own, whose parts continue those before.

        Raises:
            RunnerError: The piece is an error.
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        body = parse_object(data)
        if body.get("error"):
            raise error_in(body)
        self._body |= further(body, "candidates")
        candidate = _first(body)
        self._candidate = _joined(self._candidate, further(candidate, "content"))
        parts = objects_of(object_of(candidate.get("content")).get("parts"))
        pieces = [piece for part in parts for piece in self._part(block_of(part, self._provider), now_s)]
        return pieces if candidate.get("finishReason") is None else pieces + self._blocks.end_all()

    def _part(self, block: Block, now_s: float) -> list[StreamPiece]:
        """Words continue the words before them, but for sealed ones: a seal is for the text it came with."""
        if isinstance(block, Reasoning) and block.signature is None:
            return self._blocks.add("thought", "reasoning", block.text or "", now_s=now_s) if block.text else []
        if isinstance(block, Text) and not block.provider_data:
            return self._blocks.add("text", "text", block.text, now_s=now_s) if block.text else []
        if not isinstance(block, Text | Reasoning):
            return self._blocks.whole(block, kind_of(block), now_s=now_s)
        key = object()
        kind: Any = kind_of(block)
        pieces = self._blocks.start(key, kind, now_s=now_s)
        pieces += self._blocks.add(key, kind, block.text or "", now_s=now_s)
        opened = self._blocks.open(key)
        if opened is not None and isinstance(block, Reasoning):
            opened.signature = block.signature
        elif opened is not None:
            opened.fields = {name: each for data in block.provider_data for name, each in data.fields.items()}
        return pieces + self._blocks.end(key)

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        blocked = object_of(self._body.get("promptFeedback")).get("blockReason")
        if text_of(self._candidate.get("finishReason")) is None and blocked is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        latency = self._blocks.latency(now_s=now_s)
        return _completion(self._body, self._candidate, self._blocks.made, latency=latency, raw="\n".join(self._raw))


def _joined(before: dict[str, JsonValue], new: dict[str, Any]) -> dict[str, JsonValue]:
    """Return what is known of a candidate, with what a further piece says of it: the last word holds, lists grow."""
    both = dict(before)
    for name, value in new.items():
        known = both.get(name)
        if name in _UNION and isinstance(known, dict):
            both[name] = _united(known, value)
        elif name == "logprobsResult" and isinstance(known, dict) and isinstance(value, dict):
            lists = {key: [*known.get(key, []), *each] for key, each in value.items() if isinstance(each, list)}
            both[name] = {**known, **value, **lists}
        else:
            both[name] = value
    return both


def _united(known: Any, new: Any) -> Any:
    if isinstance(known, dict) and isinstance(new, dict):
        return {**known, **{name: _united(known.get(name), value) for name, value in new.items()}}
    if isinstance(known, list) and isinstance(new, list):
        return known + [each for each in new if each not in known]
    return new
