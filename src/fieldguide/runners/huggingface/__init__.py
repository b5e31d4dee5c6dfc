"""Hugging Face's Inference Providers, and dedicated endpoints that run TGI or TEI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from fieldguide.domain import (
    Capabilities,
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    JsonValue,
    Latency,
    ResolvedModel,
    SpeechRequest,
    SpeechResult,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._http_runner import HttpRunner, Wire
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, endpoint_of, identity_of, key_of, model_named
from fieldguide.runners._transport import HttpCall, Received, Transport, check_address
from fieldguide.runners.huggingface import _tasks as tasks
from fieldguide.runners.huggingface._generate import (
    PROVIDER,
    GenerateWire,
    StreamedText,
    generate_body,
    parse_generated,
)
from fieldguide.runners.openai_chat import ANY_SERVER, ChatWire, Dialect

__all__ = [
    "HUGGINGFACE",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "GenerateWire",
    "HuggingFaceRunner",
    "StreamedText",
    "generate_body",
    "open_runner",
    "parse_generated",
    "tasks",
]

VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_INFERENCE_BASE_URL")
OPTIONS = ("base_url", "endpoint")
ROUTER = "https://router.huggingface.co"
BASE_URL = f"{ROUTER}/v1"
WHERE = "https://huggingface.co/settings/tokens (with the permission to call Inference Providers)"
HUGGINGFACE = Dialect(
    provider=PROVIDER,
    capabilities=replace(ANY_SERVER.capabilities, top_k=True, audio=False, documents=False),
)
_TASKS = ("embeddings", "image_generation", "speech_to_text", "text_to_speech")
"""What only Hugging Face's own service is asked for; other providers have forms of their own for each."""
CONTINUES = Capabilities(
    text=True, chat=False, seed=True, top_k=True, logprobs=True, embeddings=True,
)  # fmt: skip


class HuggingFaceRunner(HttpRunner):
    """One model, by its conversations or texts, and by the tasks of Hugging Face's own service."""

    def __init__(
        self,
        wire: Wire,
        transport: Transport,
        *,
        model: ResolvedModel,
        capabilities: Capabilities,
        task_url: str,
        dedicated: bool,
        headers: Mapping[str, str],
    ) -> None:
        """`task_url` is where tasks of the model are asked for; a dedicated endpoint has one task, at its address."""
        super().__init__(wire, transport, model=model, capabilities=capabilities)
        self._task_url, self._dedicated, self._headers = task_url, dedicated, headers

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        self._need(self.capabilities.embeddings, "embeddings")
        path = "/embed" if self._dedicated else "/pipeline/feature-extraction"
        received = await self._asked(path, tasks.feature_body(request))
        count = len(request.texts)
        return tasks.parse_features(received.text, count=count, e2e_latency_s=received.e2e_latency_s)

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return a picture; see `ImageRunner`."""
        self._need(self.capabilities.image_generation, "making pictures")
        received = await self._asked("", tasks.text_to_image_body(request))
        return tasks.image_of(received.content, _media_type(received), e2e_latency_s=received.e2e_latency_s)

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Return what is said; see `TranscriptionRunner`."""
        self._need(self.capabilities.speech_to_text, "writing down speech")
        received = await self._asked("", tasks.recognition_body(request))
        return tasks.parse_recognized(received.text, e2e_latency_s=received.e2e_latency_s)

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Return the text read aloud; see `SpeechRunner`."""
        self._need(self.capabilities.text_to_speech, "reading aloud")
        received = await self._asked("", tasks.text_to_speech_body(request))
        sound = tasks.sound_of(received.content, _media_type(received))
        return SpeechResult(audio=sound, latency=Latency(e2e_latency_s=received.e2e_latency_s))

    async def _asked(self, path: str, body: dict[str, JsonValue]) -> Received:
        return await self._transport.whole(HttpCall(url=self._task_url + path, json=body, headers=self._headers))

    def _need(self, able: bool, what: str) -> None:
        if not able:
            raise UnsupportedError(self._model.name, what)


def _media_type(received: Received) -> str:
    return next((value for name, value in received.headers.items() if name.lower() == "content-type"), "")


async def open_runner(target: str, settings: RunnerSettings) -> HuggingFaceRunner:
    """Return a runner for a model of the hub, `ORG/NAME` or `ORG/NAME:PROVIDER`, or for `ADDRESS#MODEL`.

    `ADDRESS` is that of a dedicated endpoint, with `/v1` at its end or without. The option `endpoint` is `chat`
    (default), `completions`, or `generate` for TGI's own way to continue a text.

    Raises:
        MissingKeyError: `HF_TOKEN` holds no key and no other variable was named.
        UsageError: No model is named, the address is none, or there is no such endpoint.
    """
    address, separator, named = target.partition("#")
    dedicated = bool(separator)
    model = model_named(named if dedicated else target, PROVIDER)
    key = key_of(settings, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", provider="Hugging Face", where=WHERE)
    headers = {"Authorization": f"Bearer {key}"}
    base_url = check_address(address) if dedicated else base_url_of(settings, "HF_INFERENCE_BASE_URL", BASE_URL)
    root = base_url.removesuffix("/v1")
    hub_model = quote(model.partition(":")[0])
    task_url = root if dedicated else f"{root}/hf-inference/models/{hub_model}"
    endpoint = endpoint_of(settings, "chat", "completions", "generate")
    wire: Wire = ChatWire(f"{root}/v1" if dedicated else base_url, model, HUGGINGFACE, headers=headers)
    capabilities = replace(HUGGINGFACE.capabilities, text=endpoint == "completions")
    if endpoint == "generate":
        wire, capabilities = GenerateWire(task_url, headers=headers), CONTINUES
    if model.partition(":")[2] not in {"", "hf-inference"}:
        capabilities = replace(capabilities, **dict.fromkeys(_TASKS, False))
    return HuggingFaceRunner(
        wire,
        Transport(base_url, settings, secrets=(key,)),
        model=ResolvedModel(
            name=settings.display_name or model,
            reference=f"{PROVIDER}:{target.strip()}",
            identity=identity_of(PROVIDER, model, base_url, BASE_URL),
        ),
        capabilities=capabilities,
        task_url=task_url,
        dedicated=dedicated,
        headers=headers,
    )
