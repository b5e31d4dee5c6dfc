"""Mutants of model files: those that once were interesting, a few new ones, and many when there is time."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.format_fuzz import Kind, examine, fuzz, mutant
from tests.support.model_files import gguf_bytes, llama_facts, safetensors_bytes

CORPUS = {
    kind: json.loads((Path(__file__).parent / f"corpus_{kind}.json").read_text()) for kind in ("gguf", "safetensors")
}


@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_the_corpus_keeps_its_outcomes(kind: Kind) -> None:
    """The shortest mutant of each outcome that fuzzing has met gives that outcome again."""
    assert len(CORPUS[kind]) > 40
    assert {outcome: examine(kind, bytes.fromhex(raw)) for outcome, raw in CORPUS[kind].items()} == {
        outcome: outcome for outcome in CORPUS[kind]
    }


@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_mutant_gives_an_answer_or_an_error_of_ours(kind: Kind, seed: int) -> None:
    """Structure and bytes are hurt; nothing but our errors comes out, at a byte of the file, in time."""
    examine(kind, mutant(kind, random.Random(seed)))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_bytes_behind_a_magic_number_are_harmless(data: st.DataObject) -> None:
    """Noise, and noise behind a sound head."""
    noise = data.draw(st.binary(max_size=400))
    for kind, head in (("gguf", gguf_bytes(llama_facts())), ("safetensors", safetensors_bytes({}))):
        cut = data.draw(st.integers(0, len(head)))
        examine("gguf" if kind == "gguf" else "safetensors", head[:cut] + noise)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_ten_minutes_of_mutants_find_nothing(kind: Kind) -> None:
    """No crash, no hang above two seconds, no memory above 100 MB, and nothing accepted that does not hold."""
    count, outcomes = fuzz(kind, seconds=600, seed=random.SystemRandom().getrandbits(32))
    assert count > 10_000
    assert len(outcomes) > 40
