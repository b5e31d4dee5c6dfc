"""What a GGUF file itself says of its chat template."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fieldguide.app.probe._finding import Finding, doubtful, ok
from fieldguide.errors import FieldguideError
from fieldguide.formats import FileSource, read_gguf, template_warnings


def template_of_file(path: Path) -> list[Finding]:
    """Return what is odd about the template of a file: none, unsafe, or it doubles the token that begins texts."""
    check = "the file's chat template"
    try:
        with FileSource(path) as source:
            header = read_gguf(source)
    except (FieldguideError, OSError):
        return []
    template = header.text("tokenizer.chat_template")
    if template is None:
        return [doubtful(check, "there is none; a conversation is sent as plain text", "Is it a base model?")]
    if warnings := template_warnings(template):
        return [doubtful(check, "; ".join(warnings), "Take the file from another publisher.")]
    sha256 = hashlib.sha256(template.encode("utf-8")).hexdigest()
    adds, begins = header.value("tokenizer.ggml.add_bos_token"), "bos_token" in template
    if adds is True and begins:
        told = f"sha256 {sha256[:12]}...; template and tokenizer both begin a text, of which llama.cpp drops one"
        return [ok(check, told, "likely")]
    return [ok(check, f"sha256 {sha256[:12]}..., well formed; no token that begins texts is doubled")]
