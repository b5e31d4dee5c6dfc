"""One model of one or several GGUF files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from fieldguide.errors import FormatError
from fieldguide.formats._architecture import architecture_of
from fieldguide.formats._caution import shown
from fieldguide.formats._gguf import GgufHeader, fault, read_gguf
from fieldguide.formats._gguf_values import GgufArray
from fieldguide.formats._head import tied_head
from fieldguide.formats._model import ModelFacts, TokenizerFacts
from fieldguide.formats._network_gguf import gguf_network
from fieldguide.formats._quantization import gguf_quantization
from fieldguide.formats._source import ByteSource
from fieldguide.formats._tensor import TensorInfo

PART = re.compile(r"^(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<ending>\.gguf|\.safetensors)$", re.DOTALL)
MOST_PARTS = 1024
_ALWAYS_TIED = {"gemma", "gemma2", "gemma3", "gemma3n", "command-r", "cohere2"}
_HEADLESS = {
    "bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert",
    "gemma-embedding", "t5encoder", "clip", "wavtokenizer-dec",
}  # fmt: skip


def part_names(name: str) -> list[str]:
    """Return the names of all parts of a model that is cut into files, or just `name`.

    Raises:
        FormatError: The name claims more parts than any model has, or a part beyond the last.
    """
    found = PART.match(name)
    if found is None:
        return [name]
    count = int(found["count"])
    if not 1 <= int(found["number"]) <= count <= MOST_PARTS:
        raise FormatError(name, 0, f"the name claims part {int(found['number'])} of {count}")
    return [f"{found['stem']}-{index:05}-of-{count:05}{found['ending']}" for index in range(1, count + 1)]


def gguf_model(sources: Mapping[str, ByteSource]) -> ModelFacts:
    """Return the facts of a model whose parts are `sources`, by file name and in order.

    Raises:
        FormatError: A header is refused, or the parts do not belong together.
        InputFileError: A file cannot be read.
    """
    headers = [read_gguf(source, file=name) for name, source in sources.items()]
    _check_parts(headers)
    first = headers[0]
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    family = first.text("general.architecture")
    head = tied_head(
        tensors, sources, stated=None, always=family in _ALWAYS_TIED, headless=family in _HEADLESS or not tensors
    )
    network = None if family is None else gguf_network(first, tied_head=head.tied)
    quantization, stated, odd = gguf_quantization(tensors, first.number("general.file_type"))
    template = first.text("tokenizer.chat_template")
    tokenizer, doubts = _tokenizer(first)
    return ModelFacts(
        format="gguf",
        version=first.version,
        byte_order=first.byte_order,
        files={name: source.size_bytes for name, source in sources.items()},
        architecture=family,
        name=first.text("general.name"),
        network=network,
        shape=None if network is None else architecture_of(network),
        tensors=tensors,
        head=head,
        quantization=quantization,
        quantization_stated=stated,
        chat_template_sha256=None if template is None else hashlib.sha256(template.encode("utf-8")).hexdigest(),
        tokenizer=tokenizer,
        metadata_keys=sum(len(header.metadata) for header in headers),
        warnings=(*(warning for header in headers for warning in header.warnings), *odd, *doubts),
    )


def _check_parts(headers: Sequence[GgufHeader]) -> None:
    """Refuse parts that say something else than their names do, or that hold a tensor twice."""
    first = headers[0]
    count = first.number("split.count") or 1
    if count != len(headers):
        key = "split.count"
        if key in first.metadata:
            if len(headers) == 1:
                reason = (
                    f"this is one of {count} parts, and its name does not say which, so that the others are not found"
                )
                raise fault(first, key, reason)
            raise fault(first, key, f"the file says {count} parts and its name {len(headers)}")
        raise FormatError(first.name, 0, f"the name says one of {len(headers)} parts and the file says nothing of it")
    for index, header in enumerate(headers[1:], 1):
        if header.number("split.no") != index or header.number("split.count") != count:
            raise FormatError(header.name, 0, f"the file is not part {index + 1} of {count}, as its name says")
        if (header.version, header.byte_order) != (first.version, first.byte_order):
            raise FormatError(header.name, 4, "version or byte order differ from those of the first part")
    if count > 1:
        _check_together(first, [tensor for header in headers for tensor in header.tensors])


def _check_together(first: GgufHeader, tensors: Sequence[TensorInfo]) -> None:
    names: set[str] = set()
    for tensor in tensors:
        if tensor.name in names:
            raise FormatError(tensor.file, 0, f"the tensor `{shown(tensor.name)}` stands in another part too")
        names.add(tensor.name)
    stated = first.number("split.tensors.count")
    if stated is not None and stated != len(tensors):
        raise fault(first, "split.tensors.count", f"the file says {stated} tensors and the parts hold {len(tensors)}")


def _tokenizer(header: GgufHeader) -> tuple[TokenizerFacts | None, list[str]]:
    model = header.text("tokenizer.ggml.model")
    tokens, merges = header.value("tokenizer.ggml.tokens"), header.value("tokenizer.ggml.merges")
    if model is None and not isinstance(tokens, GgufArray):
        return None, []
    count = tokens.count if isinstance(tokens, GgufArray) else None
    facts = TokenizerFacts(
        model=model,
        pre=header.text("tokenizer.ggml.pre"),
        tokens=count,
        merges=merges.count if isinstance(merges, GgufArray) else None,
        bos_token_id=header.number("tokenizer.ggml.bos_token_id"),
        eos_token_id=header.number("tokenizer.ggml.eos_token_id"),
        tokens_sha256=tokens.sha256 if isinstance(tokens, GgufArray) else None,
    )
    return facts, _doubts(header, facts, count)


def _doubts(header: GgufHeader, facts: TokenizerFacts, count: int | None) -> list[str]:
    """Return what of the vocabulary does not go together."""
    if count is None:
        return []
    found = []
    for word, number in (("bos", facts.bos_token_id), ("eos", facts.eos_token_id)):
        if number is not None and not 0 <= number < count and number != 0xFFFFFFFF:
            found.append(f"the {word} token is number {number} of {count} tokens")
    for key in ("scores", "token_type"):
        array = header.value(f"tokenizer.ggml.{key}")
        if isinstance(array, GgufArray) and array.count < count:
            found.append(f"tokenizer.ggml.{key} has {array.count} entries for {count} tokens")
    embedding = next((tensor for tensor in header.tensors if tensor.name == "token_embd.weight"), None)
    if embedding is not None and len(embedding.shape) == 2 and embedding.shape[1] < count:
        found.append(f"the embedding has {embedding.shape[1]} rows for {count} tokens")
    return found
