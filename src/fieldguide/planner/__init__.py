"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

from fieldguide.planner._ranges import Range
from fieldguide.planner._speed import Bound, DecodeLoad, DecodeSpeed, decode_speed, prefill_speed
from fieldguide.planner._speed_constants import EngineOnDevice, constants_of

__all__ = [
    "Bound",
    "DecodeLoad",
    "DecodeSpeed",
    "EngineOnDevice",
    "Range",
    "constants_of",
    "decode_speed",
    "prefill_speed",
]
