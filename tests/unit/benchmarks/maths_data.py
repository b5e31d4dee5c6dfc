"""Small data files in the shapes in which GSM8K and MATH-500 are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GSM8K_ROWS: list[dict[str, Any]] = [
    {"question": "2 + 3?", "answer": "2 + 3 = 5\n#### 5"},
    {"question": "A thousand and {1}?", "answer": "#### 1,001"},
    {"question": "Three?", "answer": "#### 3"},
]
MATH_ROWS: list[dict[str, Any]] = [
    {
        "problem": f"Problem {number}?",
        "solution": rf"so $\boxed{{{number}}}$",
        "answer": str(number),
        "subject": "Algebra",
        "level": number,
        "unique_id": f"test/algebra/{number}.json",
    }
    for number in (1, 2, 3)
]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON Lines, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
