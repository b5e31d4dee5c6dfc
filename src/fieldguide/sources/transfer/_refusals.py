"""How a request for bytes can fail."""

from __future__ import annotations

from collections.abc import Mapping


class FaultError(Exception):
    """Something that asking again may mend.

    Attributes:
        retry_after_s: How long the server asks to wait (seconds); None where it does not say.
        unreached: No connection came about.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, unreached: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.unreached = unreached


class RefusalError(Exception):
    """The server will not give the file, and asking again does not help.

    Attributes:
        status: HTTP status; None where the fault lies elsewhere.
        headers: Of the answer, names in lower case.
        body: Its beginning.
    """

    def __init__(
        self, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = body
