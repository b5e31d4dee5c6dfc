"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

from fieldguide.planner._ranges import Range
from fieldguide.planner._scaling import BESIROGLU, HOFFMANN_PRINTED, HOFFMANN_TEX, SCALING_LAWS, ScalingLaw, effective_tokens, expected_loss
from fieldguide.planner._scaling_fit import TrainingRun, fit_scaling_law, root_mean_square, usable_runs
from fieldguide.planner._speed import Bound, DecodeLoad, DecodeSpeed, decode_speed, prefill_speed
from fieldguide.planner._speed_constants import EngineOnDevice, constants_of
from fieldguide.planner._training import MODEL_FLOP_UTILISATION, Method, TrainingMemory, adapter_parameters, attention_flop, device_hours, training_cost_usd, training_flop, training_memory
from fieldguide.planner._training_notes import training_notes, verdict

__all__ = [
    "BESIROGLU",
    "HOFFMANN_PRINTED",
    "HOFFMANN_TEX",
    "MODEL_FLOP_UTILISATION",
    "SCALING_LAWS",
    "Bound",
    "DecodeLoad",
    "DecodeSpeed",
    "EngineOnDevice",
    "Method",
    "Range",
    "ScalingLaw",
    "TrainingMemory",
    "TrainingRun",
    "adapter_parameters",
    "attention_flop",
    "constants_of",
    "decode_speed",
    "device_hours",
    "effective_tokens",
    "expected_loss",
    "fit_scaling_law",
    "prefill_speed",
    "root_mean_square",
    "training_cost_usd",
    "training_flop",
    "training_memory",
    "training_notes",
    "usable_runs",
    "verdict",
]
