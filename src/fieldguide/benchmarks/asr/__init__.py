"""Speech recognition: recordings to be written down, judged by their word error rate."""

from fieldguide.benchmarks.asr._benchmark import Asr

__all__ = ["Asr"]
