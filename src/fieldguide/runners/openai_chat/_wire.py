"""The wire of chat completions: where requests go, and how answers are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.openai_chat._dialect import Dialect
from fieldguide.runners.openai_chat._request import request_body
from fieldguide.runners.openai_chat._response import parse_completion
from fieldguide.runners.openai_chat._stream import StreamedAnswer


class ChatWire:
    """One model at one base URL, in one dialect."""

    def __init__(self, base_url: str, model: str, dialect: Dialect, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, the key among them."""
        self._base_url, self._model, self._dialect, self._headers = base_url, model, dialect, headers

    @property
    def provider(self) -> str:
        """The dialect's name."""
        return self._dialect.provider

    @property
    def answers_alike(self) -> bool:
        """Whether a client of OpenAI's can read the answers as they come."""
        return self._dialect.answers_alike

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request: conversations to /chat/completions, plain texts to /completions."""
        path = "/chat/completions" if request.prompt is None else "/completions"
        body = request_body(request, model=self._model, stream=stream, dialect=self._dialect)
        return HttpCall(url=self._base_url + path, json=body, headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s, provider=self.provider)

    def unwrapped(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the bytes of the events, out of whatever is around them: here nothing."""
        return pieces

    async def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events up to the one that says that all were sent."""
        async for data in events(self.unwrapped(pieces)):
            if data.strip() == "[DONE]":
                return
            yield data

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s, provider=self.provider)
