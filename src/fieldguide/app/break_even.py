"""`cost --against HARDWARE`: an API's price beside a machine that is rented or bought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fieldguide.app.hardware import hardware, price_dates, sources_of
from fieldguide.app.wiring import House
from fieldguide.domain import Hardware, first
from fieldguide.errors import UsageError
from fieldguide.planner import (
    BreakEven,
    DecodeLoad,
    MachineCost,
    PaidWorkload,
    Range,
    TokenPrice,
    break_even,
    decode_speed,
    owned,
    prefill_speed,
    rented,
    usd_per_correct_answer,
    usual_utilisation,
)
from fieldguide.reporting import Curves, Line

_STEPS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstRequest:
    """What is compared; `load` is the model that the machine would run."""

    on: str
    workload: PaidWorkload
    price: TokenPrice
    load: DecodeLoad
    prompt_parameters: float | None = None
    """Weights that each token of a prompt passes; None takes those of a step."""
    engine: str = "vllm"
    sequences: int = 16
    """Answered at once."""
    utilisation: Range = field(default_factory=usual_utilisation)
    purchase_usd: float | None = None
    """Of one device; None rents at list prices."""
    usd_per_kwh: float = 0.15
    usd_per_device_hour: float | None = None
    """A price of one's own for renting."""
    accuracy: float | None = None
    """Of the API's model, a fraction."""
    own_accuracy: float | None = None
    """Of the model on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The comparison with everything it rests on."""

    hardware: Hardware
    machine: MachineCost
    result: BreakEven
    decode_tokens_per_s: Range
    prefill_tokens_per_s: Range | None
    request: AgainstRequest
    notes: tuple[str, ...]
    sources: tuple[str, ...]


def compare_costs(house: House, request: AgainstRequest) -> Against:
    """Return the comparison.

    Raises:
        UsageError: The machine's price, power or bandwidth is not known, or the name fits several.
        UnknownNameError: There is no such hardware.
    """
    found = hardware(request.on, house)
    speed = decode_speed(request.load, found, engine=request.engine, sequences=request.sequences)
    if speed is None:
        raise UsageError(f"The memory bandwidth of {found.name} is not known here.", hint="Choose other hardware.")
    prompts = prefill_speed(
        request.prompt_parameters or request.load.active_parameters,
        found,
        engine=request.engine,
        prompt_tokens=max(1, round(request.workload.input_tokens)),
        matrices=request.load.matrices,
    )
    machine = _machine(found, request)
    result = break_even(
        request.workload,
        request.price,
        machine,
        decode_tokens_per_s=speed.total_tokens_per_s,
        prefill_tokens_per_s=prompts,
        utilisation=request.utilisation,
    )
    return Against(
        hardware=found,
        machine=machine,
        result=result,
        decode_tokens_per_s=speed.total_tokens_per_s,
        prefill_tokens_per_s=prompts,
        request=request,
        notes=tuple(_notes(found, request, prompts)),
        sources=(*sources_of(found), speed.source),
    )


def _machine(found: Hardware, request: AgainstRequest) -> MachineCost:
    if request.purchase_usd is not None:
        watts = first(found.device.tdp_watts)
        if watts is None:
            raise UsageError(f"The power of {found.device.name} is not known here.", hint="Compare with renting it.")
        return owned(request.purchase_usd, watts, usd_per_kwh=request.usd_per_kwh, devices=found.count)
    if (own := request.usd_per_device_hour) is not None:
        return rented(Range(low=own, likely=own, high=own), devices=found.count)
    prices = sorted(price.usd_per_device_hour for price in found.list_prices)
    if not prices:
        raise UsageError(f"No price of {found.name} is known here.", hint="Give --usd-per-hour or --purchase-usd.")
    return rented(Range(low=prices[0], likely=prices[len(prices) // 2], high=prices[-1]), devices=found.count)


def _notes(found: Hardware, request: AgainstRequest, prompts: Range | None) -> list[str]:
    use = request.utilisation
    notes = [
        f"{request.sequences} requests at once, {use.low:.0%} to {use.high:.0%} of the hours busy (assumed).",
        "A machine that waits costs as much as one that works.",
        "Staff, network, spare machines and the time until it runs are not counted.",
    ]
    if prompts is None:
        notes.append(f"The peak of {found.device.name} is not known, so reading prompts is left out: it flatters it.")
    if request.purchase_usd is None and request.usd_per_device_hour is None:
        prices = found.list_prices
        notes.append(f"{len(prices)} list prices, {price_dates(prices)}; spot prices left out.")
    return notes


def against_json(against: Against) -> dict[str, Any]:
    """Return the comparison as JSON; volumes are requests a month."""
    result, request = against.result, against.request
    return {
        "hardware": against.hardware.name,
        "api_usd_per_request": result.api_usd_per_request,
        "machine_usd_per_request": _json(result.machine_usd_per_request),
        "machine_usd_per_month": _json(against.machine.fixed_usd_per_month),
        "break_even_requests_per_month": _json(result.requests_per_month),
        "capacity_requests_per_month": _json(result.capacity_per_month),
        "pays": result.pays,
        "usd_per_correct_answer": usd_per_right_answer(against),
        "accuracy": {"api": request.accuracy, "machine": request.own_accuracy},
        "utilisation": request.utilisation.as_json(),
        "requests_at_once": request.sequences,
        "engine": request.engine,
        "decode_tokens_per_s": _json(against.decode_tokens_per_s),
        "prefill_tokens_per_s": _json(against.prefill_tokens_per_s),
        "formula": result.formula,
        "notes": list(against.notes),
        "sources": list(against.sources),
    }


def usd_per_right_answer(against: Against) -> dict[str, float | None]:
    """Return the dollars for each right answer of the API and of the machine; None where no accuracy is at hand."""
    result, request = against.result, against.request
    right: dict[str, float | None] = {"api": None, "machine": None}
    if request.accuracy is not None:
        right["api"] = usd_per_correct_answer(result.api_usd_per_request, request.accuracy)
    if request.own_accuracy is not None:
        right["machine"] = usd_per_correct_answer(result.machine_usd_per_request.likely, request.own_accuracy)
    return right


def _json(value: Range | None) -> dict[str, float | None] | None:
    """Return a range; an end that is never reached is None."""
    if value is None:
        return None
    return {end: figure if figure < float("inf") else None for end, figure in value.as_json().items()}


def against_figure(against: Against) -> Curves:
    """Return monthly cost against requests a month, of the API and of one machine up to what it can answer."""
    result = against.result
    middle = result.capacity_per_month.likely
    volumes = [middle * 10 ** (3 * step / (_STEPS - 1) - 2) for step in range(_STEPS)]
    fixed = against.machine.fixed_usd_per_month
    energy = _energy(against)
    able = [volume for volume in volumes if volume <= result.capacity_per_month.high]
    volume = result.requests_per_month
    marks = () if volume is None or volume.likely > volumes[-1] else ((max(volume.likely, volumes[0]), "break-even"),)
    return Curves(
        title=f"An API against {against.hardware.name}",
        description="US dollars a month; the machine's line ends where it can answer no more, its band is its price.",
        x_title="requests a month",
        y_title="USD a month",
        log_y=True,
        lines=(
            Line(name="API", points=tuple((each, each * result.api_usd_per_request) for each in volumes)),
            Line(
                name=against.hardware.name,
                points=tuple((each, fixed.likely + each * energy) for each in able),
                band=tuple((each, fixed.low + each * energy, fixed.high + each * energy) for each in able),
            ),
        ),
        marks=marks,
    )


def _energy(against: Against) -> float:
    """Return the likely dollars of energy for one request."""
    result = against.result
    fixed = against.machine.fixed_usd_per_month.likely / result.capacity_per_month.likely
    return result.machine_usd_per_request.likely - fixed
