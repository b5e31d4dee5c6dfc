"""One request at one model: what it may use is taken beforehand, and what it has used is noted afterwards."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

from fieldguide.app.gateway._identity import Identity
from fieldguide.app.gateway._meters import Held, Meters, Want
from fieldguide.app.gateway._metrics import Metrics
from fieldguide.app.gateway._models import Open
from fieldguide.domain import Latency, Usage
from fieldguide.errors import BudgetExceededError, FieldguideError, KeyLimitError, RunnerError, UsageError
from fieldguide.store import MeterKey, UsageRow

NANO = Decimal(1_000_000_000)
_BYTES_PER_TOKEN = 4
"""For limits on tokens a minute, which are settled by what was counted; money is set aside for a token a byte."""
_NOTHING = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request, as far as limits and records care."""

    identity: Identity
    model: str
    """As the client names it."""
    endpoint: str
    body_bytes: int
    notes: list[str] = field(default_factory=list)
    """What of the request was not passed on; told to the client in a header."""


@dataclass(slots=True)
class Visit:
    """A request that has been let in."""

    ask: Ask
    model: Open
    held: Held
    bound: Usage
    """The most that it may use."""
    meters: Meters
    metrics: Metrics
    began_s: float
    at: str
    tries: int = 1
    seen: int = 0
    """Characters of the answer that have come."""
    ended: bool = False

    def answered(self, usage: Usage, latency: Latency) -> None:
        """Note an answer. What its provider did not count is charged to the limits as the most that it may be."""
        counted = Usage(
            input_tokens=_or(usage.input_tokens, self.bound.input_tokens),
            output_tokens=_or(usage.output_tokens, self.bound.output_tokens),
        )
        read = _or(usage.input_tokens, _or(None, self.bound.input_tokens) // _BYTES_PER_TOKEN)
        cost = self._cost(usage)
        charge = self._cost(counted) if cost is None else cost
        self._end(
            "answered", usage, cost, tokens=read + (counted.output_tokens or 0), charge=charge, ttft_s=latency.ttft_s
        )

    def broke_off(self, error: BaseException) -> None:
        """Note that there was no whole answer; does nothing where one was noted.

        An upstream that refused, or was never reached, has nothing to charge. Otherwise the limits are charged with
        what was asked and came, since it may be charged: a token is at least a byte.
        """
        if self.ended:
            return
        free = isinstance(error, UsageError) or (
            isinstance(error, RunnerError) and (error.refused or getattr(error, "unreached", False))
        )
        asked = 0 if free else self.bound.input_tokens or 0
        charge = self._cost(Usage(input_tokens=asked, output_tokens=self.seen))
        outcome = "failed" if isinstance(error, Exception) else "abandoned"
        tokens = asked // _BYTES_PER_TOKEN + self.seen // _BYTES_PER_TOKEN
        self._end(outcome, _NOTHING, None, tokens=tokens, charge=charge, error=error)

    def _cost(self, usage: Usage) -> Decimal | None:
        return None if self.model.price is None else self.model.price.cost_of(usage)

    def _end(
        self,
        outcome: str,
        usage: Usage,
        cost: Decimal | None,
        *,
        tokens: int,
        charge: Decimal | None,
        ttft_s: float | None = None,
        error: BaseException | None = None,
    ) -> None:
        self.ended = True
        self.metrics.in_flight -= 1
        seconds = time.perf_counter() - self.began_s
        row = UsageRow(
            at=self.at,
            key_id=self.ask.identity.key_id,
            model=self.model.config.alias,
            reference=self.model.runner.model.reference,
            endpoint=self.ask.endpoint,
            outcome=outcome,  # type: ignore[arg-type]
            error_type=None if error is None or outcome == "abandoned" else type(error).__name__,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cost_usd=None if cost is None else str(cost),
            ttft_s=ttft_s,
            seconds=seconds,
            tries=self.tries,
        )
        amounts = {"requests": 1, "tokens": tokens}
        spent = nano(charge) if charge else 0
        self.meters.settle(self.held, lambda meter: amounts.get(meter.meter, spent), row)
        self.metrics.ended(
            model=self.model.config.alias, endpoint=self.ask.endpoint, outcome=outcome, usage=usage, seconds=seconds
        )


def _or(count: int | None, bound: int | None) -> int:
    return count if count is not None else bound or 0


@functools.lru_cache(maxsize=4096)
def nano(amount: Decimal) -> int:
    """Return US dollars as whole nano-dollars, rounded up."""
    return int((amount * NANO).to_integral_value(rounding=ROUND_CEILING))


async def begin(ask: Ask, model: Open, bound: Usage, meters: Meters, metrics: Metrics, now_s: float) -> Visit:
    """Let a request in, where its key's limits leave room for the most that it may use.

    Raises:
        BudgetExceededError: A budget does not, or cannot be held since the model has no known price.
        KeyLimitError: There was too much in this minute.
        StoreError: The records cannot be written.
    """
    held: Held | Want = Held([])
    if ask.identity.key_id is not None:
        wants = _wants(ask, ask.identity.key_id, model, bound, now_s)
        if wants:
            held = await meters.take(wants)
    if isinstance(held, Want):
        raise _refusal(held, now_s)
    metrics.in_flight += 1
    return Visit(
        ask=ask,
        model=model,
        held=held,
        bound=bound,
        meters=meters,
        metrics=metrics,
        began_s=time.perf_counter(),
        at=f"{_second(int(now_s))}.{int(now_s % 1 * 1000):03d}+00:00",
    )


@functools.lru_cache(maxsize=4)
def _second(second: int) -> str:
    """Return a second of UTC as it begins every time of that second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _wants(ask: Ask, key_id: str, model: Open, bound: Usage, now_s: float) -> list[Want]:
    limits = ask.identity.limits
    second = _second(int(now_s))
    minute, day = f"{second[:16]}+00:00", second[:10]
    wants: list[Want] = []
    if limits.requests_per_minute is not None:
        wants.append(Want(MeterKey(key_id, "requests", minute), limits.requests_per_minute, 1))
    if (limit := limits.tokens_per_minute) is not None:
        tokens = (bound.input_tokens or 0) // _BYTES_PER_TOKEN + (bound.output_tokens or 0)
        wants.append(Want(MeterKey(key_id, "tokens", minute), limit, max(min(tokens, limit), 1)))
    if limits.of_money:
        amount = _most(model, bound)
        if limits.budget_usd is not None:
            wants.append(Want(MeterKey(key_id, "usd", ""), nano(limits.budget_usd), amount))
        if limits.daily_usd is not None:
            wants.append(Want(MeterKey(key_id, "usd", day), nano(limits.daily_usd), amount))
        if (of_model := limits.model_usd.get(model.config.alias)) is not None:
            wants.append(Want(MeterKey(key_id, f"usd:{model.config.alias}", ""), nano(of_model), amount))
    return wants


def _most(model: Open, bound: Usage) -> int:
    cost = None if model.price is None else model.price.cost_of(bound)
    if cost is None:
        raise BudgetExceededError(
            f"The price of {model.config.alias} is not known, so that a budget cannot be held.",
            hint="Whoever runs the gateway can give `price_in` and `price_out` in its configuration.",
        )
    return nano(cost)


def _refusal(want: Want, now_s: float) -> FieldguideError:
    if want.meter.meter in {"requests", "tokens"}:
        wait_s = 60.0 - now_s % 60.0
        return KeyLimitError(f"This key may use {want.limit} {want.meter.meter} a minute.", retry_after_s=wait_s)
    window = f" of {want.meter.window}" if want.meter.window else ""
    named = want.meter.meter.partition(":")[2]
    of_model = f" for {named}" if named else ""
    return BudgetExceededError(
        f"The budget{window}{of_model} of this key leaves less than this request may cost "
        f"(${Decimal(want.amount) / NANO:f})."
    )
