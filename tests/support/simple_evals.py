"""Recorded answers of the shared data in the form that `recorded:` reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from tests.support.shared import shared


def read_gz(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_recorded_math(model: str, item_ids: dict[str, str], out: Path) -> list[dict[str, Any]]:
    """Write a model's MATH answers as recorded answers and return the rows they come from.

    Args:
        model: File stem in `simple_evals_ru/math`.
        item_ids: Item id of each problem text.
        out: File to write.
    """
    folder = shared("benchmarks", "answers", "simple_evals_ru")
    problems = {row["id"]: row["problem"] for row in read_gz(folder / "benches_math.jsonl.gz")}
    rows = read_gz(folder / "math" / f"{model}.jsonl.gz")
    with out.open("w", encoding="utf-8") as file:
        for row in rows:
            usage = {"input_tokens": row["usage"]["prompt_tokens"], "output_tokens": row["usage"]["completion_tokens"]}
            line = {
                "item": item_ids[problems[row["id"]]],
                "attempt": 0,
                "completion": row["answer"],
                "finish_reason": "stop",
                "usage": usage,
            }
            file.write(json.dumps(line) + "\n")
    return rows
