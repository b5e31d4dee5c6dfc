"""A double that can do all that a gateway may be asked for: words, vectors, pictures, and speech both ways."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import (
    Audio,
    Completion,
    EmbeddingRequest,
    EmbeddingResult,
    FinishReason,
    Image,
    ImageRequest,
    ImageResult,
    JsonValue,
    Latency,
    Message,
    Reasoning,
    SpeechRequest,
    SpeechResult,
    Text,
    ToolCall,
    TranscriptionRequest,
    TranscriptionResult,
    Usage,
)
from fieldguide.testing import FakeRunner, all_capabilities


class AbleRunner(FakeRunner):
    """Answers a conversation with thoughts, words and a call, and everything else with the least that is an answer."""

    def __init__(self) -> None:
        blocks = (
            Reasoning(text="Hm.", provider="fake", signature="sealed"),
            Text(text="So."),
            ToolCall(name="weather", call_id="call_a", arguments={"city": "Rome"}),
        )
        answer = Completion(
            text="So.",
            reasoning="Hm.",
            finish_reason=FinishReason.TOOL_CALL,
            usage=Usage(input_tokens=3, output_tokens=2),
            latency=Latency(e2e_latency_s=0.001),
            message=Message(role="assistant", content=blocks),
        )
        able = replace(
            all_capabilities(), embeddings=True, image_generation=True, speech_to_text=True, text_to_speech=True
        )
        super().__init__(answer, capabilities=able)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return a short vector for each text."""
        return EmbeddingResult(vectors=tuple((0.5, -0.5) for _ in request.texts), usage=Usage(input_tokens=1))

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return one picture."""
        return ImageResult(images=(Image(data=b"\x89PNG"),))

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Return two words."""
        segment: dict[str, JsonValue] = {"id": 0, "start": 0.0, "end": 1.0, "text": "good day"}
        return TranscriptionResult(text="good day", language="en", duration_s=1.0, segments=(segment,))

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Return no sound at all, as a file."""
        return SpeechResult(audio=Audio(data=b"ID3", media_type="audio/mpeg"))
