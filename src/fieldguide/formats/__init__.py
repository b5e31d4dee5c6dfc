"""Headers of model files, read within bounds and without loading a tensor. Over any `ByteSource`.

`inspect_path` takes what lies on disk; `gguf_model` and `safetensors_model` take sources of any kind.
"""

from fieldguide.formats._architecture import architecture_of
from fieldguide.formats._caution import shown, template_warnings
from fieldguide.formats._folder import inspect_path
from fieldguide.formats._gguf import GgufHeader, read_gguf
from fieldguide.formats._gguf_model import gguf_model, part_names
from fieldguide.formats._gguf_values import GgufArray, GgufValue
from fieldguide.formats._model import ModelFacts, TiedHead, TokenizerFacts
from fieldguide.formats._network import LayerFacts, NetworkFacts, RecurrentFacts, TowerFacts
from fieldguide.formats._network_config import config_network, read_config
from fieldguide.formats._network_gguf import gguf_network
from fieldguide.formats._picture import PictureFacts, other_kind, picture_kind, read_picture
from fieldguide.formats._projector import ProjectorFacts, projector_of
from fieldguide.formats._projector_name import is_projector, model_words, projector_rank, projector_suits
from fieldguide.formats._recognise import Format, recognise, what_else
from fieldguide.formats._safetensors import SafetensorsHeader, read_safetensors
from fieldguide.formats._safetensors_model import read_index, safetensors_model
from fieldguide.formats._source import ByteSource, FileSource
from fieldguide.formats._tensor import TensorInfo, TypeShare

__all__ = [
    "ByteSource",
    "FileSource",
    "Format",
    "GgufArray",
    "GgufHeader",
    "GgufValue",
    "LayerFacts",
    "ModelFacts",
    "NetworkFacts",
    "PictureFacts",
    "ProjectorFacts",
    "RecurrentFacts",
    "SafetensorsHeader",
    "TensorInfo",
    "TiedHead",
    "TokenizerFacts",
    "TowerFacts",
    "TypeShare",
    "architecture_of",
    "config_network",
    "gguf_model",
    "gguf_network",
    "inspect_path",
    "is_projector",
    "model_words",
    "other_kind",
    "part_names",
    "picture_kind",
    "projector_of",
    "projector_rank",
    "projector_suits",
    "read_config",
    "read_gguf",
    "read_index",
    "read_picture",
    "read_safetensors",
    "recognise",
    "safetensors_model",
    "shown",
    "template_warnings",
    "what_else",
]
