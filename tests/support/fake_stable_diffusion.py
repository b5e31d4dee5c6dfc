"""A package `stable_diffusion_cpp` that keeps to the interface of version 0.4.7, and draws plain pictures.

Names of parameters, types and errors are those of `StableDiffusion` there (`stable_diffusion.py`, `_internals.py`):
unknown parameters are refused as Python refuses them, and a file that is not there or is none of a model's as it does.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

_PACKAGE = '''
import pathlib, struct, time, zlib

class _Picture:
    """Has of a PIL image what is used: `save` into a buffer, in a format."""

    def __init__(self, width, height, shade):
        self.size, self._shade = (width, height), shade

    def save(self, buffer, format=None):
        if format not in {"PNG", "JPEG", "WEBP"}:
            raise KeyError(format)
        starts = {"JPEG": b"\\xff\\xd8\\xff", "WEBP": b"RIFF\\0\\0\\0\\0WEBP"}
        if format in starts:
            buffer.write(starts[format] + bytes([self._shade]))
            return
        width, height = self.size
        rows = (b"\\0" + bytes([self._shade]) * 3 * width) * height
        def chunk(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        buffer.write(b"\\x89PNG\\r\\n\\x1a\\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class StableDiffusion:
    def __init__(self, model_path="", clip_l_path="", clip_g_path="", t5xxl_path="", llm_path="",
                 diffusion_model_path="", vae_path="", n_threads=-1, wtype="default", verbose=True):
        for path in (model_path, diffusion_model_path):
            if path and not pathlib.Path(path).exists():
                raise ValueError(f"Model path does not exist: '{path}'")
        path = model_path or diffusion_model_path
        if b"model.diffusion_model" not in pathlib.Path(path).read_bytes():
            raise ValueError(f"Failed to load model from file: '{path}'")

    def generate_image(self, prompt, negative_prompt="", width=512, height=512, cfg_scale=7.0, sample_steps=20,
                       seed=42, batch_count=1, progress_callback=None):
        if sample_steps < 1:
            raise ValueError("`sample_steps` must be at least 1")
        if prompt == "die":
            import os
            os._exit(7)
        if prompt == "fail":
            raise RuntimeError("out of memory")
        for step in range(1, sample_steps + 1):
            if prompt == "slowly":
                time.sleep(1)
            if progress_callback is not None:
                progress_callback(step, sample_steps, 0.01)
        return [_Picture(width, height, (seed + number) % 256) for number in range(batch_count)]
'''


def install(folder: Path) -> Path:
    """Write the package into a folder, to be put on the path, and return the folder."""
    place = folder / "stable_diffusion_cpp"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text(_PACKAGE, encoding="utf-8")
    return folder


def weights(path: Path, name: str = "model.diffusion_model.out.2.bias") -> Path:
    """Write a file of weights and return its path; by another name the engine does not know it."""
    header = json.dumps({name: {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 16)
    return path
