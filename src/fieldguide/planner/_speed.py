"""How fast a model generates and reads prompts: decoding bound by bandwidth, prompts bound by arithmetic."""

from __future__ import annotations

import math

from fieldguide.domain import Hardware
from fieldguide.planner._ranges import Range
from fieldguide.planner._speed_constants import EngineOnDevice, constants_of, same_engine
from fieldguide.planner._speed_load import Bound, DecodeLoad, DecodeSpeed, MatrixLoad
from fieldguide.planner._speed_measured import measured_decode, measured_prefill, unknown_matrices

_SPLIT_LOSS = 0.9
"""Of the aggregate bandwidth, what is left at each doubling of devices that share every tensor: 0.64 and 0.55 of the
roofline at 2 and 4 A100 with vLLM 0.6, where one reaches 0.75."""
_STAGE_LOSS = 0.02
"""Time that each further device adds where devices take turns."""
_ARITHMETIC = Range(low=0.25, likely=0.4, high=0.6)
"""Share of the dense 16-bit peak that a batch of decoding steps reaches."""


def decode_speed(
    load: DecodeLoad, hardware: Hardware, *, engine: str = "llama.cpp", sequences: int = 1
) -> DecodeSpeed | None:
    """Return the speed of generation, None where the hardware's bandwidth is unknown.

    Args:
        load: What a step moves; see `DecodeLoad`.
        hardware: Where; with several devices, split as the engine does it.
        engine: Such as `llama.cpp` or `vllm@0.6.3`; one that was never measured gets a wide range.
        sequences: Answered at once (count, > 0).

    References:
        Pope et al. 2022, arXiv:2211.05102, section 2, on what bounds decoding.
    """
    if hardware.measured is not None and same_engine(engine, hardware.measured.engine):
        return measured_decode(load, hardware.measured, sequences=sequences)
    bandwidth = hardware.bandwidth_bytes_per_s
    if bandwidth is None:
        return None
    constants = constants_of(engine, hardware.device.kind)
    slow, likely, fast = (
        _step(load, hardware, constants, bandwidth, sequences, end) for end in ("low", "likely", "high")
    )
    step = Range(low=sum(fast), likely=sum(likely), high=sum(slow))
    names: tuple[Bound, ...] = ("fixed cost", "bandwidth", "arithmetic")
    return DecodeSpeed(
        tokens_per_s=step.over(1.0),
        total_tokens_per_s=step.over(float(sequences)),
        bound=names[max(range(3), key=lambda place: likely[place])],
        formula=_formula(load, constants, bandwidth, hardware, sequences),
        source=constants.fitted_on,
    )


def _step(
    load: DecodeLoad, hardware: Hardware, constants: EngineOnDevice, bandwidth: float, sequences: int, end: str
) -> tuple[float, float, float]:
    """Return the seconds of one step that are fixed, that move bytes, and that arithmetic takes beyond those."""
    per_layer: float = getattr(constants.layer_s, _other(end))
    if load.experts:
        per_layer += getattr(constants.experts_s, _other(end))
    read: float = getattr(constants.quantized if load.quantized else constants.whole, end)
    cached: float = getattr(constants.cache, end)
    speedup = _speedup(constants, hardware.count)
    fixed = load.layer_count() * load.layer_cost * per_layer
    weights = load.streamed_bytes(sequences) / (read * bandwidth * speedup)
    cache = sequences * load.kv_bytes / (cached * bandwidth * speedup)
    if constants.copies_cache:
        fixed, cache = max(fixed, cache), 0.0
    return fixed, weights + cache, max(0.0, _arithmetic(load, hardware, sequences, end, speedup) - weights)


def _arithmetic(load: DecodeLoad, hardware: Hardware, sequences: int, end: str, speedup: float) -> float:
    """Return the seconds that multiplying takes; one sequence never waits for it on the hardware we know."""
    peak = hardware.bf16_flops_per_s
    if peak is None or sequences == 1:
        return 0.0
    share: float = getattr(_ARITHMETIC, end)
    return 2 * load.active_parameters * sequences / (share * peak * speedup)


def _speedup(constants: EngineOnDevice, devices: int) -> float:
    """Return how many times one device's rate several reach."""
    if constants.splits == "tensors":
        return float(devices * _SPLIT_LOSS ** math.log2(devices))
    return 1 / (1 + _STAGE_LOSS * (devices - 1))


def _other(end: str) -> str:
    return {"low": "high", "high": "low"}.get(end, end)


def _formula(load: DecodeLoad, constants: EngineOnDevice, bandwidth: float, hardware: Hardware, sequences: int) -> str:
    read = constants.quantized if load.quantized else constants.whole
    per_layer = load.layer_cost * (constants.layer_s.likely + (constants.experts_s.likely if load.experts else 0.0))
    return (
        f"step = {load.layer_count():.0f} layers x {per_layer * 1e6:.0f} us + "
        f"{load.streamed_bytes(sequences) / 1e9:.2f} GB / ({read.likely:.2f} x {bandwidth / 1e9:.0f} GB/s)"
        f" + {sequences} x {load.kv_bytes / 1e9:.3f} GB / ({constants.cache.likely:.2f} x {bandwidth / 1e9:.0f} GB/s)"
        + (f", {hardware.count} devices by {constants.splits}" if hardware.count > 1 else "")
    )


def prefill_speed(
    active_parameters: float,
    hardware: Hardware,
    *,
    engine: str = "llama.cpp",
    prompt_tokens: int = 512,
    hidden: int | None = None,
    layers: int | None = None,
    matrices: tuple[MatrixLoad, ...] = (),
    attended_numbers: float = 0.0,
) -> Range | None:
    """Return the tokens per second at which a prompt is read, None where the hardware's peak is unknown.

    A token takes 2 FLOP per active parameter, and attention to half the prompt before it 4 x layers x hidden more per
    token looked at.

    Args:
        active_parameters: That one token passes; embedding and head left out, since only the last token needs them.
        hardware: Where.
        engine: As in `decode_speed`.
        prompt_tokens: Length of the prompt (tokens).
        hidden: Width of the model; without it and `layers` the attention is left out.
        layers: Of the decoder.
        matrices: What a step passes; a measured machine counts these, by type, in place of the parameters.
        attended_numbers: See `attended_in_prompt`; counted on a measured machine.
    """
    if hardware.measured is not None and same_engine(engine, hardware.measured.engine):
        passed = matrices or unknown_matrices(active_parameters, 16.0)
        return measured_prefill(passed, attended_numbers, prompt_tokens, hardware.measured)
    peak = hardware.bf16_flops_per_s
    if peak is None:
        return None
    attention = 4 * (layers or 0) * (hidden or 0) * prompt_tokens / 2
    constants = constants_of(engine, hardware.device.kind)
    speedup = _speedup(constants, hardware.count)
    return constants.prefill.scaled(peak * speedup / (2 * active_parameters + attention))
