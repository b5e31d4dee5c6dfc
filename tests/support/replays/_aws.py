"""What recordings of Amazon's services have in common, with botocore and its service models as the judge."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.validate
from botocore.eventstream import EventStreamBuffer

from fieldguide.domain import Completion
from tests.support.replay import Exchange, without_nulls


@cache
def service(name: str) -> Any:
    """Return a service model of botocore's."""
    description = botocore.loaders.Loader().load_service_model(name, "service-2")
    return botocore.model.ServiceModel(description, name)


def schema_errors(name: str, operation: str, body: Mapping[str, Any], **address: str) -> Sequence[str]:
    """Return what botocore has against a body; bytes are as they stand in JSON, base64."""
    shape = service(name).operation_model(operation).input_shape
    report = botocore.validate.ParamValidator().validate({**body, **address}, shape)
    return [report.generate_report()] if report.has_errors() else []


def parsed(name: str, operation: str, exchange: Exchange) -> Any:
    """Return what botocore reads in a whole response."""
    return _plain(_parsed(name, operation, exchange.status, exchange.response_headers, exchange.response))


def _parsed(name: str, operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    parser = botocore.parsers.create_parser("rest-json")
    shape = service(name).operation_model(operation).output_shape
    found = parser.parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    found.pop("ResponseMetadata", None)
    return found


def events(name: str, shape: str, data: bytes) -> list[Any]:
    """Return the events of a stream as botocore reads them."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    parser = botocore.parsers.create_parser("rest-json")._event_stream_parser
    model = service(name).shape_for(shape)
    return [_plain(parser.parse(message.to_response_dict(), model)) for message in buffer]


def payloads(data: bytes) -> list[tuple[str, bytes]]:
    """Return name and payload of each message, by botocore."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(str(message.headers.get(":event-type")), message.payload) for message in buffer]


def _plain(value: Any) -> Any:
    """Return JSON: bytes in base64, nothing null."""

    def written(each: Any) -> Any:
        return base64.b64encode(each).decode() if isinstance(each, bytes) else str(each)

    return without_nulls(json.loads(json.dumps(value, default=written)))


def streamed(
    exchange: Exchange, frames: Callable[[AsyncIterator[bytes]], AsyncIterator[str]], answer: Any
) -> Completion:
    """Return what an answer becomes of a recorded stream, which arrives in pieces that end anywhere."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(exchange.response), 97):
            yield exchange.response[start : start + 97]

    async def read() -> Completion:
        async for data in frames(pieces()):
            answer.take(data, now_s=1.0)
        return cast(Completion, answer.completion(now_s=2.0))

    return cast(Completion, run(read()))


def run(reading: Any) -> Any:
    """Return what a coroutine returns that waits for nothing, also inside a running loop."""
    try:
        while True:
            reading.send(None)
    except StopIteration as end:
        return end.value
