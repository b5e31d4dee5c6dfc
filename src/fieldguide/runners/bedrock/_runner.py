"""A model of Bedrock's runtime, which also makes vectors and counts tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fieldguide.domain import (
    Capabilities,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    JsonValue,
    ResolvedModel,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._http_runner import HttpRunner, Wire
from fieldguide.runners._json import count_of, parse_object
from fieldguide.runners._transport import HttpCall, Transport
from fieldguide.runners.bedrock._embeddings import embedding_body, parse_embeddings
from fieldguide.runners.bedrock._request import request_body
from fieldguide.runners.bedrock._wire import address

_GEOGRAPHY = re.compile(r"(?:us-gov|us|eu|apac|jp|au|ca|sa|me|global)\.(?=[a-z0-9-]+\.)")
_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")


class BedrockRunner(HttpRunner):
    """One model at one address of Bedrock's runtime."""

    def __init__(
        self,
        wire: Wire,
        transport: Transport,
        *,
        model: ResolvedModel,
        capabilities: Capabilities,
        base_url: str,
        model_id: str,
        headers: Mapping[str, str],
        family: str | None = None,
    ) -> None:
        """`headers` go with every request, a bearer key among them; `family` is what an ARN does not tell."""
        super().__init__(wire, transport, model=model, capabilities=capabilities)
        self._base_url, self._model_id, self._headers = base_url, model_id, headers
        self._maker = family or model_id

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        if not self._capabilities.embeddings:
            raise UnsupportedError(self._model.name, "embeddings", hint="Name a model that makes vectors.")
        body = embedding_body(request, model=self._maker)
        received = await self._transport.whole(self._sent("invoke", body, self._model_id))
        return parse_embeddings(received.text, headers=received.headers, e2e_latency_s=received.e2e_latency_s)

    async def count_tokens(self, request: CompletionRequest) -> int:
        """Return how many tokens a conversation would put in, as Bedrock counts them; not every model is counted.

        Raises:
            UnsupportedError: The request cannot be said over Converse.
            RunnerError: The model is not counted, or the count could not be had.
        """
        body = count_body(request, model=self._model_id)
        received = await self._transport.whole(self._sent("count-tokens", body, foundation_of(self._model_id)))
        return parse_count(received.text)

    def _sent(self, operation: str, body: Mapping[str, JsonValue], model: str) -> HttpCall:
        return HttpCall(url=address(self._base_url, model, operation), json=body, headers=self._headers)


def count_body(request: CompletionRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the body that asks for a count: what of Converse's body is read by the model."""
    body = request_body(request, model=model)
    return {"input": {"converse": {name: body[name] for name in _COUNTED if name in body}}}


def parse_count(text: str) -> int:
    """Return the count of a response body.

    Raises:
        ResponseFormatError: It holds none.
    """
    counted = count_of(parse_object(text).get("inputTokens"))
    if counted is None:
        raise ResponseFormatError("The endpoint answered without a count of tokens.")
    return counted


def foundation_of(model: str) -> str:
    """Return the model behind a cross-region profile; tokens are counted by model and not by profile."""
    return _GEOGRAPHY.sub("", model, count=1) if _GEOGRAPHY.match(model) else model
