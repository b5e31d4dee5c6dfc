"""What a run will take: tokens, money and time, from its first answers and refined by every further one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from fieldguide.domain import Completion, CompletionRequest, JsonValue
from fieldguide.evaluation._budget import TokenPrice

PILOT_ANSWERS = 5
"""Answers before the first forecast."""
_Z = 2.1701
"""Two-sided 97 % on the normal scale. On recorded answers of real models the interval then holds 92 to 94 % of the
totals (tests/reference/test_forecast.py): some models now and then run on to the limit, which no few answers tell."""
_USUAL_SPREAD = 0.7
"""Standard deviation of log(output tokens) within a benchmark, median of 49 recorded runs."""
_USUAL_WEIGHT = 4
"""How many answers this usual spread counts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A figure that is not known yet; about nine in ten such ranges hold it in the end."""

    low: float
    likely: float
    high: float

    def plus(self, known: float) -> Range:
        """Return the range moved by what is known already."""
        return Range(low=self.low + known, likely=self.likely + known, high=self.high + known)

    def times(self, factor: float) -> Range:
        """Return the range scaled by a positive factor."""
        return Range(low=self.low * factor, likely=self.likely * factor, high=self.high * factor)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the three figures."""
        return {"low": self.low, "likely": self.likely, "high": self.high}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What this call will have taken in the end, answers so far included; None where something is not counted."""

    answers: int
    """New answers that it rests on."""
    requests: int
    """Attempts that this call asks in all."""
    input_tokens: Range | None
    output_tokens: Range | None
    cost_usd: Range | None
    seconds: Range
    at_most_usd: Decimal | None
    """If every answer still to come ran on to its limit of tokens."""

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as kept with the run."""
        ranges = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
            "seconds": self.seconds,
        }
        return {
            "answers": self.answers,
            "requests": self.requests,
            **{name: None if value is None else value.as_json() for name, value in ranges.items()},
            "at_most_usd": None if self.at_most_usd is None else float(self.at_most_usd),
        }


class _Sizes:
    """Positive figures seen so far, for the sum of further ones like them."""

    def __init__(self, *, usual_spread: float, usual_weight: int) -> None:
        self.count = 0
        self.total = 0.0
        self._log = self._log_squared = 0.0
        self._usual = (usual_spread, usual_weight)

    def add(self, value: float) -> None:
        log = math.log(max(value, 1e-6))
        self.count += 1
        self.total += value
        self._log += log
        self._log_squared += log * log

    def further(self, count: int) -> Range:
        """Return the sum of `count` more: lognormal scatter (Cox's interval) around their mean so far."""
        if not count:
            return Range(low=0.0, likely=0.0, high=0.0)
        spread, weight = self._usual
        freedom = self.count - 1 + weight
        about_mean = max(self._log_squared - self._log**2 / self.count, 0.0)
        variance = (about_mean + weight * spread**2) / freedom
        of_mean = variance / self.count + variance**2 / (2 * freedom)
        of_sum = (math.exp(min(variance, 4.0)) - 1) / count
        factor = math.exp(min(_student(freedom) * math.sqrt(of_mean + of_sum), 7.0))
        likely = self.total / self.count * count
        return Range(low=likely / factor, likely=likely, high=likely * factor)


def _student(freedom: int) -> float:
    """Return Student's t for `_Z` (Cornish-Fisher; off by less than 0.02 from 4 degrees of freedom on)."""
    z = _Z
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


class Forecaster:
    """Learns from each answer of one run."""

    def __init__(self, requests: list[CompletionRequest], price: TokenPrice | None) -> None:
        """Take the requests that this call will send."""
        self._requests = self._left = len(requests)
        self._price = price
        self._characters_left = sum(map(_characters, requests))
        self._most_usd_left = sum((price.most_usd(request) for request in requests), Decimal(0)) if price else None
        self._per_character = _Sizes(usual_spread=0.0, usual_weight=0)
        self._output = _Sizes(usual_spread=_USUAL_SPREAD, usual_weight=_USUAL_WEIGHT)
        self._latency = _Sizes(usual_spread=_USUAL_SPREAD, usual_weight=_USUAL_WEIGHT)
        self._longest_s = 0.0
        self._input_tokens = self._output_tokens = 0
        self._spent_usd = Decimal(0)

    def ended(
        self, request: CompletionRequest, completion: Completion | None, *, seconds: float, cost_usd: Decimal | None
    ) -> None:
        """Learn from an attempt that has ended.

        Args:
            request: What was asked.
            completion: The answer; None where the attempt has failed.
            seconds: Time from sending to the answer.
            cost_usd: What it cost; None where unknown.
        """
        self._left -= 1
        self._characters_left -= _characters(request)
        if self._most_usd_left is not None and self._price is not None:
            self._most_usd_left -= self._price.most_usd(request)
        self._spent_usd += cost_usd or 0
        if completion is None:
            return
        self._latency.add(seconds)
        self._longest_s = max(self._longest_s, seconds)
        usage = completion.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            self._input_tokens += usage.input_tokens
            self._output_tokens += usage.output_tokens
            self._per_character.add(usage.input_tokens / max(_characters(request), 1))
            self._output.add(max(usage.output_tokens, 1))

    def forecast(self, *, elapsed_s: float, in_flight: int | None) -> Forecast | None:
        """Return what is foreseen now; None before there are answers enough.

        Args:
            elapsed_s: Time since the first request (seconds).
            in_flight: Requests that will be in flight; None takes the average so far.
        """
        if self._latency.count < PILOT_ANSWERS:
            return None
        counted = self._output.count == self._latency.count
        further_input = self._per_character.further(self._left) if counted else None
        further_output = self._output.further(self._left) if counted else None
        if further_input is not None:
            further_input = further_input.times(self._characters_left / max(self._left, 1))
        return Forecast(
            answers=self._latency.count,
            requests=self._requests,
            input_tokens=further_input.plus(self._input_tokens) if further_input else None,
            output_tokens=further_output.plus(self._output_tokens) if further_output else None,
            cost_usd=self._cost(further_input, further_output),
            seconds=self._seconds(elapsed_s, in_flight),
            at_most_usd=None if self._most_usd_left is None else self._spent_usd + self._most_usd_left,
        )

    def _cost(self, further_input: Range | None, further_output: Range | None) -> Range | None:
        if self._price is None or further_input is None or further_output is None:
            return None
        per_input = float(self._price.input_usd_per_mtok) / 1e6
        per_output = float(self._price.output_usd_per_mtok) / 1e6
        return Range(
            low=further_input.low * per_input + further_output.low * per_output,
            likely=further_input.likely * per_input + further_output.likely * per_output,
            high=further_input.high * per_input + further_output.high * per_output,
        ).plus(float(self._spent_usd))

    def _seconds(self, elapsed_s: float, in_flight: int | None) -> Range:
        average = self._latency.total / max(elapsed_s, 1e-6)
        at_once = max(1.0, average if in_flight is None else min(in_flight, self._left))
        further = self._latency.further(self._left).times(1 / at_once)
        tail_s = self._longest_s if self._left else 0.0  # the last ones end one after another
        return Range(low=further.low, likely=further.likely, high=further.high + tail_s).plus(elapsed_s)


def _characters(request: CompletionRequest) -> int:
    if request.prompt is not None:
        return len(request.prompt)
    return sum(len(message.text) for message in request.messages or ())
