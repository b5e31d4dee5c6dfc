"""Money: what an answer costs, and whether the budget allows another request."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fieldguide.catalogue.prices import Rate, bill, price_usage, rates_to_json
from fieldguide.domain import CompletionRequest, JsonValue, Usage

_MTOK = Decimal(1_000_000)
_BYTES_PER_TOKEN = 3  # fewer than usual, so that the first guess errs upwards


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrice:
    """Price of one model (US dollars per million tokens)."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    rates: tuple[Rate, ...] = ()
    """The provider's whole list where it is known: cached and reasoning tokens, tiers, a fee for each request."""
    source: str = "given"
    """Who says so, and when that was read."""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the price as a run keeps it."""
        return {
            "input_usd_per_mtok": str(self.input_usd_per_mtok),
            "output_usd_per_mtok": str(self.output_usd_per_mtok),
            "rates": rates_to_json(self.rates),
            "source": self.source,
        }

    def cost_usd(self, usage: Usage) -> Decimal | None:
        """Return what an answer cost; None where the provider did not count its tokens."""
        if self.rates:
            return price_usage(self.rates, usage)
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        return (usage.input_tokens * self.input_usd_per_mtok + usage.output_tokens * self.output_usd_per_mtok) / _MTOK

    def most_usd(self, request: CompletionRequest) -> Decimal:
        """Return what a request may cost: its text in bytes / 3 as tokens, and every output token it allows."""
        text = request.prompt or "".join(message.text for message in request.messages or ())
        input_tokens = len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + 16
        if self.rates:
            most = request.max_output_tokens or 0
            usual = {"input_tokens": input_tokens, "output_tokens": most}
            both = (bill(self.rates, usual | more).total for more in ({}, {"reasoning_output_tokens": most}))
            return max((each for each in both if each is not None), default=Decimal(0))
        return (
            input_tokens * self.input_usd_per_mtok + (request.max_output_tokens or 0) * self.output_usd_per_mtok
        ) / _MTOK


class Budget:
    """Counts what was spent and what is in flight, and says whether one more request may go.

    Each request in flight holds back the dearest cost seen when it went, or before any cost is known the most that it
    can cost. One more may go while what was spent, what is held back and what it would hold back itself stay within the
    limit; with nothing in flight and no cost known a single one may always go. What is spent can therefore exceed the
    limit by no more than requests in flight that turn out dearer than any before them.
    """

    def __init__(self, limit_usd: Decimal | None) -> None:
        """Start with nothing spent; None is no limit."""
        self.limit_usd = limit_usd
        self.spent_usd = Decimal(0)
        self._dearest_usd: Decimal | None = None
        self._held_usd = Decimal(0)
        self._in_flight = 0

    def holds_back(self, most_usd: Decimal) -> Decimal:
        """Return what a request that can cost at most `most_usd` would hold back now (US dollars)."""
        return most_usd if self._dearest_usd is None else min(self._dearest_usd, most_usd)

    def allows(self, most_usd: Decimal) -> bool:
        """Whether one more request may be sent now; `most_usd` is the most that it can cost."""
        if self.limit_usd is None or most_usd == 0:
            return True
        if self._dearest_usd is None and self._in_flight == 0:
            return self.spent_usd < self.limit_usd
        return self.spent_usd + self._held_usd + self.holds_back(most_usd) <= self.limit_usd

    def spent_before(self, amount_usd: Decimal) -> None:
        """Count what a run has spent before it was interrupted or killed."""
        self.spent_usd += amount_usd

    @property
    def waiting_helps(self) -> bool:
        """Whether an answer in flight may still make room."""
        return self._in_flight > 0

    def sent(self, most_usd: Decimal) -> Decimal:
        """Count a request that is on its way, and return what it holds back; give that to `ended`."""
        held_usd = self.holds_back(most_usd)
        self._in_flight += 1
        self._held_usd += held_usd
        return held_usd

    def ended(self, cost_usd: Decimal | None, *, held_usd: Decimal) -> None:
        """Count a request that has ended.

        Args:
            cost_usd: What it cost; None where nobody knows, as after a time-out. It then counts with what it held back.
            held_usd: What `sent` returned for it.
        """
        self._in_flight -= 1
        self._held_usd -= held_usd
        self.spent_usd += held_usd if cost_usd is None else cost_usd
        self._note(cost_usd)

    def corrected(self, cost_usd: Decimal | None, *, held_usd: Decimal) -> None:
        """Put the true cost of a late answer in the place of what it was counted with."""
        if cost_usd is not None:
            self.spent_usd += cost_usd - held_usd
            self._note(cost_usd)

    def _note(self, cost_usd: Decimal | None) -> None:
        if cost_usd:
            self._dearest_usd = max(self._dearest_usd or Decimal(0), cost_usd)
