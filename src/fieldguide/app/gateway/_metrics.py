"""What the gateway counts while it runs, in the form that Prometheus reads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from fieldguide.domain import Usage

_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_MOST_MODELS = 1000
_FURTHER = "(further)"
"""Stands for models beyond those: where clients may name a provider's, they could name ever new ones."""


class Metrics:
    """Counts since the start. Labels are names of models and endpoints; never a key."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._seconds_sum: Counter[str] = Counter()
        self._refused: Counter[int] = Counter()

    def ended(self, *, model: str, endpoint: str, outcome: str, usage: Usage, seconds: float) -> None:
        """Count a request that reached a model."""
        if model not in self._seconds and len(self._seconds) >= _MOST_MODELS:
            model = _FURTHER
        self._requests[model, endpoint, outcome] += 1
        if usage.input_tokens:
            self._tokens[model, "input"] += usage.input_tokens
        if usage.output_tokens:
            self._tokens[model, "output"] += usage.output_tokens
        buckets = self._seconds.get(model)
        if buckets is None:
            buckets = self._seconds.setdefault(model, [0] * (len(_BOUNDS_S) + 1))
        buckets[bisect_left(_BOUNDS_S, seconds)] += 1
        self._seconds_sum[model] += seconds  # type: ignore[assignment]

    def refused(self, status: int) -> None:
        """Count a request that was answered with an error."""
        self._refused[status] += 1

    def text(self, *, loaded: int, pending: int) -> str:
        """Return all counts.

        Args:
            loaded: Models that are open.
            pending: Rows of usage that are not committed yet.
        """
        return "\n".join([*self._lines(loaded, pending), ""])

    def _lines(self, loaded: int, pending: int) -> Iterator[str]:
        yield "# TYPE fieldguide_requests_total counter"
        for (model, endpoint, outcome), count in sorted(self._requests.items()):
            labels = f'model="{model}",endpoint="{endpoint}",outcome="{outcome}"'
            yield f"fieldguide_requests_total{{{labels}}} {count}"
        yield "# TYPE fieldguide_tokens_total counter"
        for (model, kind), count in sorted(self._tokens.items()):
            yield f'fieldguide_tokens_total{{model="{model}",kind="{kind}"}} {count}'
        yield "# TYPE fieldguide_errors_total counter"
        for status, count in sorted(self._refused.items()):
            yield f'fieldguide_errors_total{{status="{status}"}} {count}'
        yield "# TYPE fieldguide_request_seconds histogram"
        for model, buckets in sorted(self._seconds.items()):
            sofar = 0
            for bound, count in zip((*_BOUNDS_S, "+Inf"), buckets, strict=True):
                sofar += count
                yield f'fieldguide_request_seconds_bucket{{model="{model}",le="{bound}"}} {sofar}'
            yield f'fieldguide_request_seconds_sum{{model="{model}"}} {self._seconds_sum[model]}'
            yield f'fieldguide_request_seconds_count{{model="{model}"}} {sofar}'
        for name, value in (("in_flight", self.in_flight), ("models_open", loaded), ("usage_rows_pending", pending)):
            yield f"# TYPE fieldguide_{name} gauge"
            yield f"fieldguide_{name} {value}"
