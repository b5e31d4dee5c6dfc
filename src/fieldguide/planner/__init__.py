"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

from fieldguide.planner._block_types import block_of, block_type, row_bytes
from fieldguide.planner._break_even import (
    BreakEven,
    MachineCost,
    PaidWorkload,
    TokenPrice,
    break_even,
    hours_per_month,
    owned,
    rented,
    seconds_per_request,
    usd_per_correct_answer,
    usual_utilisation,
)
from fieldguide.planner._engines import Engine, engine_named, llama_cpp_runs
from fieldguide.planner._gguf_sizes import gguf_type, gguf_types
from fieldguide.planner._image_tokens import ImageTokens, image_tokens, rule_in_engine
from fieldguide.planner._images import ImageLoad, image_encoder_term, image_load, with_images
from fieldguide.planner._kv_cache import CacheHabits, bytes_per_token, kv_cache_bytes
from fieldguide.planner._load_of_network import attended_in_prompt, load_of, prompt_parameters
from fieldguide.planner._memory import Adapter, MemoryPlan, memory_plan
from fieldguide.planner._memory_term import MemoryTerm
from fieldguide.planner._projector import Projector, projector_terms
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
from fieldguide.planner._speed_load import Bound, DecodeLoad, DecodeSpeed, MatrixLoad, layer_cost_of
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
from fieldguide.planner._weights import (
    Weights,
    active_bytes,
    is_gguf,
    quantization_named,
    quantization_names,
    weights_of,
)
from fieldguide.planner._workload import Workload

__all__ = [
    "Adapter",
    "Bound",
    "BreakEven",
    "CacheHabits",
    "DecodeLoad",
    "DecodeSpeed",
    "Engine",
    "EngineOnDevice",
    "ImageLoad",
    "ImageTokens",
    "MachineCost",
    "MatrixLoad",
    "MemoryPlan",
    "MemoryTerm",
    "Method",
    "PaidWorkload",
    "Projector",
    "Range",
    "ScalingLaw",
    "TokenPrice",
    "TrainingMemory",
    "TrainingRun",
    "Weights",
    "Workload",
    "active_bytes",
    "adapter_parameters",
    "attended_in_prompt",
    "attention_flop",
    "block_of",
    "block_type",
    "break_even",
    "bytes_per_token",
    "constants_of",
    "count_text",
    "decode_speed",
    "device_hours",
    "effective_tokens",
    "engine_named",
    "expected_loss",
    "fit_scaling_law",
    "gguf_type",
    "gguf_types",
    "hours_per_month",
    "image_encoder_term",
    "image_load",
    "image_tokens",
    "is_gguf",
    "kv_cache_bytes",
    "layer_cost_of",
    "llama_cpp_runs",
    "load_of",
    "memory_plan",
    "owned",
    "prefill_speed",
    "projector_terms",
    "prompt_parameters",
    "published_utilisation",
    "quantization_named",
    "quantization_names",
    "rented",
    "root_mean_square",
    "row_bytes",
    "rule_in_engine",
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
    "weights_of",
    "with_images",
]
