"""A voice of Piper in its real format that hums: an ONNX graph written byte by byte, and its configuration."""

from __future__ import annotations

import json
import struct
from pathlib import Path

RATE_HZ = 16_000
SAMPLES_PER_PHONEME = 256
_FLOAT, _INT64 = 1, 7


def tiny_voice(folder: Path, *, speakers: int = 1) -> Path:
    """Write `tiny.onnx` and `tiny.onnx.json`: each phoneme lasts 256 samples."""
    path = folder / "tiny.onnx"
    path.write_bytes(_model(speakers))
    symbols = "_^$ abcdefghijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɹʃʊʌʒˈˌː.,?!;:"
    config = {
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "num_symbols": len(symbols),
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker{n}": n for n in range(speakers)} if speakers > 1 else {},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(symbols)},
    }
    Path(f"{path}.json").write_text(json.dumps(config), encoding="utf-8")
    return path


def _model(speakers: int) -> bytes:
    repeats = _number(1, 2) + _number(2, _INT64) + _bytes(8, b"repeats") + _bytes(9, struct.pack("<2q", 1, 256))
    inputs = [_value("input", _INT64, 2), _value("input_lengths", _INT64, 1), _value("scales", _FLOAT, 1)]
    inputs += [_value("sid", _INT64, 1)] if speakers > 1 else []
    graph = b"".join(
        [
            _bytes(1, _node("Cast", ["input"], "x", _bytes(1, b"to") + _number(3, _FLOAT) + _number(20, 2))),
            _bytes(1, _node("Tile", ["x", "repeats"], "long")),
            _bytes(1, _node("Sin", ["long"], "output")),
            _bytes(2, b"hum"),
            _bytes(5, repeats),
            *(_bytes(11, each) for each in inputs),
            _bytes(12, _value("output", _FLOAT, 2)),
        ]
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _node(kind: str, inputs: list[str], output: str, attribute: bytes | None = None) -> bytes:
    node = b"".join(_bytes(1, name.encode()) for name in inputs) + _bytes(2, output.encode()) + _bytes(4, kind.encode())
    return node if attribute is None else node + _bytes(5, attribute)


def _value(name: str, kind: int, dimensions: int) -> bytes:
    shape = b"".join(_bytes(1, _bytes(2, f"{name}{n}".encode())) for n in range(dimensions))
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, shape)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
