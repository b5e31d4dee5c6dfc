"""Model files that already lie on this machine: `file:PATH`, or just the path."""

from __future__ import annotations

from pathlib import Path

from fieldguide.errors import NotFoundError, SourceError

_GGUF_MAGIC = b"GGUF"


class LocalFileSource:
    """Finds a model file by its path. Nothing is copied and nothing has to be fetched."""

    def resolve(self, path: str) -> Path:
        """Return the absolute path of an existing GGUF file.

        Args:
            path: As the user wrote it, with or without `file:` before it.

        Raises:
            NotFoundError: There is no such file.
            SourceError: It is not a GGUF file (its first four bytes are not `GGUF`), or it cannot be read.
        """
        found = Path(path.removeprefix("file:"))
        try:
            with found.open("rb") as file:
                magic = file.read(len(_GGUF_MAGIC))
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file {found}.", hint="Check the path.") from error
        except OSError as error:
            raise SourceError(f"{found} cannot be read: {error.strerror}.", hint="Name a GGUF file.") from error
        if magic != _GGUF_MAGIC:
            raise SourceError(f"{found} is not a GGUF file.", hint="Only GGUF models can be run from a file.")
        return found.resolve()
