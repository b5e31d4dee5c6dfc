"""Inspect a model file: what its header says, as programs read it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fieldguide.app.wiring import House
from fieldguide.formats import ModelFacts, NetworkFacts, inspect_path
from fieldguide.sources import is_repository


def inspect_file(path: Path) -> ModelFacts:
    """Return the facts of the model at a path.

    Raises:
        FormatError: A file is damaged, hostile, or no model file.
        InputFileError: There is nothing at the path, or it cannot be read.
    """
    return inspect_path(path)


def inspect_reference(house: House, reference: str) -> ModelFacts:
    """Return the facts of a model by its path, its name here, or a reference, of which only headers are read.

    Raises:
        FormatError: A file is damaged, hostile, or no model file.
        InputFileError: There is nothing at the path, or it cannot be read.
        SourceError: The source does not have it, or cannot be asked.
    """
    path = Path(reference.removeprefix("file:")).expanduser()
    if reference.startswith("file:") or path.exists():
        return inspect_path(path)
    if (stored := house.models.find(reference)) is not None:
        return inspect_path(stored.path)
    if is_repository(reference):
        return house.models.remote(reference).facts()
    return inspect_path(path)


def model_json(facts: ModelFacts, *, with_tensors: bool = False) -> dict[str, Any]:
    """Return the facts as programs read them; unknown is None."""
    network = facts.network
    found: dict[str, Any] = {
        "format": facts.format,
        "version": facts.version,
        "byte_order": facts.byte_order,
        "architecture": facts.architecture,
        "name": facts.name,
        "parameters": facts.parameters,
        "stored_parameters": facts.stored_parameters,
        "tied_head": asdict(facts.head),
        "tensors": len(facts.tensors),
        "files": [{"name": name, "bytes": size} for name, size in facts.files.items()],
        "file_bytes": facts.file_bytes,
        "weights_bytes": facts.weights_bytes,
        "quantization": facts.quantization,
        "quantization_stated": facts.quantization_stated,
        "types": [asdict(share) for share in facts.type_shares],
        "bits_per_weight": facts.bits_per_weight,
        "context_length": None if network is None else network.context_length_tokens,
        "kv_bytes_per_token": None if network is None else network.kv_bytes_per_token(),
        "chat_template_sha256": facts.chat_template_sha256,
        "tokenizer": None if facts.tokenizer is None else asdict(facts.tokenizer),
        "metadata_keys": facts.metadata_keys,
        "network": None if network is None else _network(network),
        "shape": None if facts.shape is None else asdict(facts.shape),
        "warnings": list(facts.warnings),
    }
    if with_tensors:
        found["tensor_list"] = [asdict(tensor) for tensor in facts.tensors]
    return found


def _network(network: NetworkFacts) -> dict[str, Any]:
    found = asdict(network)
    del found["raw"]
    return found | {"layer_count": len(network.layers) or None}
