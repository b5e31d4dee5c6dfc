"""The wire of DashScope's own API: two endpoints for conversations, and streams by a header."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Audio, Completion, CompletionRequest, Image, Video
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.model_studio._messages import PROVIDER
from fieldguide.runners.model_studio._request import request_body
from fieldguide.runners.model_studio._response import StreamedAnswer, parse_completion

TEXT_PATH = "/services/aigc/text-generation/generation"
MULTIMODAL_PATH = "/services/aigc/multimodal-generation/generation"
_SEES = re.compile(r"-vl\b|-vl-|^qvq|-omni|-audio|-ocr|^qwen3\.[5-9]", re.I)
"""Models that the multimodal endpoint serves: those for pictures and sound, and Qwen from 3.5 on."""


class DashScopeWire:
    """One model in one region."""

    def __init__(
        self, base_url: str, model: str, *, headers: Mapping[str, str], multimodal: bool | None = None
    ) -> None:
        """`multimodal` chooses the endpoint; None goes by the model's name and by what is shown to it."""
        self.base_url, self.model, self.headers = base_url, model, headers
        self._multimodal = multimodal

    @property
    def provider(self) -> str:
        """Model Studio's name."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        in_parts = self._in_parts(request)
        body = request_body(request, model=self.model, stream=stream, in_parts=in_parts)
        path = MULTIMODAL_PATH if in_parts else TEXT_PATH
        sse = {"X-DashScope-SSE": "enable", "Accept": "text/event-stream"} if stream else {}
        return HttpCall(url=self.base_url + path, json=body, headers={**self.headers, **sse})

    def _in_parts(self, request: CompletionRequest) -> bool:
        if self._multimodal is not None:
            return self._multimodal
        blocks = [block for message in request.messages or () for block in message.blocks]
        return bool(_SEES.search(self.model)) or any(isinstance(block, Image | Audio | Video) for block in blocks)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events; their ids, names and the status comment say nothing more."""
        return events(pieces)

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s)
