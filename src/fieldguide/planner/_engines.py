"""Engines by name and version, and what they hold beside weights and cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fieldguide.domain import Network, Scheme
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.planner._engines_llama_cpp import llama_cpp_terms
from fieldguide.planner._engines_servers import sglang_terms, vllm_terms
from fieldguide.planner._engines_transformers import KIND_438, KIND_446, KIND_LATER, transformers_terms
from fieldguide.planner._kv_cache import DYNAMIC, LLAMA_CPP, VLLM, CacheHabits
from fieldguide.planner._memory_term import MemoryTerm
from fieldguide.planner._weights import Weights
from fieldguide.planner._workload import Workload

Terms = Callable[[Network, Weights, Workload], tuple[MemoryTerm, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine in one kind of version."""

    name: str
    kind: str
    """Versions that behave alike, such as `4.46`."""
    terms: Terms
    """Returns what it holds beside weights and cache."""
    habits: CacheHabits
    fitted_on: str
    residual: str
    """How far off it was on rows it was not fitted on."""


_LLAMA_CPP = Engine(
    name="llama.cpp",
    kind="2025 and later",
    terms=llama_cpp_terms,
    habits=LLAMA_CPP,
    fitted_on="buffers that the engine reported for twelve random shapes on a CPU; docs/planner-memory.md",
    residual="at most 20 MB on the loads of docs/planner-memory.md",
)
_TRANSFORMERS = {
    KIND_438: Engine(
        name="transformers",
        kind="4.38 (before 4.45)",
        terms=transformers_terms(KIND_438),
        habits=DYNAMIC,
        fitted_on="Qwen2-0.5B and 7B, BF16, one A100 (Qwen speed benchmark)",
        residual="docs/planner-memory.md",
    ),
    KIND_446: Engine(
        name="transformers",
        kind="4.46 (4.45 to 4.47)",
        terms=transformers_terms(KIND_446),
        habits=DYNAMIC,
        fitted_on="Qwen2.5-0.5B and 7B, BF16, one A100 (Qwen speed benchmark)",
        residual="docs/planner-memory.md",
    ),
    KIND_LATER: Engine(
        name="transformers",
        kind="4.48 and later",
        terms=transformers_terms(KIND_LATER),
        habits=DYNAMIC,
        fitted_on="Qwen3-0.6B and 1.7B, BF16, one H20, transformers 4.51.3 (Qwen3 speed benchmark)",
        residual="docs/planner-memory.md",
    ),
}
_VLLM = Engine(
    name="vllm",
    kind="0.6 and later",
    terms=vllm_terms,
    habits=VLLM,
    fitted_on="nothing: by what is known of its code, as it takes all memory it is allowed to",
    residual="not measured",
)
_SGLANG = Engine(
    name="sglang",
    kind="0.4 and later",
    terms=sglang_terms,
    habits=CacheHabits(windows=False),
    fitted_on="nothing: by what is known of its code, as it takes all memory it is allowed to",
    residual="not measured",
)
_NAMES = ("llama.cpp", "vllm", "transformers", "sglang")
_OTHER_NAMES: Mapping[str, str] = {"llamacpp": "llama.cpp", "llama-cpp": "llama.cpp", "hf": "transformers"}


_NOT_BY_LLAMA_CPP: frozenset[Scheme] = frozenset({"whisper", "mllama", "codegen"})
"""Schemes that llama.cpp has no code for (`src/llama-arch.cpp`)."""


def llama_cpp_runs(network: Network) -> bool:
    """Return whether llama.cpp runs a network; one of an unknown scheme comes from a file of its own."""
    return network.scheme not in _NOT_BY_LLAMA_CPP


def engine_named(name: str) -> Engine:
    """Return the engine that `name[@version]` means.

    Raises:
        UnknownNameError: There is no such engine.
        UsageError: The version is not a number such as 4.46.
    """
    bare, _, version = name.strip().lower().partition("@")
    bare = _OTHER_NAMES.get(bare, bare)
    if bare == "transformers":
        return _TRANSFORMERS[_transformers_kind(version)]
    for engine in (_LLAMA_CPP, _VLLM, _SGLANG):
        if engine.name == bare:
            return engine
    raise UnknownNameError("engine", name, [], hint=f"Known: {', '.join(_NAMES)}, each also as NAME@VERSION.")


def _transformers_kind(version: str) -> str:
    if not version:
        return KIND_LATER
    parts = version.lstrip("v").split(".")
    if not all(part[:1].isdigit() for part in parts[:2]):
        raise UsageError(f"{version!r} is no version of transformers.", hint="Write one such as transformers@4.46.")
    numbers = [int("".join(digit for digit in part if digit.isdigit())) for part in parts[:2]]
    major, minor = numbers[0], numbers[1] if len(numbers) > 1 else 0
    if (major, minor) < (4, 45):
        return KIND_438
    return KIND_446 if (major, minor) < (4, 48) else KIND_LATER
