"""Files that can carry a program: refused by name and by content, none of them run."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fieldguide.errors import FieldguideError, FormatError, UnsafeFileError
from fieldguide.sources import check_file
from tests.support.shared import shared

PROJECT = Path(__file__).parents[4]


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.canary}",)


def zipped(name: str, content: bytes) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(name, content)
    return into.getvalue()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def malicious(canary: Path) -> dict[str, bytes]:
    evil = pickle.dumps(Evil(canary))
    old = pickle.dumps(Evil(canary), protocol=0)
    return {
        "pytorch_model.bin": evil,
        "model.pt": zipped("archive/data.pkl", evil),
        "model.ckpt": old,
        "weights.npz": zipped("a.npy", b"\x93NUMPY" + evil),
        "weights.npy": b"\x93NUMPY\x01\x00" + evil,
        "model.keras": zipped("config.json", b"{}"),
        "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(64),
        "modeling.py": f"import os; os.system('touch {canary}')".encode(),
        "run.sh": f"#!/bin/sh\ntouch {canary}\n".encode(),
        "model.joblib": evil,
        "model.gguf": evil,
        "other.gguf": zipped("archive/data.pkl", evil),
        "old.gguf": old,
        "tokenizer.model": evil,
        "vocab.txt": old,
        "tokenizer.json": zipped("data.pkl", evil),
        "merges.txt": b"\x7fELF" + bytes(64),
        "library.so": b"\x7fELF" + bytes(64),
        "archive.tar.gz": b"\x1f\x8b\x08" + bytes(64),
    }


NAMES = sorted(malicious(Path("x")))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_can_carry_a_program_is_refused(name: str, tmp_path: Path, canary: Path) -> None:
    """Whatever its name pretends to be; a scan says what it would call, and nothing is called."""
    place = tmp_path / "blob"
    place.write_bytes(malicious(canary)[name])
    with pytest.raises((UnsafeFileError, FormatError)):
        check_file(name, place)
    assert not canary.exists()


@pytest.mark.parametrize("start", [b"BZh9", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"Rar!\x1a"])
def test_packed_files_are_refused_under_any_name(start: bytes, tmp_path: Path) -> None:
    """joblib and torch read pickles out of them."""
    place = tmp_path / "blob"
    place.write_bytes(start + bytes(100))
    with pytest.raises(UnsafeFileError, match="archive"):
        check_file("notes.txt", place)


def test_the_scan_says_what_a_pickle_would_call(tmp_path: Path, canary: Path) -> None:
    """For the reader; the refusal does not depend on it."""
    pytest.importorskip("picklescan")
    place = tmp_path / "blob"
    for name in ("pytorch_model.bin", "model.pt"):
        place.write_bytes(malicious(canary)[name])
        with pytest.raises(UnsafeFileError, match=f"would call {os.system.__module__}.system"):
            check_file(name, place)


def test_a_pickle_that_breaks_the_scanner_is_refused_all_the_same(tmp_path: Path) -> None:
    """A scan informs, refusal protects."""
    place = tmp_path / "blob"
    place.write_bytes(b"\x80\x04" + b"\xff" * 1000)
    with pytest.raises(UnsafeFileError, match="runs code when it is read"):
        check_file("model.pkl", place)


def test_the_canary_would_be_there_if_a_pickle_were_loaded(tmp_path: Path, canary: Path) -> None:
    """The test's own proof that it could fail; in a process of its own."""
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil(canary)))
    code = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "evil.pkl")], check=True)
    assert canary.exists()


@pytest.mark.parametrize("content", [b"{", b"[" * 200_000, b'{"a": 1' + b"0" * 5000 + b"}"])
def test_json_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    """As damaged, with its name."""
    place = tmp_path / "blob"
    place.write_bytes(content)
    with pytest.raises(FormatError, match=r"config\.json"):
        check_file("config.json", place)


def test_every_malformed_file_gets_its_verdict() -> None:
    """As its manifest says; a file that is only odd is kept with a warning, or refused for its template."""
    folder = shared("badfiles")
    wrong = []
    for name, said in json.loads((folder / "manifest.json").read_text()).items():
        if not name.startswith(("gguf/", "safetensors/")):
            continue
        try:
            check_file(name, folder / name)
            refused = False
        except FieldguideError:
            refused = True
        if (said["expect"] == "reject" and not refused) or (said["expect"] == "accept" and refused):
            wrong.append((name, said["expect"], refused))
    assert wrong == []


def test_real_files_whose_templates_hang_an_engine_are_refused() -> None:
    """A loop, a recursion and a reach outside; the good one passes without a word."""
    folder = shared("badfiles") / "real"
    for name in ("01_template_loop.gguf", "02_template_recursion.gguf", "04_template_ssti.gguf"):
        with pytest.raises(UnsafeFileError):
            check_file(name, folder / name)
    with pytest.raises(FormatError, match="interrupted"):
        check_file("09_truncated_1_byte.gguf", folder / "09_truncated_1_byte.gguf")
    assert check_file("00_good_tiny_llama.gguf", folder / "00_good_tiny_llama.gguf") == ()
