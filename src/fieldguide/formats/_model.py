"""What the files of one model say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fieldguide.domain import Architecture
from fieldguide.formats._gguf import ByteOrder
from fieldguide.formats._network import NetworkFacts
from fieldguide.formats._recognise import Format
from fieldguide.formats._tensor import TensorInfo, TypeShare, shares, sum_known


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFacts:
    """The vocabulary that a GGUF file carries. None is unknown."""

    model: str | None
    """Kind of tokenizer: `llama` (SentencePiece), `gpt2` (byte pairs), `bert`, `t5`, `rwkv`."""
    pre: str | None
    """How text is cut before byte pairs are merged."""
    tokens: int | None
    merges: int | None
    bos_token_id: int | None
    eos_token_id: int | None
    tokens_sha256: str | None
    """Of the tokens as stored: equal in two files of the same version and byte order with the same vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedHead:
    """Whether the output layer is the embedding again, and how that is known. None is unknown."""

    tied: bool | None
    stored_twice: bool
    """A copy of the embedding stands in the file as output layer."""
    copy_parameters: int
    """What that copy would add if it were counted."""
    known_by: str
    """`no output layer`, `config.json`, `equal bytes`, `unequal bytes`, `unequal shape or type`, `architecture` or
    `nothing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One model: every fact that its headers and its config.json state or imply. None is unknown."""

    format: Format
    version: int | None
    """Of GGUF; safetensors has none."""
    byte_order: ByteOrder
    files: Mapping[str, int]
    """Size in bytes of every file that holds tensors, by name."""
    architecture: str | None
    name: str | None
    """The title that the file gives itself."""
    network: NetworkFacts | None
    shape: Architecture | None
    """None where the scheme has no closed form."""
    tensors: tuple[TensorInfo, ...]
    head: TiedHead
    quantization: str | None
    quantization_stated: str | None
    """As the file calls it, where it does."""
    chat_template_sha256: str | None
    tokenizer: TokenizerFacts | None
    metadata_keys: int
    """Of GGUF all keys, of safetensors those under `__metadata__`."""
    warnings: tuple[str, ...]

    @property
    def file_bytes(self) -> int:
        """Bytes of all files that hold tensors."""
        return sum(self.files.values())

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.bytes for tensor in self.tensors)

    @property
    def stored_parameters(self) -> int | None:
        """Weights as stored: a copy of the embedding counts again."""
        return sum_known(tensor.parameters for tensor in self.tensors) if self.tensors else None

    @property
    def parameters(self) -> int | None:
        """Weights of the network: a tied output layer counts once."""
        stored = self.stored_parameters
        return None if stored is None else stored - self.head.copy_parameters

    @property
    def bits_per_weight(self) -> float | None:
        """Bits that a stored weight takes on average, scales and tables included."""
        stored = self.stored_parameters
        return 8 * self.weights_bytes / stored if stored else None

    @property
    def type_shares(self) -> tuple[TypeShare, ...]:
        """What each element type has of tensors, parameters and bytes."""
        return shares(self.tensors)
