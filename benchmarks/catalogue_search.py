"""How search grows: queries over 1,000, 10,000 and 100,000 generated models.

.venv/bin/python benchmarks/catalogue_search.py
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from functools import partial

from fieldguide.catalogue import Query, SearchIndex, SearchRecord

_STEMS = ["qwen", "llama", "gemma", "mistral", "falcon", "granite", "olmo", "yi", "orion", "lynx", "heron", "ibis"]
_KINDS = ["foundation", "general", "reasoning", "vision-language", "audio", "code", "maths", "embedding"]
_SIZES = [0.1, 0.5, 1, 3, 7, 8, 14, 32, 70, 405]
QUERIES = {
    "two words": Query(text="qwen 7b"),
    "beginning of a word": Query(text="gra"),
    "facets": Query(facets=[("kind", "code"), ("licence", "commercial")], max_parameters=8e9),
    "words and facets": Query(text="llama 2 coding", facets=[("kind", "code"), ("at", "ollama")], max_parameters=8e9),
    "a slip": Query(text="mistrla 7b"),
    "everything": Query(),
}


def generated(count: int, seed: int = 0) -> list[SearchRecord]:
    """Return invented models."""
    draw = random.Random(seed)
    records = []
    for number in range(count):
        stem, size = draw.choice(_STEMS), draw.choice(_SIZES)
        publisher = "".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(draw.randint(4, 10)))
        facets = {("kind", draw.choice(_KINDS)), ("kind", draw.choice(_KINDS)), ("modality", "text")}
        facets |= {("at", draw.choice(["hf", "ollama", "modelscope"])), ("licence", draw.choice(["commercial", "no"]))}
        records.append(
            SearchRecord(
                name=f"{stem}{draw.randint(1, 9)}-{size:g}b-{number}",
                words=f"{stem.title()} by {publisher} good for coding and summarising",
                facets=frozenset(facets),
                parameters=size * 1e9,
            )
        )
    return records


def median_ms(work: Callable[[], object], times: int = 15) -> float:
    """Return the median duration of some work."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)


def main() -> None:
    print(f"{'models':>8}  {'build s':>8}  " + "  ".join(f"{name:>19}" for name in QUERIES))
    for count in (1_000, 10_000, 100_000):
        records = generated(count)
        start = time.perf_counter()
        index = SearchIndex.of(records)
        built_s = time.perf_counter() - start
        taken = [median_ms(partial(index.find, query)) for query in QUERIES.values()]
        print(f"{count:>8}  {built_s:>8.2f}  " + "  ".join(f"{each:>16.2f} ms" for each in taken))


if __name__ == "__main__":
    main()
