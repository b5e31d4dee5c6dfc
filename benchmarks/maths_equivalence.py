"""Speed and agreement of the maths equivalence on labelled answers of real models, beside math-verify alone.

    python benchmarks/maths_equivalence.py PAIRS.jsonl[.gz] [--workers N]

A line of the file holds `gold`, `pred`, `label` (1 equal, 0 not) and `labeller`. Every distinct pair is compared once
by each side, math-verify alone in the same killable workers and with the same deadline.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fieldguide.scoring import MathsEquivalence
from fieldguide.scoring._worker import WorkerPool
from fieldguide.scoring.maths import compare_quickly
from fieldguide.sources.jsonl import read_jsonl

Pair = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    rows = [line.value for line in read_jsonl(arguments.pairs)]
    pairs = list(dict.fromkeys((str(row["gold"]), str(row["pred"])) for row in rows))
    quick = timed_quickly(pairs)
    ours, ours_s = ours_alone(arguments.workers, pairs)
    theirs, theirs_s = math_verify_alone(arguments.workers, pairs)
    print(f"{len(rows)} labelled pairs, {len(pairs)} distinct, {arguments.workers} workers")
    print(f"quick steps: {quick:,.0f} pairs/s of processor time")
    for name, seconds in (("ours", ours_s), ("math-verify alone", theirs_s)):
        print(f"{name}: {len(pairs) / seconds:,.0f} distinct pairs/s by the clock, start of the workers left out")
    for labeller in ["all", *sorted({str(row["labeller"]) for row in rows})]:
        chosen = [row for row in rows if labeller in ("all", row["labeller"])]
        labelled = [((str(row["gold"]), str(row["pred"])), bool(row["label"])) for row in chosen]
        print(f"{labeller}: n {len(labelled)}; ours {agreement(labelled, ours)}; alone {agreement(labelled, theirs)}")


def timed_quickly(pairs: list[Pair]) -> float:
    began = time.process_time()
    settled = Counter(compare_quickly(*pair) is not None for pair in pairs)
    seconds = time.process_time() - began
    print(f"settled without algebra: {settled[True] / len(pairs):.1%} of the distinct pairs")
    return len(pairs) / seconds


def ours_alone(workers: int, pairs: list[Pair]) -> tuple[dict[Pair, bool | None], float]:
    equivalence = MathsEquivalence(workers=workers)
    return compared(
        workers, pairs, lambda gold, predicted: equivalence.equivalent(gold, predicted).verdict, equivalence
    )


def math_verify_alone(workers: int, pairs: list[Pair]) -> tuple[dict[Pair, bool | None], float]:
    pool = WorkerPool(size=workers)

    def verdict(gold: str, predicted: str) -> bool | None:
        found = pool.equal(in_dollars(gold), in_dollars(predicted))
        return found if isinstance(found, bool) else None

    return compared(workers, pairs, verdict, pool)


def compared(
    workers: int,
    pairs: list[Pair],
    verdict: Callable[[str, str], bool | None],
    closeable: MathsEquivalence | WorkerPool,
) -> tuple[dict[Pair, bool | None], float]:
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(lambda _: verdict("x+1", "1+x"), range(workers)))
        began = time.monotonic()
        verdicts = dict(zip(pairs, threads.map(lambda pair: verdict(*pair), pairs)))
        seconds = time.monotonic() - began
    closeable.close()
    return verdicts, seconds


def in_dollars(text: str) -> str:
    return text if any(mark in text for mark in ("$", "\\boxed", "\\(", "\\[")) else f"${text}$"


def agreement(labelled: list[tuple[Pair, bool]], verdicts: dict[Pair, bool | None]) -> str:
    found = Counter((verdicts[pair] is True, label) for pair, label in labelled)
    right = found[True, True] + found[False, False]
    return f"{right / len(labelled):.2%} (false positives {found[True, False]}, false negatives {found[False, True]})"


if __name__ == "__main__":
    main()
