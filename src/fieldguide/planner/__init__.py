"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

from fieldguide.planner._break_even import (
    BreakEven,
    MachineCost,
    TokenPrice,
    Workload,
    break_even,
    owned,
    rented,
    seconds_per_request,
    usd_per_correct_answer,
    usual_utilisation,
)
from fieldguide.planner._ranges import Range
from fieldguide.planner._scaling import (
    ScalingLaw,
    effective_tokens,
    expected_loss,
    scaling_laws,
)
from fieldguide.planner._scaling_fit import TrainingRun, fit_scaling_law, root_mean_square, usable_runs
from fieldguide.planner._speed import decode_speed, prefill_speed
from fieldguide.planner._speed_constants import EngineOnDevice, constants_of
from fieldguide.planner._speed_load import Bound, DecodeLoad, DecodeSpeed, layer_cost_of
from fieldguide.planner._training import (
    Method,
    TrainingMemory,
    adapter_parameters,
    attention_flop,
    device_hours,
    published_utilisation,
    training_cost_usd,
    training_flop,
    training_memory,
)
from fieldguide.planner._training_notes import count_text, training_notes, verdict

__all__ = [
    "Bound",
    "BreakEven",
    "DecodeLoad",
    "DecodeSpeed",
    "EngineOnDevice",
    "MachineCost",
    "Method",
    "Range",
    "ScalingLaw",
    "TokenPrice",
    "TrainingMemory",
    "TrainingRun",
    "Workload",
    "adapter_parameters",
    "attention_flop",
    "break_even",
    "constants_of",
    "count_text",
    "decode_speed",
    "device_hours",
    "effective_tokens",
    "expected_loss",
    "fit_scaling_law",
    "layer_cost_of",
    "owned",
    "prefill_speed",
    "published_utilisation",
    "rented",
    "root_mean_square",
    "scaling_laws",
    "seconds_per_request",
    "training_cost_usd",
    "training_flop",
    "training_memory",
    "training_notes",
    "usable_runs",
    "usd_per_correct_answer",
    "usual_utilisation",
    "verdict",
]
