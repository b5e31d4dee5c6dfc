"""What is looked at before a file is kept: nothing in it may run, and its format must hold.

A scan informs, refusal protects: a file of a kind that can carry a program is refused whatever a scanner says of it.
"""

from fieldguide.sources.safety._check import check_file
from fieldguide.sources.safety._kinds import refused_kind

__all__ = ["check_file", "refused_kind"]
