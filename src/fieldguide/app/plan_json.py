"""A plan for programs. Unknown is null and never 0."""

from __future__ import annotations

from typing import Any

from fieldguide.app.fit import Fit
from fieldguide.app.plan import Plan
from fieldguide.app.plan_images import images_json
from fieldguide.domain import Hardware, first
from fieldguide.planner import MemoryTerm, Range

_FITS = {"yes": True, "no": False, "borderline": None}


def plan_json(made: Plan) -> dict[str, Any]:
    """Return a plan; `fits` is null where no hardware was named or the range crosses its memory (`fit.verdict`)."""
    memory, speed = made.memory, made.speed
    network = memory.network
    return {
        "model": network.name,
        "parameters": network.parameters,
        "active_parameters": network.active_parameters,
        "quantization": memory.weights_in.quantization,
        "bits_per_weight": round(memory.weights_in.bits_per_weight(network.parameters), 4),
        "context_tokens": memory.work.context_tokens,
        "model_context_tokens": network.context_tokens,
        "prompt_tokens": memory.work.prompt_tokens,
        "sequences": memory.work.sequences,
        "kv_dtype": memory.work.kv_type,
        "devices": memory.work.devices,
        "engine": {
            "name": memory.engine.name,
            "version": memory.engine.kind,
            "fitted_on": memory.engine.fitted_on,
            "residual": memory.engine.residual,
        },
        "weights_bytes": memory.weights.bytes,
        "kv_cache_bytes": memory.kv_cache.bytes,
        "engine_bytes": memory.engine_bytes,
        "total_bytes": memory.total_bytes,
        "total_low_bytes": memory.total_low_bytes,
        "total_high_bytes": memory.total_high_bytes,
        "per_device_bytes": memory.per_device_bytes if made.fit is None else made.fit.need_bytes,
        "terms": [_term_json(each) for each in memory.terms],
        "images": images_json(made.images, made.image_load),
        "hardware": None if made.hardware is None else made.hardware.name,
        "hardware_facts": None if made.hardware is None else hardware_json(made.hardware),
        "fits": None if made.fit is None else _FITS[made.fit.verdict],
        "fit": None if made.fit is None else fit_json(made.fit),
        "decode_tokens_per_s": range_json(speed.decode),
        "decode_together_tokens_per_s": range_json(speed.decode_together),
        "prefill_tokens_per_s": range_json(speed.prefill),
        "speed": {
            "formula": speed.formula,
            "bound": speed.bound,
            "measured_run": None if speed.measured is None else speed.measured.run_id,
            "estimated_decode_tokens_per_s": range_json(speed.estimated),
        },
        "sources": list(made.sources),
        "notes": list(made.notes),
    }


def fit_json(fit: Fit) -> dict[str, Any]:
    """Return whether it fits and what would, per device."""
    return {
        "verdict": fit.verdict,
        "need_bytes": fit.need_bytes,
        "need_low_bytes": fit.need_low_bytes,
        "need_high_bytes": fit.need_high_bytes,
        "device_bytes": round(fit.room.device_bytes),
        "room_low_bytes": round(fit.room.low_bytes),
        "room_high_bytes": round(fit.room.high_bytes),
        "room": fit.room.formula,
        "largest_quantization": fit.largest_quantization,
        "largest_context_tokens": fit.largest_context,
        "give_up": [
            {"what": each.what, "saves_bytes": each.saves_bytes, "total_bytes": each.total_bytes, "fits": each.fits}
            for each in fit.changes
        ],
        "partial_offload": fit.offload,
    }


def hardware_json(found: Hardware) -> dict[str, Any]:
    """Return what is known of hardware; prices are of one device for an hour."""
    listed = found.list_prices
    return {
        "device": found.device.name,
        "count": found.count,
        "memory_bytes": found.memory_bytes,
        "bandwidth_bytes_per_s": found.bandwidth_bytes_per_s,
        "bf16_flops_per_s": found.bf16_flops_per_s,
        "tdp_watts": first(found.device.tdp_watts),
        "measured_on": None if found.measured is None else found.measured.measured_on.isoformat(),
        "prices": [
            {
                "usd_per_device_hour": price.usd_per_device_hour,
                "vendor": price.vendor,
                "instance": price.instance,
                "as_of": price.as_of.isoformat(),
                "source": price.source,
            }
            for price in listed
        ],
    }


def range_json(value: Range | None) -> dict[str, float] | None:
    """Return the three figures of a range."""
    return None if value is None else value.as_json()


def _term_json(each: MemoryTerm) -> dict[str, Any]:
    return {
        "name": each.name,
        "bytes": each.bytes,
        "low_bytes": each.low_bytes,
        "high_bytes": each.high_bytes,
        "formula": each.formula,
        "inputs": dict(each.inputs),
        "source": each.source,
    }
