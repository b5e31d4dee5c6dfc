"""OpenAI's endpoints beside chat, and the Responses API: what recordings do not show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web

from fieldguide.domain import (
    Audio,
    CompletionRequest,
    EmbeddingRequest,
    FinishReason,
    Image,
    ImageRequest,
    Message,
    ReasoningOptions,
    TranscriptionRequest,
)
from fieldguide.errors import ResponseFormatError, RunnerError, UnsupportedError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.openai_compatible import open_runner
from fieldguide.runners.openai_media import image_call, parse_embeddings, transcription_form
from fieldguide.runners.openai_responses import PROVIDER, StreamedAnswer, parse_completion, request_body


async def test_speech_goes_out_as_a_form_with_its_file(tmp_path: Path) -> None:
    """The server finds the fields and the bytes, and its text comes back."""
    seen: dict[str, object] = {}

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        sound = form["file"]
        assert isinstance(sound, web.FileField)
        seen.update(model=form["model"], language=form["language"], file=sound.filename, bytes=sound.file.read())
        return web.json_response({"text": "hello", "usage": {"input_tokens": 3, "output_tokens": 1}})

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", answer)
    server = web.AppRunner(app)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    session = LazySession()
    url = f"http://127.0.0.1:{server.addresses[0][1]}/v1#whisper"
    runner = await open_runner(url, RunnerSettings(home=tmp_path, session=session))
    audio = Audio(data=b"RIFF1234WAVE", media_type="audio/wav")
    result = await runner.transcribe(TranscriptionRequest(audio=audio, language="en"))
    await session.close()
    await server.cleanup()
    assert seen == {"model": "whisper", "language": "en", "file": "audio.wav", "bytes": b"RIFF1234WAVE"}
    assert (result.text, result.usage.input_tokens) == ("hello", 3)


def test_what_cannot_be_sent_is_refused() -> None:
    """Sound by its address, and a purpose of vectors, have no words."""
    with pytest.raises(UnsupportedError):
        transcription_form(TranscriptionRequest(audio=Audio(url="https://e.com/a.wav")), model="m", provider="p")


def test_pictures_to_start_from_go_to_another_path() -> None:
    """As data URLs, or by their address."""
    request = ImageRequest(prompt="green", images=(Image(data=b"\x89PNG"), Image(url="https://e.com/a.png")))
    path, body = image_call(request, model="m", provider="p")
    assert path == "/images/edits"
    assert body["images"] == [{"image_url": "data:image/png;base64,iVBORw=="}, {"image_url": "https://e.com/a.png"}]
    assert image_call(ImageRequest(prompt="green"), model="m", provider="p")[0] == "/images/generations"


@pytest.mark.parametrize("data", [[], [{"embedding": "!"}], [{"embedding": ["x"]}], [{"embedding": "AAA="}], None])
def test_a_vector_that_cannot_be_read_is_an_error(data: object) -> None:
    """And never another vector."""
    with pytest.raises(ResponseFormatError):
        parse_embeddings(json.dumps({"data": data}), e2e_latency_s=1.0)


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    """Whatever order the server answers in."""
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    result = parse_embeddings(json.dumps({"data": data}), e2e_latency_s=1.0)
    assert result.vectors == ((1.0,), (2.0,))
    assert EmbeddingRequest(texts=("a",)).dimensions is None


ITEM = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"}


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"type": "response.output_text.delta", "output_index": 0, "delta": "fo"}],
        [{"type": "response.output_item.done", "output_index": 0, "item": ITEM}],
    ],
)
def test_a_response_that_broke_off_is_never_an_answer(events: list[dict[str, object]]) -> None:
    """Whatever came before."""
    answer = StreamedAnswer(began_s=0.0, provider=PROVIDER)
    for event in events:
        answer.take(json.dumps(event), now_s=1.0)
    with pytest.raises(ResponseFormatError):
        answer.completion(now_s=2.0)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Oops"},
        {"type": "error", "error": {"type": "server_error", "message": "Oops"}},
    ],
)
def test_an_error_within_a_stream_is_an_error(event: dict[str, object]) -> None:
    """In either of its forms, with its words."""
    with pytest.raises(RunnerError, match="Oops"):
        StreamedAnswer(began_s=0.0, provider=PROVIDER).take(json.dumps(event), now_s=1.0)


def test_a_response_that_failed_or_was_cut_says_so() -> None:
    """Failed is an error; incomplete is an answer that the limit cut."""
    failed = {"status": "failed", "error": {"code": "server_error", "message": "Oops"}, "output": []}
    with pytest.raises(RunnerError, match="Oops"):
        parse_completion(json.dumps(failed), e2e_latency_s=1.0, provider=PROVIDER)
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []}
    completion = parse_completion(json.dumps(cut), e2e_latency_s=1.0, provider=PROVIDER)
    assert completion.finish_reason is FinishReason.LENGTH
    assert completion.raw_finish_reason == "max_output_tokens"


def test_a_budget_of_thought_is_refused_by_the_responses_api() -> None:
    """It takes an effort."""
    request = CompletionRequest(
        messages=(Message(role="user", content="?"),), reasoning=ReasoningOptions(budget_tokens=5)
    )
    with pytest.raises(UnsupportedError):
        request_body(request, model="m", stream=False, provider=PROVIDER)
