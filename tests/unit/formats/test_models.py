"""Models of several files, heads that are stored twice, packed weights, and what is no model at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import total_parameters
from fieldguide.errors import FormatError, InputFileError
from fieldguide.formats import ModelFacts, inspect_path
from tests.support.model_files import UINT16, Typed, gguf_bytes, llama_facts, safetensors_bytes, written
from tests.support.tiny_gguf import CHAT_TEMPLATE, tiny_gguf

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def saved(folder: Path, tensors: dict[str, Any], config: dict[str, Any] | None = None) -> ModelFacts:
    """Write a folder of a model and return what it is found to be."""
    written(folder / "model.safetensors", safetensors_bytes(tensors, {"format": "pt"}))
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return inspect_path(folder)


def test_a_real_file_says_everything(tmp_path: Path) -> None:
    """The tiny llama that llama.cpp loads: counts, context, template and shape agree with each other."""
    facts = inspect_path(tiny_gguf(tmp_path / "m.gguf", context_length=777))
    assert facts.network is not None
    assert facts.shape is not None
    assert facts.network.context_length_tokens == 777
    assert facts.parameters == total_parameters(facts.shape)
    assert facts.quantization == "F32"
    assert facts.bits_per_weight == 32
    assert facts.chat_template_sha256 == hashlib.sha256(CHAT_TEMPLATE.encode()).hexdigest()
    assert facts.tokenizer is not None
    assert facts.tokenizer.tokens == 3 + 2 * 26 + 256
    assert facts.head.tied is False
    assert facts.warnings == ()


def test_a_head_that_is_not_stored_is_the_embedding(tmp_path: Path) -> None:
    """GGUF without output.weight: the embedding counts once and is the head."""
    path = written(tmp_path / "m.gguf", gguf_bytes(llama_facts(), [("token_embd.weight", (32, 10), 0)]))
    facts = inspect_path(path)
    assert (facts.parameters, facts.head.tied, facts.head.known_by) == (320, True, "no output layer")


@pytest.mark.parametrize(("fill", "parameters"), [(b"\1", 320), (b"\2", 640)])
def test_a_copy_of_the_embedding_is_known_by_its_bytes(fill: bytes, parameters: int, tmp_path: Path) -> None:
    """GGUF that stores the head: equal bytes are a copy and count once, others count."""
    tensors = [("token_embd.weight", (32, 10), 0), ("output.weight", (32, 10), 0)]
    content = gguf_bytes(llama_facts(), tensors, fill={"token_embd.weight": b"\1", "output.weight": fill})
    facts = inspect_path(written(tmp_path / "m.gguf", content))
    assert (facts.parameters, facts.stored_parameters) == (parameters, 640)


@pytest.mark.parametrize(
    ("stated", "head", "parameters", "known_by"),
    [
        (True, b"\2", 12, "config.json"),
        (False, b"\1", 24, "config.json"),
        (None, b"\1", 12, "equal bytes"),
        (None, b"\2", 24, "unequal bytes"),
    ],
)
def test_a_stored_head_counts_as_the_configuration_says(
    stated: bool | None, head: bytes, parameters: int, known_by: str, tmp_path: Path
) -> None:
    """safetensors: config.json decides; where it says nothing, the bytes do."""
    tensors = {EMBEDDING: ("F32", [4, 3], b"\1" * 48), HEAD: ("F32", [4, 3], head * 48)}
    config = {"model_type": "llama"} | ({} if stated is None else {"tie_word_embeddings": stated})
    facts = saved(tmp_path, tensors, config)
    assert (facts.parameters, facts.stored_parameters, facts.head.known_by) == (parameters, 24, known_by)


def test_without_a_configuration_the_bytes_decide(tmp_path: Path) -> None:
    """A single file with nothing beside it still does not count a copy."""
    tensors = {EMBEDDING: ("BF16", [4, 3], b"\1" * 24), HEAD: ("BF16", [4, 3], b"\1" * 24)}
    facts = saved(tmp_path, tensors)
    assert (facts.parameters, facts.quantization, facts.architecture) == (12, "BF16", None)


@pytest.mark.parametrize(
    ("tensors", "quantization", "parameters", "name"),
    [
        (
            {"q.qweight": ("I32", [4, 8], b"\0" * 128), "q.scales": ("F16", [1, 8], b"\0" * 16)},
            {"quant_method": "gptq", "bits": 4},
            256,
            "gptq-int4",
        ),
        ({"q.qweight": ("I32", [4, 8], b"\0" * 128)}, {"quant_method": "gptq", "bits": 8}, 128, "gptq-int8"),
        ({"q.qweight": ("I32", [4, 8], b"\0" * 128)}, None, None, "I32"),
        (
            {"q.weight": ("F8_E4M3", [4, 8], b"\0" * 32), "q.weight_scale_inv": ("F32", [1, 1], b"\0" * 4)},
            {"quant_method": "fp8"},
            32,
            "fp8",
        ),
        (
            {"q_blocks": ("U8", [4, 16], b"\0" * 64), "q_scales": ("U8", [4], b"\0" * 4)},
            {"quant_method": "mxfp4"},
            128,
            "mxfp4",
        ),
        (
            {"q.weight": ("U8", [64, 1], b"\0" * 64), "q.weight.absmax": ("F32", [2], b"\0" * 8)},
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
            128,
            "bitsandbytes-nf4",
        ),
    ],
)
def test_packed_weights_are_counted_unpacked(
    tensors: dict[str, Any], quantization: Any, parameters: int | None, name: str, tmp_path: Path
) -> None:
    """Several weights in one stored number count each; scales do not; where nothing says how many, it is unknown."""
    facts = saved(tmp_path, tensors, {"quantization_config": quantization} if quantization else {})
    assert (facts.parameters, facts.quantization) == (parameters, name)
    assert bool(facts.warnings) == (parameters is None)


def sharded(folder: Path, *, total: int = 32, places: dict[str, str] | None = None) -> Path:
    """Write a model of two files with an index and return the second file."""
    one, two = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    written(folder / one, safetensors_bytes({"a": ("F32", [4], b"\0" * 16)}))
    written(folder / two, safetensors_bytes({"b": ("F32", [4], b"\0" * 16)}))
    index = {"metadata": {"total_size": total}, "weight_map": places or {"a": one, "b": two}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder / two


def test_shards_are_one_model(tmp_path: Path) -> None:
    """The folder, the index and any of the files give the same whole model."""
    second = sharded(tmp_path)
    for path in (tmp_path, tmp_path / "model.safetensors.index.json", second):
        facts = inspect_path(path)
        assert (facts.parameters, len(facts.files), facts.warnings) == (8, 2, ())


def test_an_index_that_lies_is_found_out(tmp_path: Path) -> None:
    """A wrong sum is a warning; a tensor elsewhere, a path, or a missing file is an error."""
    sharded(tmp_path, total=99)
    assert any("99 bytes" in text for text in inspect_path(tmp_path).warnings)
    one = "model-00001-of-00002.safetensors"
    sharded(tmp_path, places={"a": one, "b": one})
    with pytest.raises(FormatError, match=r"`b` into .* it stands nowhere"):
        inspect_path(tmp_path)
    for name in ("../other.safetensors", "a\0.safetensors", "x" * 300 + ".safetensors", "\ud800.safetensors", "a"):
        sharded(tmp_path, places={"a": name})
        with pytest.raises(FormatError, match="no file beside it"):
            inspect_path(tmp_path)
    sharded(tmp_path).unlink()
    with pytest.raises(FormatError, match="missing"):
        inspect_path(tmp_path)


def test_a_shard_without_its_index_is_joined_by_name(tmp_path: Path) -> None:
    """Names say how many there are."""
    second = sharded(tmp_path)
    (tmp_path / "model.safetensors.index.json").unlink()
    assert inspect_path(second).parameters == 8


def split(folder: Path, *, count: int = 2, number: int = 1, total: int = 2) -> tuple[Path, Path]:
    """Write a model of two GGUF files."""
    first = llama_facts() | {
        "split.no": Typed(UINT16, 0),
        "split.count": Typed(UINT16, count),
        "split.tensors.count": total,
    }
    second = {"split.no": Typed(UINT16, number), "split.count": Typed(UINT16, count), "split.tensors.count": total}
    return (
        written(folder / "m-00001-of-00002.gguf", gguf_bytes(first, [("token_embd.weight", (32, 10), 0)])),
        written(folder / "m-00002-of-00002.gguf", gguf_bytes(second, [("output_norm.weight", (32,), 0)])),
    )


def test_split_gguf_files_are_one_model(tmp_path: Path) -> None:
    """Any part, or the folder, gives the whole."""
    for path in (*split(tmp_path), tmp_path):
        facts = inspect_path(path)
        assert (facts.parameters, len(facts.files), facts.architecture) == (352, 2, "llama")


@pytest.mark.parametrize(
    ("change", "said"), [({"count": 3}, "3 parts"), ({"number": 0}, "not part 2"), ({"total": 9}, "says 9 tensors")]
)
def test_parts_that_do_not_belong_together_are_refused(change: dict[str, int], said: str, tmp_path: Path) -> None:
    """What the files say must agree with their names and with each other."""
    split(tmp_path, **change)
    with pytest.raises(FormatError, match=said):
        inspect_path(tmp_path)


def test_a_missing_or_renamed_part_is_told(tmp_path: Path) -> None:
    """Half a model is not inspected as if it were one."""
    first, second = split(tmp_path)
    second.unlink()
    with pytest.raises(FormatError, match="part 2 of 2 is missing"):
        inspect_path(first)
    with pytest.raises(FormatError, match="one of 2 parts"):
        inspect_path(first.rename(tmp_path / "renamed.gguf"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.bin", b"PK\x03\x04" + b"\0" * 22 + b"archive/data.pklFB", "pickle"),
        ("m.pt", b"\x80\x02}q\x00.", "pickle"),
        ("m.safetensors", b"\x80\x04\x95\x10\0\0\0\0\0\0\0.", "pickle"),
        ("m.gguf", b"<!DOCTYPE html><title>Sign in</title>", "HTML page"),
        ("m.gguf", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS pointer"),
        ("m.gguf", b"", "empty"),
        ("m.ckpt", b"tjgg\1\0\0\0", "GGML"),
        ("m.onnx", b"\x08\x07\x12\x07pytorch", "neither GGUF nor safetensors"),
    ],
)
def test_what_is_no_model_file_is_said_to_be_what_it_is(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    """A file is known by its bytes and not by its name; a pickle is refused and never opened."""
    with pytest.raises(FormatError, match=said) as caught:
        inspect_path(written(tmp_path / name, content))
    assert caught.value.hint


def test_folders_without_one_model_are_told(tmp_path: Path) -> None:
    """Empty, pickles only, or several models."""
    with pytest.raises(InputFileError, match=r"no \.safetensors or \.gguf"):
        inspect_path(tmp_path)
    written(tmp_path / "pytorch_model.bin", b"PK")
    with pytest.raises(InputFileError, match="pickles only"):
        inspect_path(tmp_path)
    tiny_gguf(tmp_path / "a.gguf")
    assert inspect_path(tmp_path).format == "gguf"
    tiny_gguf(tmp_path / "b.gguf")
    with pytest.raises(InputFileError, match="several models"):
        inspect_path(tmp_path)
    with pytest.raises(InputFileError, match="cannot be read"):
        inspect_path(tmp_path / ("x" * 300))


def test_a_chat_template_is_found_beside_the_weights(tmp_path: Path) -> None:
    """Its own file goes before tokenizer_config.json, as in transformers."""
    config = {"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert saved(tmp_path, {}).chat_template_sha256 == hashlib.sha256(b"y").hexdigest()
    (tmp_path / "chat_template.jinja").write_text("z")
    assert saved(tmp_path, {}).chat_template_sha256 == hashlib.sha256(b"z").hexdigest()


def test_a_file_type_that_does_not_go_with_the_tensors_is_doubted(tmp_path: Path) -> None:
    """The name comes from the tensors where the stated one cannot be."""
    tensors = [("blk.0.attn_q.weight", (256, 4), 12)]
    path = tmp_path / "m.gguf"
    facts = inspect_path(written(path, gguf_bytes(llama_facts() | {"general.file_type": 15}, tensors)))
    assert (facts.quantization, facts.warnings) == ("Q4_K_M", ())
    facts = inspect_path(written(path, gguf_bytes(llama_facts() | {"general.file_type": 7}, tensors)))
    assert (facts.quantization, facts.quantization_stated) == ("Q4_K", "Q8_0")
    assert any("file_type" in text for text in facts.warnings)
    facts = inspect_path(written(path, gguf_bytes(llama_facts(), tensors)))
    assert (facts.quantization, facts.quantization_stated, facts.warnings) == ("Q4_K", None, ())
