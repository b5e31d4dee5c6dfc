"""Reading aloud through a provider: long texts in several requests, one file."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import pytest

from fieldguide.app import speak as module
from fieldguide.app.references import ModelOptions, OpenedModel
from fieldguide.app.speak import speak
from fieldguide.app.wiring import open_house
from fieldguide.domain import Audio, Capabilities, ResolvedModel, SpeechRequest, SpeechResult
from fieldguide.errors import UnsupportedError
from fieldguide.runners import Sound, sound_of, wav_of


@dataclass
class Provider:
    """Answers each request with as many samples as its text has characters."""

    model: ResolvedModel = field(default_factory=lambda: ResolvedModel(name="tts", reference="p:tts"))
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(text=False, chat=False, text_to_speech=True)
    )
    asked: list[SpeechRequest] = field(default_factory=list)

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        self.asked.append(request)
        if request.output_format == "mp3":
            return SpeechResult(audio=Audio(data=f"<{len(self.asked)}>".encode()))
        return SpeechResult(audio=Audio(data=wav_of(Sound(pcm=b"\0\1" * len(request.text), rate_hz=24_000))))

    async def close(self) -> None:
        pass


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Put the provider where a reference would be resolved."""
    made = Provider()

    async def opened(*_: Any) -> OpenedModel:
        return OpenedModel(runner=made, provider="p", licence=None, took=None)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "open_model", opened)
    return made


async def said(text: str, form: Any, out: io.BytesIO) -> module.Spoken:
    """Have a text read aloud."""
    house = open_house({}, environment={})
    return await speak(
        house, "p:tts", SpeechRequest(text=text, voice="v"), ModelOptions(), form=form, out=out, told=lambda _: None
    )


async def test_a_long_text_is_several_requests_and_one_file(provider: Provider) -> None:
    """No request exceeds what a provider takes, all of the text is asked for, and the file is one."""
    text = "A sentence of some words. " * 400
    out = io.BytesIO()
    spoken = await said(text, "wav", out)
    assert len(provider.asked) > 2
    assert max(len(request.text) for request in provider.asked) <= 4000
    assert " ".join(request.text for request in provider.asked) == text.strip()
    assert {request.voice for request in provider.asked} == {"v"}
    sound = sound_of(out.getvalue())
    assert len(sound.pcm) == 2 * sum(len(request.text) for request in provider.asked)
    assert spoken.duration_s == pytest.approx(sound.seconds)
    assert not spoken.fallback


async def test_compressed_sound_is_passed_on_and_its_length_is_unknown(provider: Provider) -> None:
    """A provider's MP3 is not touched; nothing is made up about it."""
    out = io.BytesIO()
    spoken = await said("Hello.", "mp3", out)
    assert out.getvalue() == b"<1>"
    assert (spoken.duration_s, spoken.sample_rate_hz, spoken.bytes) == (None, None, 3)


async def test_a_model_without_a_voice_is_refused(provider: Provider) -> None:
    """What cannot read aloud says so, with what can."""
    provider.capabilities = Capabilities(text=True, chat=True)
    with pytest.raises(UnsupportedError, match="reading aloud"):
        await said("Hello.", "wav", io.BytesIO())
