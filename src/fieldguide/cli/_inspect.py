"""`inspect`: what the header of a model file says."""

from __future__ import annotations

from argparse import Namespace
from itertools import groupby

from fieldguide.app.inspect import inspect_reference, model_json
from fieldguide.cli._output import console, gigabytes, house_of, number, print_json, table
from fieldguide.formats import LayerFacts, ModelFacts, NetworkFacts, shown


def run(args: Namespace) -> int:
    """Print what the file says; a file that is refused is an error with its reason."""
    facts = inspect_reference(house_of(args), args.file)
    if args.json:
        print_json(model_json(facts, with_tensors=args.tensors))
        return 0
    _show(facts)
    if args.tensors:
        _show_tensors(facts)
    for warning in facts.warnings:
        print(f"warning: {shown(warning, 400)}")
    return 0


def _show(facts: ModelFacts) -> None:
    made = table("what", "value")
    for what, value in _rows(facts):
        made.add_row(what, value)
    console().print(made)
    shares = table("type", "tensors", "parameters", "bytes", "of all bytes", right=(1, 2, 3, 4))
    for share in facts.type_shares:
        part = share.bytes / facts.weights_bytes if facts.weights_bytes else 0.0
        shares.add_row(
            share.type, str(share.tensors), number(share.parameters), number(share.bytes), f"{100 * part:.1f} %"
        )
    if facts.tensors:
        console().print(shares)


def _rows(facts: ModelFacts) -> list[tuple[str, str]]:
    version = "" if facts.version is None else f" version {facts.version}, {facts.byte_order}-endian"
    size = f"{gigabytes(facts.file_bytes)} in {len(facts.files)} file{'s' if len(facts.files) != 1 else ''}"
    bits = "n/a" if facts.bits_per_weight is None else f"{facts.bits_per_weight:.3f}"
    stated = facts.quantization_stated
    doubt = f" (the file says {stated})" if stated not in {None, facts.quantization} else ""
    return [
        ("format", f"{facts.format}{version}"),
        ("name", _text(facts.name)),
        ("architecture", _text(facts.architecture)),
        ("parameters", _parameters(facts)),
        ("tensors", number(len(facts.tensors))),
        ("size", size),
        ("quantization", f"{_text(facts.quantization)}{doubt}, {bits} bits per weight"),
        *(_network_rows(facts.network) if facts.network is not None else []),
        ("chat template", _text(facts.chat_template_sha256 and f"sha256 {facts.chat_template_sha256}")),
        *(_tokenizer_rows(facts)),
    ]


def _parameters(facts: ModelFacts) -> str:
    counted = number(facts.parameters)
    if facts.head.stored_twice:
        return f"{counted}; the output layer is a stored copy of the embedding and not counted"
    return f"{counted}; the output layer is the embedding" if facts.head.tied else counted


def _network_rows(network: NetworkFacts) -> list[tuple[str, str]]:
    experts = network.experts
    return [
        ("context", number(network.context_length_tokens, "tokens")),
        ("layers", "; ".join(_layers(network)) or "n/a"),
        *([("experts", f"{experts}, {_count(network.experts_per_token)} for a token")] if experts else []),
        ("cache per token", f"{number(network.kv_bytes_per_token())} bytes at 16 bits, windows not considered"),
        *((f"{tower.modality} tower", f"{_count(tower.layers)} layers") for tower in network.towers),
    ]


def _layers(network: NetworkFacts) -> list[str]:
    """Return runs of like layers in words; the first few of many."""
    runs = [(facts, len(list(run))) for facts, run in groupby(network.layers)]
    if len(runs) > 3:
        kinds: dict[LayerFacts, int] = {}
        for facts, count in runs:
            kinds[facts] = kinds.get(facts, 0) + count
        runs = list(kinds.items())
    told = [_layer(facts, count) for facts, count in runs[:4]]
    return [*told, f"{len(runs) - 4} more kinds"] if len(runs) > 4 else told


def _layer(facts: LayerFacts, count: int) -> str:
    if facts.kind in {"recurrent", "none"}:
        return f"{count} {'recurrent' if facts.kind == 'recurrent' else 'without attention'}"
    window = f", window {facts.window_tokens}" if facts.window_tokens else ""
    heads = f"{_count(facts.heads)} heads, {_count(facts.kv_heads)} for keys of {_count(facts.key_length)}"
    return f"{count} of {heads}{window}{', experts' if facts.has_experts else ''}"


def _tokenizer_rows(facts: ModelFacts) -> list[tuple[str, str]]:
    tokenizer = facts.tokenizer
    if tokenizer is None:
        return []
    return [("tokenizer", f"{_text(tokenizer.model)}, {number(tokenizer.tokens)} tokens")]


def _show_tensors(facts: ModelFacts) -> None:
    made = table("tensor", "type", "shape", "bytes", "at", right=(3, 4))
    for tensor in facts.tensors:
        shape = " x ".join(map(str, tensor.shape)) or "scalar"
        made.add_row(shown(tensor.name, 200), tensor.type, shape, number(tensor.bytes), number(tensor.offset))
    console().print(made)


def _text(value: str | None) -> str:
    return "n/a" if value is None else shown(value, 200)


def _count(value: int | None) -> str:
    return "n/a" if value is None else str(value)
