"""Model files that already lie on this machine: `file:PATH`, or just the path."""

from __future__ import annotations

from pathlib import Path

from fieldguide.errors import NotFoundError, SourceError
from fieldguide.sources._offer import SourceSettings


class LocalFileSource:
    """Finds a model file by its path. Nothing is copied and nothing has to be fetched."""

    def __init__(self, settings: SourceSettings | None = None) -> None:
        """Nothing outside is needed."""

    def resolve(self, path: str) -> Path:
        """Return the absolute path of an existing file; the engine that loads it checks what is in it.

        Args:
            path: As the user wrote it, with or without `file:` before it; `~` is the user's home.

        Raises:
            NotFoundError: There is no such file.
            SourceError: It cannot be read.
        """
        found = Path(path.removeprefix("file:")).expanduser()
        try:
            with found.open("rb"):
                pass
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file {found}.", hint="Check the path.") from error
        except OSError as error:
            raise SourceError(f"{found} cannot be read: {error.strerror}.", hint="Name a GGUF file.") from error
        return found.resolve()
