"""The few facts of a GGUF file that decide how it is run, and whether it can be."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import FormatError, ModelLoadError
from fieldguide.formats import FileSource, GgufHeader, gguf_network, projector_of, read_gguf, what_else

_HINT = "Fetch the file again; if it fails again, take it from another publisher."
_HEAD_BYTES = 512
_LEAST_BYTES = 32
_TOOLS = re.compile(r"\{[{%](?:(?![%}]\}).)*\btools\b", re.S)
"""The variable in which a template is given tools, within an expression or statement of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What the header says; None where it does not."""

    architecture: str | None = None
    width: int | None = None
    """Embedding length."""
    name: str | None = None
    file_type: int | None = None
    """Number of the commonest quantization, as in llama.cpp's `llama_ftype` (2 is Q4_0)."""
    chat_template_sha256: str | None = None
    template_takes_tools: bool = False
    """Whether the chat template has a place for tools; one that has none passes over them without a word."""
    context_length_tokens: int | None = None
    """Most tokens that the model was trained for."""
    kv_bytes_per_token: int | None = None
    """Bytes of a 16-bit key/value cache per token, all layers counted as full attention (an upper bound)."""


def read_file_facts(path: Path) -> FileFacts:
    """Return the facts of a GGUF file that this machine may be able to run.

    Raises:
        InputFileError: The file cannot be read.
        ModelLoadError: It is something else, is damaged, or is of a kind that the engine does not load.
    """
    with FileSource(path) as source:
        head = source.read(0, min(_HEAD_BYTES, source.size_bytes))
        if not head.startswith(b"GGUF"):
            raise ModelLoadError(f"{path.name} is not a GGUF file: {_what(head)}.", hint=_HINT)
        if len(head) < _LEAST_BYTES:
            raise ModelLoadError(f"{path.name} is a GGUF file cut to a few bytes.", hint=_HINT)
        try:
            header = read_gguf(source)
        except FormatError as error:
            reason = f"{path.name} is damaged at byte {error.offset}: {error.reason}."
            raise ModelLoadError(reason, hint=_HINT) from error
    if header.byte_order == "big":
        raise ModelLoadError(f"{path.name} is a big-endian GGUF file, which this machine cannot run.", hint=_HINT)
    if header.version == 1:
        raise ModelLoadError(f"{path.name} is a GGUF file of version 1; versions 2 and 3 can be run.", hint=_HINT)
    if projector_of(header) is not None:
        hint = "Name the model itself: its projector is found beside it, or given by --option mmproj=FILE."
        raise ModelLoadError(f"{path.name} is the part of a model that looks or listens, and no model.", hint=hint)
    return _facts(header)


def _what(head: bytes) -> str:
    if not head:
        return "it is empty"
    kind, _ = what_else(head)
    return kind or f"it starts with {head[:16]!r}"


def _facts(header: GgufHeader) -> FileFacts:
    network = gguf_network(header, tied_head=None)
    template = header.text("tokenizer.chat_template")
    return FileFacts(
        architecture=network.family,
        width=network.hidden,
        name=header.text("general.name"),
        file_type=header.number("general.file_type"),
        chat_template_sha256=None if template is None else hashlib.sha256(template.encode("utf-8")).hexdigest(),
        template_takes_tools=template is not None and _TOOLS.search(template) is not None,
        context_length_tokens=network.context_length_tokens,
        kv_bytes_per_token=network.kv_bytes_per_token(),
    )
