"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

from fieldguide.planner._block_types import block_of, block_type, row_bytes
from fieldguide.planner._engines import Engine, engine_named
from fieldguide.planner._gguf_sizes import gguf_type, gguf_types
from fieldguide.planner._kv_cache import CacheHabits, bytes_per_token, kv_cache_bytes
from fieldguide.planner._memory import Adapter, MemoryPlan, memory_plan
from fieldguide.planner._memory_term import MemoryTerm
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
    "CacheHabits",
    "Engine",
    "MemoryPlan",
    "MemoryTerm",
    "Weights",
    "Workload",
    "active_bytes",
    "block_of",
    "block_type",
    "bytes_per_token",
    "engine_named",
    "gguf_type",
    "gguf_types",
    "is_gguf",
    "kv_cache_bytes",
    "memory_plan",
    "quantization_named",
    "quantization_names",
    "row_bytes",
    "weights_of",
]
