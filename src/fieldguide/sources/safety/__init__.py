"""What is looked at before a file is kept: nothing in it may run, and its format must hold.

A scan informs, refusal protects: a file of a kind that can carry a program is refused whatever a scanner says of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldguide.sources.safety._kinds import refused_kind

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_file", "refused_kind"]


def check_file(path: str, place: Path) -> tuple[str, ...]:
    """Return what should be known of a file, one sentence each.

    Nothing in the file is run or unpickled. Its chat templates are rendered in a child process that may do nothing.

    Args:
        path: Its name in its repository, which says what it is meant to be.
        place: Where its bytes lie.

    Raises:
        UnsafeFileError: It can carry a program, or its chat template reaches outside or never ends.
        FormatError: It is damaged, or not what its name says.
    """
    from fieldguide.sources.safety._check import checked  # Reads formats: most commands check nothing.

    return checked(path, place)
