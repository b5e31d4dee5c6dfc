"""Memory that Qwen published per prompt length, with the network, engine and workload of each row.

Qwen2 and Qwen2.5 come from the shared facts. The rows of Qwen3 (H20, transformers 4.51.3, in MiB) are read from
QwenLM/Qwen2.5@ac727245:docs/source/getting_started/speed_benchmark.md; prompts of 1, 6144, 14336 and 30720 tokens, and
2048 that are generated.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

from fieldguide.domain import Network, network_of
from fieldguide.planner import MemoryPlan, Workload, engine_named, memory_plan
from tests.reference.test_parameter_counts import _rows as shape_rows
from tests.reference.test_parameter_counts import _shape
from tests.support.shared import shared

GIB, MIB = 2**30, 2**20
_GENERATED = 2048
_LONGEST = 32_768
_PROMPTS = (1, 6144, 14336, 30720)
FITTED_ON = frozenset(
    [("Qwen2-0.5B-Instruct", "BF16"), ("Qwen2-7B-Instruct", "BF16")]
    + [("Qwen2.5-0.5B-Instruct", quantization) for quantization in ("BF16", "AWQ")]
    + [("Qwen2.5-7B-Instruct", quantization) for quantization in ("BF16", "GPTQ-Int4")]
    + [("Qwen3-0.6B", "BF16"), ("Qwen3-0.6B", "FP8"), ("Qwen3-1.7B", "BF16"), ("Qwen3-4B", "AWQ-INT4")]
)
"""Series from which a constant or the presence of a mechanism was taken."""

_QWEN3: dict[tuple[str, str], tuple[int, int, int, int]] = {
    ("Qwen3-0.6B", "BF16"): (1394, 2066, 2963, 4755),
    ("Qwen3-0.6B", "FP8"): (1217, 1943, 2839, 4632),
    ("Qwen3-0.6B", "GPTQ-Int8"): (986, 1658, 2554, 4347),
    ("Qwen3-1.7B", "BF16"): (3412, 4213, 5109, 6902),
    ("Qwen3-1.7B", "FP8"): (2726, 3462, 4359, 6151),
    ("Qwen3-1.7B", "GPTQ-Int8"): (2229, 2901, 3798, 5590),
    ("Qwen3-4B", "BF16"): (7973, 8860, 10012, 12317),
    ("Qwen3-4B", "FP8"): (5281, 6144, 7297, 9611),
    ("Qwen3-4B", "AWQ-INT4"): (2915, 3881, 5151, 7742),
    ("Qwen3-8B", "BF16"): (15947, 16811, 17963, 20267),
    ("Qwen3-8B", "FP8"): (9323, 10187, 11340, 13644),
    ("Qwen3-8B", "AWQ-INT4"): (6177, 7113, 8409, 11001),
    ("Qwen3-14B", "BF16"): (28402, 29495, 30775, 33336),
    ("Qwen3-14B", "FP8"): (16012, 16972, 18253, 20813),
    ("Qwen3-14B", "AWQ-INT4"): (9962, 11020, 12438, 15323),
    ("Qwen3-32B", "BF16"): (62751, 64583, 66632, 70728),
    ("Qwen3-32B", "FP8"): (33379, 34915, 36963, 41060),
    ("Qwen3-32B", "AWQ-INT4"): (19109, 20795, 23105, 27718),
    ("Qwen3-30B-A3B", "BF16"): (58462, 59037, 59806, 61342),
    ("Qwen3-30B-A3B", "FP8"): (30296, 30872, 31641, 33177),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One row of a published table."""

    model: str
    quantization: str
    prompt_tokens: int
    devices: int
    measured_bytes: float
    engine: str
    network: Network

    @property
    def fitted(self) -> bool:
        """Whether its series gave a constant or showed a mechanism."""
        return (self.model, self.quantization) in FITTED_ON

    def plan(self) -> MemoryPlan:
        """Return our plan for it."""
        tokens = self.prompt_tokens + _GENERATED
        work = Workload(context_tokens=tokens, answer_tokens=_GENERATED, devices=self.devices)
        return memory_plan(self.network, self.quantization, engine_named(self.engine), work)

    @property
    def error(self) -> float:
        """Return (estimate - measured) / measured."""
        return self.plan().total_bytes / self.measured_bytes - 1


@functools.cache
def published() -> list[Published]:
    """Return every row with a memory figure; skips the test where the shared facts are not there."""
    path = shared("facts", "bench", "qwen_speed_benchmark.csv")
    shapes = {row["model"].partition("/")[2]: _shape(row) for row in shape_rows() if row["num_hidden_layers"]}
    networks: dict[str, Network] = {}

    def network(model: str) -> Network:
        shape = shapes[model.removesuffix("-Instruct").replace("Qwen2-", "Qwen2.5-")]  # Qwen2.5 kept Qwen2's shapes
        if model not in networks:
            networks[model] = network_of(shape, name=model, source="architectures.csv", context_tokens=_LONGEST)
        return networks[model]

    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["gpu_mem_gb"]]
    found = [
        Published(
            model=row["model"],
            quantization=row["quant"],
            prompt_tokens=int(row["input_len"]),
            devices=int(row["gpu_num"]),
            measured_bytes=float(row["gpu_mem_gb"]) * GIB,
            engine="transformers@4.38" if row["series"] == "Qwen2" else "transformers@4.46",
            network=network(row["model"]),
        )
        for row in rows
        if row["series"] in {"Qwen2", "Qwen2.5"}
    ]
    for (model, quantization), sizes in _QWEN3.items():
        for prompt, size in zip(_PROMPTS, sizes, strict=True):
            found.append(
                Published(
                    model=model,
                    quantization=quantization,
                    prompt_tokens=prompt,
                    devices=1,
                    measured_bytes=float(size) * MIB,
                    engine="transformers@4.51",
                    network=network(model),
                )
            )
    return found
