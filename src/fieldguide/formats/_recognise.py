"""What a file is, by its first bytes and not by its name."""

from __future__ import annotations

from typing import Literal

from fieldguide.errors import FormatError
from fieldguide.formats._source import ByteSource

Format = Literal["gguf", "safetensors"]

_HEAD_BYTES = 512
_REFUSED = "Fetch the model as .safetensors or .gguf; Fieldguide never unpickles a file."
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))


def recognise(source: ByteSource) -> Format:
    """Return the format of a model file.

    Raises:
        FormatError: It is something else, with what it seems to be; a pickle is refused whatever it holds.
    """
    head = source.read(0, min(_HEAD_BYTES, source.size_bytes))
    if not head:
        raise FormatError(source.name, 0, "the file is empty")
    if head.startswith(b"GGUF"):
        return "gguf"
    kind, hint = what_else(head)
    if kind is not None:
        raise FormatError(source.name, 0, kind, hint=hint)
    if source.name.lower().endswith(".safetensors") or head[8:9] == b"{":
        return "safetensors"
    raise FormatError(source.name, 0, f"neither GGUF nor safetensors: it begins with {head[:16]!r}")


def what_else(head: bytes) -> tuple[str | None, str | None]:
    """Return what a file is that begins like this and is no model file, and what to do; None where it may be one."""
    folded = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if folded.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return "it is an HTML page, as a server sends instead of a file that needs a login", None
    if folded.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, which stands for the file", "Run `git lfs pull`, or fetch the file itself."
    if head.startswith(b"PK\x03\x04"):
        inside = "a PyTorch archive with a pickle" if b"data.pkl" in head else "a zip archive, as PyTorch files are"
        return f"it is {inside}, and unpickling can run any program", _REFUSED
    if head.startswith(_PICKLE_STARTS) and not _is_length(head):
        return "it is a pickle, and unpickling can run any program", _REFUSED
    if head.startswith(b"GGML") or head[:4] in {b"ggjt", b"tjgg", b"lmgg", b"ggla", b"fmgg"}:
        return "it is a GGML file of before August 2023, which nothing reads any more", None
    return None, None


def _is_length(head: bytes) -> bool:
    """Return whether the first bytes are the length of a safetensors header after all."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32
