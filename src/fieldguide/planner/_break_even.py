"""From which volume a machine of one's own, bought or rented, is cheaper than paying per token."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.planner._ranges import Range

HOURS_PER_MONTH = 8766 / 12
"""A mean month: a twelfth of 365.25 days."""
UTILISATION = Range(low=0.1, likely=0.3, high=0.7)
"""Share of the hours in which a machine really answers; demand has nights and week-ends. An assumption."""
LOAD_POWER = Range(low=0.5, likely=0.75, high=1.0)
"""Share of the rated power that a loaded device draws; an assumption."""
OVERHEAD_POWER = 1.3
"""Power of fans, processor and cooling per power of the device; an assumption."""


def hours_per_month() -> float:
    """Return the hours of a mean month."""
    return HOURS_PER_MONTH


def usual_utilisation() -> Range:
    """Return the share of hours in which a machine of one's own is taken to work: an assumption."""
    return UTILISATION


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidWorkload:
    """What one request is."""

    input_tokens: float
    output_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrice:
    """What an API takes (US dollars per million tokens)."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float

    def per_request(self, workload: PaidWorkload) -> float:
        """Return the dollars of one request."""
        paid = workload.input_tokens * self.input_usd_per_mtok + workload.output_tokens * self.output_usd_per_mtok
        return paid / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCost:
    """What a machine costs whether it works or not, and for each hour that it works."""

    fixed_usd_per_month: Range
    """Rent, or the purchase spread over its life."""
    energy_usd_per_busy_hour: Range
    """0 for a rented one, whose price includes it."""
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """The comparison."""

    api_usd_per_request: float
    machine_usd_per_request: Range
    """At the utilisation that was assumed."""
    requests_per_month: Range | None
    """Volume from which one machine costs less than the API; None where it never does."""
    capacity_per_month: Range
    """Requests that one machine answers in a month at the utilisation that was assumed."""
    pays: str
    """`yes`, `no` or `depends`: whether break-even lies within what one machine can answer."""
    formula: str


def rented(usd_per_device_hour: Range, *, devices: int = 1) -> MachineCost:
    """Return the cost of a machine that is rented all month, energy included."""
    return MachineCost(
        fixed_usd_per_month=usd_per_device_hour.scaled(devices * HOURS_PER_MONTH),
        energy_usd_per_busy_hour=Range(low=0.0, likely=0.0, high=0.0),
        formula=f"{devices} x {usd_per_device_hour.likely:.4g} USD/h x {HOURS_PER_MONTH:.1f} h",
    )


def owned(
    purchase_usd: float, watts: float, *, usd_per_kwh: float, life_months: Range | None = None, devices: int = 1
) -> MachineCost:
    """Return the cost of a machine that was bought.

    Args:
        purchase_usd: Of one device, the rest of its machine included.
        watts: Rated power of one device.
        usd_per_kwh: Price of energy.
        life_months: Over which the purchase is spread (default 24 to 60, likely 36).
        devices: How many.
    """
    life = life_months or Range(low=24.0, likely=36.0, high=60.0)
    return MachineCost(
        fixed_usd_per_month=life.over(purchase_usd * devices),
        energy_usd_per_busy_hour=LOAD_POWER.scaled(watts * devices * OVERHEAD_POWER / 1000 * usd_per_kwh),
        formula=(
            f"{devices} x {purchase_usd:.6g} USD / {life.likely:.0f} months + {watts * devices:.0f} W x "
            f"{OVERHEAD_POWER} x {usd_per_kwh:.3g} USD/kWh while it works"
        ),
    )


def seconds_per_request(
    workload: PaidWorkload, decode_tokens_per_s: Range, prefill_tokens_per_s: Range | None
) -> Range:
    """Return the seconds of machine time that one request takes of its share.

    Args:
        workload: One request.
        decode_tokens_per_s: Of all sequences together, at the batch that is served.
        prefill_tokens_per_s: None leaves the prompts out, which flatters the machine.
    """
    decode = decode_tokens_per_s.over(workload.output_tokens)
    if prefill_tokens_per_s is None:
        return decode
    prefill = prefill_tokens_per_s.over(workload.input_tokens)
    return Range(low=decode.low + prefill.low, likely=decode.likely + prefill.likely, high=decode.high + prefill.high)


def break_even(
    workload: PaidWorkload,
    price: TokenPrice,
    machine: MachineCost,
    *,
    decode_tokens_per_s: Range,
    prefill_tokens_per_s: Range | None = None,
    utilisation: Range = UTILISATION,
) -> BreakEven:
    """Return from which volume a month the machine is cheaper.

    Fixed cost over what each request saves: `fixed / (API price - energy)`. Low takes what favours the machine
    throughout, high what favours the API.

    Args:
        workload: One request.
        price: Of the API.
        machine: Fixed cost and energy.
        decode_tokens_per_s: Of all sequences together.
        prefill_tokens_per_s: Of all sequences together; None leaves prompts out.
        utilisation: Share of the hours in which there is work.
    """
    each = seconds_per_request(workload, decode_tokens_per_s, prefill_tokens_per_s)
    busy = Range(
        low=utilisation.low * HOURS_PER_MONTH * 3600 / each.high,
        likely=utilisation.likely * HOURS_PER_MONTH * 3600 / each.likely,
        high=utilisation.high * HOURS_PER_MONTH * 3600 / each.low,
    )
    energy = Range(
        low=machine.energy_usd_per_busy_hour.low * each.low / 3600,
        likely=machine.energy_usd_per_busy_hour.likely * each.likely / 3600,
        high=machine.energy_usd_per_busy_hour.high * each.high / 3600,
    )
    api = price.per_request(workload)
    volume = _volume(machine.fixed_usd_per_month, api, energy)
    return BreakEven(
        api_usd_per_request=api,
        machine_usd_per_request=Range(
            low=machine.fixed_usd_per_month.low / busy.high + energy.low,
            likely=machine.fixed_usd_per_month.likely / busy.likely + energy.likely,
            high=machine.fixed_usd_per_month.high / busy.low + energy.high,
        ),
        requests_per_month=volume,
        capacity_per_month=busy,
        pays=_pays(volume, busy),
        formula=f"{machine.formula}; each request saves {api:.3g} - {energy.likely:.3g} USD",
    )


def _volume(fixed: Range, api: float, energy: Range) -> Range | None:
    """Return the volume at which both cost the same; infinite at an end where energy alone costs more."""
    if energy.low >= api:
        return None
    ends = [
        cost / (api - spent) if api > spent else float("inf")
        for cost, spent in ((fixed.low, energy.low), (fixed.likely, energy.likely), (fixed.high, energy.high))
    ]
    return Range(low=ends[0], likely=ends[1], high=ends[2])


def _pays(volume: Range | None, capacity: Range) -> str:
    if volume is None or volume.low > capacity.high:
        return "no"
    return "yes" if volume.high <= capacity.low else "depends"


def usd_per_correct_answer(usd_per_request: float, accuracy: float) -> float | None:
    """Return the dollars for each right answer, None where none is right."""
    return None if accuracy <= 0 else usd_per_request / accuracy
