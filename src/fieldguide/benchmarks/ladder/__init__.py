"""Our own benchmark: generated items with exact targets, on which the smallest and the largest models both score.

`ladder[@SEED]` needs no download and cannot have been seen in training. Design and calibration:
docs/decisions/ladder.md.
"""

from fieldguide.benchmarks.ladder._benchmark import Ladder

__all__ = ["Ladder"]
