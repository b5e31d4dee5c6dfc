"""Mutants of model files, and what must hold of every one: an answer or an error of ours, soon and in little memory.

By hand, for a longer time or guided by coverage (`pip install atheris`):

    python -m tests.support.format_fuzz gguf --seconds 600
    python -m tests.support.format_fuzz safetensors --seconds 600 --atheris
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

from fieldguide.app.inspect import model_json
from fieldguide.errors import FieldguideError, FormatError
from fieldguide.formats import ModelFacts, gguf_model, recognise, safetensors_model
from tests.support.model_files import (
    ARRAY,
    FLOAT32,
    STRING,
    UINT16,
    FakeRemote,
    Typed,
    gguf_bytes,
    headed,
    llama_facts,
    safetensors_bytes,
)

Kind = Literal["gguf", "safetensors"]
SLOWEST_S = 2.0
MOST_GROWTH_BYTES = 100_000_000
_EDGES = [0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 65_535, 65_536, 1 << 20]
_EDGES += [2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 64, 2**64 - 1]
_SMALL_TENSORS = [
    ("token_embd.weight", (32, 6), 0),
    ("output.weight", (32, 6), 0),
    ("blk.0.attn_q.weight", (256, 2), 12),
]
_TEMPLATES = [
    "{{ messages[0] }}",
    "{% for m in messages %}{{ m }}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}",
]


def examine(kind: Kind, content: bytes) -> str:
    """Return the outcome of one file in a word: `accepted`, or the error without its numbers and names.

    Raises:
        AssertionError: Anything that must not be: another exception, a place outside the file, or too much time.
    """
    source = FakeRemote(content, name=f"m.{kind}")
    began_s = time.process_time()
    try:
        facts = _read(kind, source)
    except FormatError as error:
        _check_error(error, len(content))
        outcome = _signature(error.reason)
    except FieldguideError as error:
        outcome = _signature(error.message)
    else:
        _check_sound(facts, len(content))
        outcome = f"accepted: {_signature(min(facts.warnings, default='soundly'))}"
    took_s = time.process_time() - began_s
    assert took_s < SLOWEST_S, f"{took_s:.1f} s for {len(content)} bytes"
    return outcome


def _read(kind: Kind, source: FakeRemote) -> ModelFacts:
    if recognise(source) == "gguf":
        return gguf_model({source.name: source})
    config = b"{}"  # a mutant of a config.json may stand after the tensors, where the format allows nothing
    if kind == "safetensors" and source.content[-2:] == b"}!":
        start = source.content.rfind(b"!{") + 1
        config, source.content = source.content[start:-1], source.content[: max(start - 1, 0)]
    return safetensors_model({source.name: source}, {"config.json": FakeRemote(config, name="config.json")})


def _check_error(error: FormatError, size: int) -> None:
    assert 0 <= error.offset <= size, f"{error} lies outside the file"
    assert "\n" not in error.message


def _check_sound(facts: ModelFacts, size: int) -> None:
    """Whatever is accepted makes sense: tensors within the file and apart, and values that JSON can hold."""
    end = 0
    for tensor in sorted(facts.tensors, key=lambda tensor: (tensor.offset, tensor.bytes)):
        assert tensor.bytes == 0 or end <= tensor.offset <= tensor.offset + tensor.bytes <= size, tensor
        end = max(end, tensor.offset + tensor.bytes)
    assert facts.parameters is None or facts.parameters >= 0
    json.dumps(model_json(facts, with_tensors=True), allow_nan=False)


def _signature(reason: str) -> str:
    plain = re.sub(r"`[^`]*`|b'.*?'|b\".*?\"", "_", reason)
    return re.sub(r"-?\d+", "0", plain)[:160]


def mutant(kind: Kind, rng: random.Random) -> bytes:
    """Return a file that began sound and has been hurt in one to four places; one in twenty is not hurt."""
    content = bytearray(_SEEDS[kind](rng))
    if rng.random() < 0.05:
        return bytes(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        rng.choice(_HURTS)(content, rng)
    return bytes(content)


def _gguf_seed(rng: random.Random) -> bytes:
    facts: dict[str, Any] = llama_facts()
    facts["tokenizer.chat_template"] = rng.choice(_TEMPLATES)
    pool: dict[str, Any] = {
        "general.name": rng.choice(["bird", "<b>", "\x1b[0m"]),
        "general.alignment": 32,
        "general.file_type": rng.choice([0, 2, 15, 1024, 99]),
        "tokenizer.ggml.tokens": ["a", "b", "c"] * rng.choice([1, 2, 400]),
        "tokenizer.ggml.scores": Typed(ARRAY, [0.5] * rng.choice([0, 3, 1100]), FLOAT32),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.bos_token_id": rng.choice(_EDGES[:20]),
        "llama.attention.head_count_kv": [2, 0],
        "llama.expert_count": 4,
        "llama.attention.kv_lora_rank": 8,
        "llama.attention.sliding_window": 16,
        "split.count": Typed(UINT16, rng.choice([1, 2])),
        "a.empty": Typed(ARRAY, [], STRING),
        "general.architecture": rng.choice(["llama", "gemma3", "mamba", "qwen3next", "deepseek2"]),
    }
    for key in rng.sample(sorted(pool), rng.randint(0, len(pool))):
        facts[key] = pool[key]
    if facts["general.architecture"] != "llama":
        family = facts["general.architecture"]
        facts = {key.replace("llama.", f"{family}."): value for key, value in facts.items()}
    tensors = rng.sample(_SMALL_TENSORS, rng.randint(0, len(_SMALL_TENSORS)))
    return gguf_bytes(facts, tensors, version=rng.choice([1, 2, 3, 3, 3]), order=rng.choice(["<", "<", "<", ">"]))


def _safetensors_seed(rng: random.Random) -> bytes:
    tensors = {
        name: ("F32", [4, 2], b"\1" * 32)
        for name in rng.sample(["lm_head.weight", "embed_tokens.weight", "a.qweight", "b", "../c"], rng.randint(0, 4))
    }
    content = safetensors_bytes(tensors, {"format": "pt"} if rng.random() < 0.5 else None)
    if rng.random() < 0.4:
        return content + _config(rng)
    if rng.random() < 0.5:
        return content
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    _hurt_json(header, rng)
    return headed(json.dumps(header).encode(), content[8 + length :])


def _config(rng: random.Random) -> bytes:
    config: dict[str, Any] = {
        "model_type": rng.choice(["llama", "gemma3_text", "deepseek_v3", "qwen3_next"]),
        "num_hidden_layers": 3,
        "hidden_size": 8,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 16,
        "layer_types": ["full_attention", "sliding_attention", "linear_attention"],
        "tie_word_embeddings": True,
        "text_config": {"num_hidden_layers": 2, "vocab_size": 3},
        "quantization_config": {"bits": 4, "quant_method": "gptq", "config_groups": {"a": {"weights": {}}}},
        "vision_config": {"depth": 2},
        "moe_layer_freq": [0, 1],
        "kv_lora_rank": 4,
        "hybrid_override_pattern": "M*-",
    }
    for key in rng.sample(sorted(config), rng.randint(0, 8)):
        del config[key]
    for _ in range(rng.randint(0, 2)):
        _hurt_json(config, rng)
    return b"!" + json.dumps(config).encode() + b"!"


def _hurt_json(value: Any, rng: random.Random) -> None:
    """Replace one value somewhere in a JSON value."""
    while isinstance(value, dict | list) and value:
        key: Any = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        inside = value[key]
        if not isinstance(inside, dict | list) or not inside or rng.random() < 0.3:
            value[key] = rng.choice([None, True, "", "F16", -1, 1.5, [], {}, [0], *_EDGES])
            return
        value = inside


def _edge(content: bytearray, rng: random.Random) -> None:
    """Write a number at the edge of something over 4 or 8 bytes."""
    code = rng.choice(["<I", "<Q", ">I", ">Q"])
    at = rng.randrange(max(len(content) - 7, 1))
    number = rng.choice(_EDGES) & ((1 << 8 * struct.calcsize(code)) - 1)
    content[at : at + struct.calcsize(code)] = struct.pack(code, number)


def _step(content: bytearray, rng: random.Random) -> None:
    """Raise or lower a byte of the first kilobyte by one: counts, lengths and types stand there."""
    if content:
        at = rng.randrange(min(len(content), 1024))
        content[at] = (content[at] + rng.choice([-1, 1])) % 256


def _flip(content: bytearray, rng: random.Random) -> None:
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _cut(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content) + 1) :]


def _drop(content: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(content) + 1)
    del content[at : at + rng.choice([1, 4, 8, 32])]


def _double(content: bytearray, rng: random.Random) -> None:
    at, length = rng.randrange(len(content) + 1), rng.choice([1, 8, 40, 200])
    content[at:at] = content[at : at + length]


def _grow(content: bytearray, rng: random.Random) -> None:
    content += rng.randbytes(rng.choice([1, 32, 100]))


_HURTS: list[Callable[[bytearray, random.Random], None]] = [
    _edge,
    _edge,
    _step,
    _step,
    _flip,
    _cut,
    _drop,
    _double,
    _grow,
]
_SEEDS: dict[str, Callable[[random.Random], bytes]] = {"gguf": _gguf_seed, "safetensors": _safetensors_seed}


def fuzz(kind: Kind, *, seconds: float, seed: int) -> tuple[int, dict[str, bytes]]:
    """Return how many mutants were examined, and the shortest of each outcome.

    Raises:
        AssertionError: A finding; the message holds the input as hex digits.
    """
    rng = random.Random(seed)
    found: dict[str, bytes] = {}
    until_s, count = time.monotonic() + seconds, 0
    before_bytes = _peak_bytes()
    while time.monotonic() < until_s:
        content = mutant(kind, rng)
        try:
            outcome = examine(kind, content)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {content.hex()}") from error
        if outcome not in found or len(content) < len(found[outcome]):
            found[outcome] = content
        count += 1
    assert _peak_bytes() - before_bytes < MOST_GROWTH_BYTES
    return count, found


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _with_atheris(kind: Kind, seconds: int) -> None:  # pragma: no cover - needs a package that tests do not
    import atheris

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=8192"], lambda raw: examine(kind, raw))
    atheris.Fuzz()


def main() -> None:
    """Fuzz one reader and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("gguf", "safetensors"))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", help="write the shortest input of each outcome here, as JSON")
    parser.add_argument("--atheris", action="store_true")
    arguments = parser.parse_args()
    if arguments.atheris:
        _with_atheris(arguments.kind, int(arguments.seconds))
        return
    count, found = fuzz(arguments.kind, seconds=arguments.seconds, seed=arguments.seed)
    print(f"{count} mutants, {len(found)} outcomes, peak {_peak_bytes() / 1e6:.0f} MB, nothing found")
    if arguments.corpus:
        with open(arguments.corpus, "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump({outcome: raw.hex() for outcome, raw in sorted(found.items())}, file, indent=0)


if __name__ == "__main__":
    main()
