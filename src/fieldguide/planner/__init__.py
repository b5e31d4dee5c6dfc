"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

from fieldguide.planner._break_even import (
    UTILISATION,
    BreakEven,
    MachineCost,
    TokenPrice,
    Workload,
    break_even,
    owned,
    rented,
    seconds_per_request,
    usd_per_correct_answer,
)
from fieldguide.planner._ranges import Range
from fieldguide.planner._scaling import (
    BESIROGLU,
    HOFFMANN_PRINTED,
    HOFFMANN_TEX,
    SCALING_LAWS,
    ScalingLaw,
    effective_tokens,
    expected_loss,
)
from fieldguide.planner._scaling_fit import TrainingRun, fit_scaling_law, root_mean_square, usable_runs
from fieldguide.planner._speed import decode_speed, prefill_speed
from fieldguide.planner._speed_constants import EngineOnDevice, constants_of
from fieldguide.planner._speed_load import Bound, DecodeLoad, DecodeSpeed
from fieldguide.planner._training import (
    MODEL_FLOP_UTILISATION,
    Method,
    TrainingMemory,
    adapter_parameters,
    attention_flop,
    device_hours,
    training_cost_usd,
    training_flop,
    training_memory,
)
from fieldguide.planner._training_notes import count_text, training_notes, verdict

__all__ = [
    "BESIROGLU",
    "HOFFMANN_PRINTED",
    "HOFFMANN_TEX",
    "MODEL_FLOP_UTILISATION",
    "SCALING_LAWS",
    "UTILISATION",
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
    "owned",
    "prefill_speed",
    "rented",
    "root_mean_square",
    "seconds_per_request",
    "training_cost_usd",
    "training_flop",
    "training_memory",
    "training_notes",
    "usable_runs",
    "usd_per_correct_answer",
    "verdict",
]
