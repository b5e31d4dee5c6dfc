"""Why figures are missing, each reason said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.reporting._values import ReportResult

_FIELDS = {
    "input_tokens": ("Input tokens", "the runner does not report token counts"),
    "output_tokens": ("Output tokens", "the runner does not report token counts"),
    "cost_usd": ("Cost", "no price is known for this model"),
    "seconds": ("Run time", "it was not recorded"),
    "decode_tokens_per_s": ("Decode rate", "it takes streamed answers with token counts"),
    "ttft_s": ("Time to first token", "the answers did not come as a stream"),
    "e2e_latency_s": ("Time per answer", "it was not recorded"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReason:
    """A figure that some models lack, and why."""

    figure: str
    models: tuple[str, ...]
    """Empty where all lack it."""
    reason: str


def unknown_reasons(results: Sequence[ReportResult]) -> tuple[UnknownReason, ...]:
    """Return the reason of each missing figure in the table of speed and tokens."""
    models = tuple(dict.fromkeys(result.model for result in results))
    reasons = []
    for field, (figure, usual) in _FIELDS.items():
        lacking: dict[str, dict[str, None]] = {}
        for result in results:
            if getattr(result, field) is None:
                lacking.setdefault(result.unknown_because.get(field, usual), {})[result.model] = None
        for reason, names in lacking.items():
            everyone = tuple(names) == models
            reasons.append(UnknownReason(figure=figure, models=() if everyone else tuple(names), reason=reason))
    return tuple(reasons)
