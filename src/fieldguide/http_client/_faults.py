"""What can go wrong on a line."""

from __future__ import annotations


class UnreachedError(OSError):
    """No connection could be made, so that nothing was sent."""


class LineBrokenError(OSError):
    """The other side closed the connection, or sent what is not HTTP.

    Attributes:
        begun: Whether the head of an answer had come.
    """

    def __init__(self, message: str, *, begun: bool) -> None:
        self.begun = begun
        super().__init__(message)
