"""The wires of Bedrock's runtime: Converse, and InvokeModel with the body of Amazon's Nova."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from fieldguide.domain import Completion, CompletionRequest, JsonValue
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._json import parse_object, text_of
from fieldguide.runners._media import from_base64
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.aws import events_of
from fieldguide.runners.bedrock._content import PROVIDER
from fieldguide.runners.bedrock._request import request_body
from fieldguide.runners.bedrock._response import parse_completion
from fieldguide.runners.bedrock._stream import StreamedAnswer


def address(base_url: str, model: str, operation: str) -> str:
    """Return the address of an operation. A colon stays as it is: what is signed has to be what is sent."""
    return f"{base_url}/model/{quote(model, safe=':')}/{operation}"


async def named_frames(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Yield each event as an object with its name."""
    async for event in events_of(pieces):
        yield f"{{{json.dumps(event.name)}: {_text(event.payload) or 'null'}}}"


async def chunk_frames(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Yield what the model itself says in each chunk."""
    async for event in events_of(pieces):
        if event.name == "chunk":
            data = from_base64(text_of(parse_object(_text(event.payload)).get("bytes")) or "")
            if data is None:
                raise ResponseFormatError("A chunk of the stream holds no base64.")
            yield _text(data)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ResponseFormatError("The stream is not UTF-8, although JSON has to be.") from error


class ConverseWire:
    """One model over Converse."""

    def __init__(self, base_url: str, model: str, *, headers: Mapping[str, str], told_by: str | None = None) -> None:
        """`headers` go with every request, a bearer key among them; `told_by` names the family that an ARN hides."""
        self._base_url, self._model, self._headers = base_url, model, headers
        self._told_by = told_by or model

    @property
    def provider(self) -> str:
        """The name under which Bedrock's own blocks and data are kept."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        url = address(self._base_url, self._model, "converse-stream" if stream else "converse")
        return HttpCall(url=url, json=request_body(request, model=self._told_by), headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the events, each with its name."""
        return named_frames(pieces)

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s)


class NovaWire(ConverseWire):
    """One of Amazon's Nova models over InvokeModel: Converse's words in Nova's own body."""

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        url = address(self._base_url, self._model, operation_of(stream=stream))
        return HttpCall(url=url, json=nova_body(request, model=self._told_by), headers=self._headers)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield what the model says in each chunk, which is Converse's events."""
        return chunk_frames(pieces)


def nova_body(request: CompletionRequest, *, model: str) -> dict[str, JsonValue]:
    """Return Nova's own body: Converse's, with the name of its form."""
    return {"schemaVersion": "messages-v1", **request_body(request, model=model)}


def operation_of(*, stream: bool) -> str:
    """Return InvokeModel's operation."""
    return "invoke-with-response-stream" if stream else "invoke"
