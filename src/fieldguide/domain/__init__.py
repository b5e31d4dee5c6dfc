"""Frozen values in the field's words, with units in their names. Knows nothing of the rest of the program."""

from fieldguide.domain.architecture import Architecture, Scheme
from fieldguide.domain.completion import (
    Completion,
    CompletionRequest,
    FinishReason,
    Latency,
    TextDelta,
    Usage,
)
from fieldguide.domain.exam import Decoding, Exam, ExamItem, request_for
from fieldguide.domain.hardware import Device, DeviceKind, EngineMeasurement, Figure, Hardware, Price, first
from fieldguide.domain.json_value import JsonValue, canonical_json, content_sha256
from fieldguide.domain.layer_cache import LayerCache, layer_caches
from fieldguide.domain.message import Message, Role
from fieldguide.domain.model import Capabilities, ResolvedModel
from fieldguide.domain.network import Network, network_of
from fieldguide.domain.parameter_count import active_parameters, embedding_parameters, total_parameters
from fieldguide.domain.score import ItemScore, Outcome, Score, ScorerIdentity, with_tail
from fieldguide.domain.tensor import Tensor, tensors_of
from fieldguide.domain.verdict import Accuracy, Look, Verdict, VerdictKind

__all__ = [
    "Accuracy",
    "Architecture",
    "Capabilities",
    "Completion",
    "CompletionRequest",
    "Decoding",
    "Device",
    "DeviceKind",
    "EngineMeasurement",
    "Exam",
    "ExamItem",
    "Figure",
    "FinishReason",
    "Hardware",
    "ItemScore",
    "JsonValue",
    "Latency",
    "LayerCache",
    "Look",
    "Message",
    "Network",
    "Outcome",
    "Price",
    "ResolvedModel",
    "Role",
    "Scheme",
    "Score",
    "ScorerIdentity",
    "Tensor",
    "TextDelta",
    "Usage",
    "Verdict",
    "VerdictKind",
    "active_parameters",
    "canonical_json",
    "content_sha256",
    "embedding_parameters",
    "first",
    "layer_caches",
    "network_of",
    "request_for",
    "tensors_of",
    "total_parameters",
    "with_tail",
]
