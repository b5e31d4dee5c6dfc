"""Files that are made to cost as much as the bounds allow still cost little."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.model_files import headed, written

_CHILD = """
import sys, time
from pathlib import Path
from fieldguide.errors import FormatError
from fieldguide.formats import inspect_path
try:
    inspect_path(Path(sys.argv[1]))
except FormatError:
    pass
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time(), peak * 1024)
"""


def _string(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def strings() -> bytes:
    """Return an array of as many empty strings as are read."""
    count = 4_194_304
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + _string(b"k") + struct.pack("<IIQ", 9, 8, count) + bytes(8 * count)


def tensors() -> bytes:
    """Return as many tensors as are read, with the longest names."""
    infos = b"".join(_string(b"%064d" % i) + struct.pack("<I4QIQ", 4, 1, 1, 1, 0, 0, 0) for i in range(65_536))
    return b"GGUF" + struct.pack("<IQQ", 3, 65_536, 0) + infos + bytes(-(24 + len(infos)) % 32)


def arrays() -> bytes:
    """Return as many keys as are read, each with an array that alone would be kept."""
    value = struct.pack("<IIQ", 9, 4, 300) + b"\1\0\0\0" * 300
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 65_536) + b"".join(_string(b"%0200d" % i) + value for i in range(65_536))


def texts() -> bytes:
    """Return a hundred texts of a megabyte."""
    value = struct.pack("<I", 8) + _string(b"x" * 1_000_000)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 100) + b"".join(_string(b"%d" % i) + value for i in range(100))


def entries() -> bytes:
    """Return a safetensors header of as many tensors as are read."""
    entry = b'"%d":{"dtype":"F32","shape":[0,0,0,0,0,0,0,0],"data_offsets":[0,0]}'
    return headed(b"{" + b",".join(entry % i for i in range(65_536)) + b"}")


def one_list() -> bytes:
    """Return a safetensors header that is one long list."""
    return headed(b'{"a":[' + b",".join([b"12345"] * 1_300_000) + b"]}")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see a child's peak memory")
@pytest.mark.parametrize("make", [strings, tensors, arrays, texts, entries, one_list])
def test_the_worst_file_costs_a_few_seconds_and_100_mb(make: Callable[[], bytes], tmp_path: Path) -> None:
    """Measured in a child of its own: at most 100 MB with the interpreter, and processor time that stays in seconds."""
    path = written(tmp_path / "worst", make())
    done = subprocess.run([sys.executable, "-c", _CHILD, path], capture_output=True, text=True, check=True)
    cpu_s, peak_bytes = map(float, done.stdout.split())
    assert peak_bytes < 100e6
    assert cpu_s < 10
