"""Google's models at Vertex AI: the wire of the Gemini API, but for vectors and counts."""

from __future__ import annotations

from fieldguide.domain import CompletionRequest, EmbeddingRequest, JsonValue
from fieldguide.runners.gemini import GeminiRunner, request_body
from fieldguide.runners.vertex._place import PROVIDER


class VertexRunner(GeminiRunner):
    """One model of Google's in Google's cloud."""

    def _embedding(self, request: EmbeddingRequest) -> tuple[str, dict[str, JsonValue]]:
        """Return method and body: `predict`, but for the newer models that are called Gemini."""
        if "gemini" in self._model_name and "gemini-embedding-001" not in self._model_name:
            return embed_content(request)
        return "predict", predict_body(request)

    def _counting(self, request: CompletionRequest) -> dict[str, JsonValue]:
        return counting_body(request, model=self._model_name)


def counting_body(request: CompletionRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the body of `countTokens`: what of a request it counts."""
    body = request_body(request, model=model, provider=PROVIDER)
    counted = ("contents", "systemInstruction", "tools", "generationConfig")
    return {name: body[name] for name in counted if name in body}


def predict_body(request: EmbeddingRequest) -> dict[str, JsonValue]:
    """Return the body of `predict` for vectors; extra parameters go with the length of the vectors."""
    purpose: dict[str, JsonValue] = {} if request.purpose is None else {"task_type": request.purpose}
    parameters = dict(request.extra.get(PROVIDER, {}))
    if request.dimensions is not None:
        parameters["outputDimensionality"] = request.dimensions
    body: dict[str, JsonValue] = {"instances": [{"content": text, **purpose} for text in request.texts]}
    return body | ({"parameters": parameters} if parameters else {})


def embed_content(request: EmbeddingRequest) -> tuple[str, dict[str, JsonValue]]:
    """Return method and body for vectors of one text, or of several."""
    config: dict[str, JsonValue] = {} if request.purpose is None else {"taskType": request.purpose}
    if request.dimensions is not None:
        config["outputDimensionality"] = request.dimensions
    config |= request.extra.get(PROVIDER, {})
    told: dict[str, JsonValue] = {"embedContentConfig": config} if config else {}
    bodies: list[dict[str, JsonValue]] = [{"content": {"parts": [{"text": text}]}, **told} for text in request.texts]
    return ("embedContent", bodies[0]) if len(bodies) == 1 else ("batchEmbedContents", {"requests": bodies})
