"""One model of one or several safetensors files, with the JSON files that lie beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from fieldguide.errors import FormatError
from fieldguide.formats._architecture import architecture_of
from fieldguide.formats._caution import has_controls, shown, template_warnings
from fieldguide.formats._head import tied_head
from fieldguide.formats._json import read_json_object
from fieldguide.formats._model import ModelFacts
from fieldguide.formats._network import NetworkFacts
from fieldguide.formats._network_config import MOST_CONFIG_BYTES, config_network
from fieldguide.formats._packed import with_parameters
from fieldguide.formats._quantization import safetensors_quantization
from fieldguide.formats._safetensors import SafetensorsHeader, read_safetensors
from fieldguide.formats._source import ByteSource, read_exactly
from fieldguide.formats._tensor import TensorInfo

INDEX_ENDING = ".safetensors.index.json"
CONFIG, TOKENIZER_CONFIG, TEMPLATE = "config.json", "tokenizer_config.json", "chat_template.jinja"
MOST_INDEX_BYTES = 16 << 20
_MOST_TOKENIZER_BYTES = 16 << 20
_MOST_TEMPLATE_BYTES = 1 << 20
_LONGEST_FILE_NAME_BYTES = 255


def read_index(source: ByteSource) -> tuple[Mapping[str, str], int | None]:
    """Return which file each tensor stands in, and the bytes that all of them are said to take.

    Raises:
        FormatError: It is no such index, or names a file that is a path.
    """
    found = read_json_object(source, most_bytes=MOST_INDEX_BYTES)
    places = found.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise FormatError(source.name, 0, "the index has no weight_map")
    for tensor, file in places.items():
        if not _is_file_beside(file):
            reason = f"the index puts the tensor `{shown(tensor)}` into `{shown(str(file))}`, no file beside it"
            raise FormatError(source.name, 0, reason)
    metadata = found.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    return places, int(total) if isinstance(total, int | float) and 0 <= total < 1 << 63 else None


def _is_file_beside(name: Any) -> bool:
    """Return whether a name from an index is one of a file and leads nowhere else."""
    if not isinstance(name, str) or has_controls(name) or len(name.encode()) > _LONGEST_FILE_NAME_BYTES:
        return False
    return PurePath(name).name == name and "\\" not in name and name.endswith(".safetensors")


def safetensors_model(
    sources: Mapping[str, ByteSource], beside: Mapping[str, ByteSource], *, index: ByteSource | None = None
) -> ModelFacts:
    """Return the facts of a model.

    Args:
        sources: The files with tensors, by name.
        beside: Of the JSON files beside them those that exist, by name.
        index: What says which tensor stands where; None of a single file.

    Raises:
        FormatError: A header or a JSON file is refused, or the files do not belong together.
        InputFileError: A file cannot be read.
    """
    headers = {name: read_safetensors(source, file=name) for name, source in sources.items()}
    tensors = [tensor for header in headers.values() for tensor in header.tensors]
    warnings = [warning for header in headers.values() for warning in header.warnings]
    warnings += _check_index(index, headers, tensors)
    config, network = _configuration(beside)
    quantization = config.get("quantization_config")
    quantization = quantization if isinstance(quantization, dict) else None
    counted = with_parameters(tensors, quantization)
    if any(tensor.parameters is None for tensor in counted):
        warnings.append("weights are packed and nothing says with how many bits, so that they cannot be counted")
    stated = None if network is None else network.tied_head
    head = tied_head(counted, sources, stated=stated, always=False, headless=_headless(config))
    name, said = safetensors_quantization(counted, quantization)
    template, odd = _template(beside)
    if network is not None:
        network = replace(network, tied_head=head.tied)
    return ModelFacts(
        format="safetensors",
        version=None,
        byte_order="little",
        files={name: header.file_bytes for name, header in headers.items()},
        architecture=None if network is None else network.family,
        name=None,
        network=network,
        shape=None if network is None else architecture_of(network),
        tensors=counted,
        head=head,
        quantization=name,
        quantization_stated=said,
        chat_template_sha256=None if template is None else hashlib.sha256(template.encode("utf-8")).hexdigest(),
        tokenizer=None,
        metadata_keys=sum(len(header.metadata) for header in headers.values()),
        warnings=(*warnings, *odd),
    )


def _check_index(
    index: ByteSource | None, headers: Mapping[str, SafetensorsHeader], tensors: Sequence[TensorInfo]
) -> list[str]:
    """Return what is odd; refuse an index that says something else than the files do."""
    seen: dict[str, str] = {}
    for tensor in tensors:
        if tensor.name in seen:
            raise FormatError(tensor.file, 8, f"the tensor `{shown(tensor.name)}` stands in `{seen[tensor.name]}` too")
        seen[tensor.name] = tensor.file
    if index is None:
        return []
    places, total = read_index(index)
    for name, file in places.items():
        if seen.get(name) != file:
            where = seen.get(name)
            reason = "nowhere" if where is None else f"in `{shown(where)}`"
            raise FormatError(index.name, 0, f"the index puts `{shown(name)}` into `{shown(file)}`; it stands {reason}")
    warnings = []
    if left := seen.keys() - places.keys():
        warnings.append(f"the index does not know the tensor `{shown(min(left))}`; {len(left)} in all")
    stored = sum(tensor.bytes for tensor in tensors)
    if total is not None and total != stored:
        warnings.append(f"the index says {total} bytes of tensors and the files hold {stored}")
    return warnings


def _configuration(beside: Mapping[str, ByteSource]) -> tuple[Mapping[str, Any], NetworkFacts | None]:
    source = beside.get(CONFIG)
    if source is None:
        return {}, None
    config = read_json_object(source, most_bytes=MOST_CONFIG_BYTES)
    return config, config_network(config, name=source.name)


def _headless(config: Mapping[str, Any]) -> bool:
    """Return whether the configuration names a network without an output layer over the vocabulary."""
    names = config.get("architectures")
    if not isinstance(names, list) or not names or not isinstance(names[0], str):
        return False
    return not names[0].endswith(("LM", "LMHeadModel", "ConditionalGeneration", "ForMaskedLM"))


def _template(beside: Mapping[str, ByteSource]) -> tuple[str | None, list[str]]:
    """Return the chat template, of its own file or of tokenizer_config.json, and what is odd about it."""
    own, config = beside.get(TEMPLATE), beside.get(TOKENIZER_CONFIG)
    template: Any = None
    if own is not None:
        if own.size_bytes > _MOST_TEMPLATE_BYTES:
            return None, [f"the chat template takes {own.size_bytes} bytes and was not read"]
        template = read_exactly(own, 0, own.size_bytes).decode("utf-8", "replace")
    elif config is not None:
        template = read_json_object(config, most_bytes=_MOST_TOKENIZER_BYTES).get("chat_template")
        if isinstance(template, list):
            named = [entry for entry in template if isinstance(entry, dict) and entry.get("name") == "default"]
            template = named[0].get("template") if named else None
    if not isinstance(template, str):
        return None, []
    template = template.encode("utf-8", "replace").decode("utf-8")
    return template, template_warnings(template)
