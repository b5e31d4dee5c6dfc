"""Speed on a machine on which the engine itself was timed, with models of known shape."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from fieldguide.domain import EngineMeasurement
from fieldguide.planner._ranges import Range
from fieldguide.planner._speed_load import DecodeLoad, DecodeSpeed

_SPREAD = Range(low=0.75, likely=1.0, high=1.25)
"""Of the measured speed: what shapes and types other than the timed ones make of it."""
_CACHE_SHARE = 0.5
"""Of the rate at which memory is copied, what reading keys and values reaches (as on the CPUs of our constants)."""


def measured_decode(load: DecodeLoad, measured: EngineMeasurement, *, sequences: int = 1) -> DecodeSpeed:
    """Return the speed of generation from the time that each layer and each weight took.

    Several sequences share the reading of weights but not the arithmetic, which is what a processor waits for: each
    further one is taken to cost what a prompt's token does.
    """
    bits = 8 * load.weights_bytes / load.active_parameters
    layer_s = load.layer_cost * measured.layer_s
    fixed = load.layer_count() * layer_s
    choosing = sequences * (load.vocabulary or 0) * measured.logit_s
    per_weight = interpolated(measured.decode_s_per_weight, bits)
    weights = load.active_parameters * per_weight
    flops = interpolated(measured.prefill_flops_per_s, bits)
    further = (sequences - 1) * min(2 * load.active_parameters / flops, weights)
    cache = sequences * load.kv_bytes / (_CACHE_SHARE * measured.copy_bytes_per_s)
    step = fixed + choosing + weights + further + cache
    return DecodeSpeed(
        tokens_per_s=_SPREAD.scaled(1 / step),
        total_tokens_per_s=_SPREAD.scaled(sequences / step),
        bound="fixed cost" if fixed > weights + cache else "bandwidth",
        formula=(
            f"step = {load.layer_count():.0f} layers x {layer_s * 1e6:.0f} us + "
            f"{load.active_parameters / 1e6:.0f}e6 weights of {bits:.2f} bits x {per_weight * 1e9:.3f} ns"
            f" + {load.vocabulary or 0} logits x {measured.logit_s * 1e9:.1f} ns"
        ),
        source=f"measured here on {measured.measured_on} with {measured.engine} {measured.version}",
    )


def measured_prefill(flop_per_token: float, bits: float, measured: EngineMeasurement) -> Range:
    """Return the tokens of a prompt per second."""
    return _SPREAD.scaled(interpolated(measured.prefill_flops_per_s, bits) / flop_per_token)


def interpolated(points: Sequence[tuple[float, float]], at: float) -> float:
    """Return the value at a place between known ones (sorted), and the nearest known beyond them."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in itertools.pairwise(points):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return points[-1][1]
