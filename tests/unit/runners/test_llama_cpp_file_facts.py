"""What the runner asks of a GGUF header before the engine sees the file: the facts, and whom it turns away."""

from __future__ import annotations

import contextlib
import hashlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldguide.errors import ModelLoadError
from fieldguide.runners.llama_cpp._file_facts import read_file_facts
from tests.support.model_files import gguf_bytes
from tests.support.tiny_gguf import CHAT_TEMPLATE, tiny_gguf


def test_the_facts_that_decide_how_a_file_is_run(tmp_path: Path) -> None:
    """Architecture, name, trained context, chat template and cache size come from the header."""
    facts = read_file_facts(tiny_gguf(tmp_path / "m.gguf", context_length=777))
    assert facts.architecture == "llama"
    assert facts.name == "tiny"
    assert facts.file_type == 0
    assert facts.context_length_tokens == 777
    assert facts.chat_template_sha256 == hashlib.sha256(CHAT_TEMPLATE.encode()).hexdigest()
    assert facts.kv_bytes_per_token == 2 * 32 * 2 * 2  # layers x embedding x (K and V) x 16 bits


def test_a_base_model_has_no_template(tmp_path: Path) -> None:
    """Without a chat template in the file there is no hash of one."""
    assert read_file_facts(tiny_gguf(tmp_path / "m.gguf", chat_template=None)).chat_template_sha256 is None


@pytest.mark.parametrize("count", [2**63, 2**64 - 1, 2**40])
def test_counts_beyond_the_file_are_refused_at_once(count: int, tmp_path: Path) -> None:
    """A count that no file could hold ends the reading without allocating for it."""
    path = tmp_path / "m.gguf"
    start = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    for body in (
        struct.pack("<Q", count) + b"k" * 64,
        struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 8, count) + b"\0" * 64,
        struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 4, count) + b"\0" * 64,
    ):
        path.write_bytes(start + body)
        with pytest.raises(ModelLoadError):
            read_file_facts(path)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, count) + b"\0" * 64)
    with pytest.raises(ModelLoadError, match="claims"):
        read_file_facts(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gguf_bytes(order=">"), "big-endian"),
        (gguf_bytes(version=1, tensors=[("a", (4,), 0)]), "version 1"),
    ],
)
def test_a_sound_file_that_cannot_run_here_is_told_as_that(content: bytes, said: str, tmp_path: Path) -> None:
    """Big-endian files and version 1 are read by `inspect` and yet never given to the engine."""
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match=said):
        read_file_facts(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_an_error_or_harmless(data: st.DataObject, tmp_path: Path) -> None:
    """Changed or missing bytes give facts or `ModelLoadError`, never anything else."""
    path, undamaged = tmp_path / "m.gguf", tmp_path / "undamaged.gguf"
    if not undamaged.exists():
        tiny_gguf(undamaged)
    whole = bytearray(undamaged.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 400))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.sampled_from([len(whole), len(whole) - 1, 12_000, 300, 64, 33]))])
    with contextlib.suppress(ModelLoadError):
        read_file_facts(path)
