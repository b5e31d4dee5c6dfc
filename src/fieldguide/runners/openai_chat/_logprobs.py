"""Log probabilities of tokens, in the form of chats and in the older one of plain texts."""

from __future__ import annotations

import math
from typing import Any

from fieldguide.domain import TokenLogprob
from fieldguide.runners._json import list_of, object_of, objects_of


def parse_logprobs(value: object) -> tuple[TokenLogprob, ...] | None:
    """Return the log probabilities of a choice; None where it has none."""
    given = object_of(value)
    if "content" in given or "refusal" in given:
        tokens = [token for name in ("content", "refusal") for token in objects_of(given.get(name))]
        return tuple(token_of(token) for token in tokens)
    if "tokens" in given:
        return _of_text(given)
    return None


def token_of(token: dict[str, Any]) -> TokenLogprob:
    """Return one token of a chat's log probabilities."""
    raw = token.get("bytes")
    whole = isinstance(raw, list) and all(isinstance(each, int) and 0 <= each < 256 for each in raw)
    return TokenLogprob(
        token=str(token.get("token", "")),
        logprob=_number(token.get("logprob")),
        token_bytes=bytes(raw) if whole and isinstance(raw, list) else None,
        alternatives=tuple(token_of(each) for each in objects_of(token.get("top_logprobs"))),
    )


def _of_text(given: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    tops = list_of(given.get("top_logprobs"))
    logprobs = list_of(given.get("token_logprobs"))
    return tuple(
        TokenLogprob(
            token=str(token),
            logprob=_number(logprobs[place] if place < len(logprobs) else None),
            alternatives=tuple(
                TokenLogprob(token=name, logprob=_number(value))
                for name, value in object_of(tops[place] if place < len(tops) else None).items()
            ),
        )
        for place, token in enumerate(list_of(given.get("tokens")))
    )


def _number(value: object) -> float:
    """Return a log probability; one that is not told (the first token of a prompt) is not a number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
