"""What runners of speech share: they do not converse, and say so."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fieldguide.domain import Capabilities, Completion, CompletionRequest, ResolvedModel, StreamPiece
from fieldguide.errors import UnsupportedError


class SpeechAlone:
    """A runner that hears or speaks and answers no question."""

    _does: str
    """What it does instead, with the command, for the hint."""

    def __init__(self, model: ResolvedModel, capabilities: Capabilities) -> None:
        """Say what it is and what may be asked of it."""
        self._model, self._capabilities = model, capabilities

    @property
    def model(self) -> ResolvedModel:
        """The exact model behind this runner."""
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked of it."""
        return self._capabilities

    async def complete(self, request: CompletionRequest) -> Completion:
        """Refuse: it does not converse."""
        raise self._no_chat()

    def stream(self, request: CompletionRequest) -> AsyncIterator[StreamPiece | Completion]:
        """Refuse: it does not converse."""
        raise self._no_chat()

    def _no_chat(self) -> UnsupportedError:
        return UnsupportedError(self._model.name, "answering in words", hint=self._does)
