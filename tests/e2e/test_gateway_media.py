"""Vectors, pictures and speech through the gateway, asked by OpenAI's own client."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web

from fieldguide.app.gateway import GatewayConfig, ModelConfig
from fieldguide.runners import sound_of
from tests.support.gateway import Lab, lab
from tests.support.shared import shared
from tests.support.whisper import whisper_base

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
"""So OpenAI's library says of every call of `translations`, which other servers go on to offer."""
WAV = (
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
    b"\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00data" + bytes(4)
)
PNG = b"\x89PNG\r\n\x1a\n0000"
SEGMENTS = [
    {"id": 0, "start": 0.0, "end": 1.5, "text": " Good <day>.", "avg_logprob": -0.1},
    {"id": 1, "start": 3661.25, "end": 3662.0, "text": " Bye."},
]
WORDS = [{"word": "Good", "start": 0.0, "end": 0.5}]


class Upstream:
    """A server that speaks OpenAI's media endpoints, and remembers what it was asked."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.may_end = asyncio.Event()
        self.url = ""

    async def json_asked(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.heard.append((request.path, body))
        if request.path.endswith("/embeddings"):
            data = [
                {"object": "embedding", "index": n, "embedding": [n + 0.25, -1.5]} for n in range(len(body["input"]))
            ]
            usage = {"prompt_tokens": 8, "total_tokens": 8}
            return web.json_response({"object": "list", "data": data, "model": "vectors-1", "usage": usage})
        picture = {"b64_json": base64.b64encode(PNG).decode(), "revised_prompt": "a grey cat"}
        usage = {"input_tokens": 5, "output_tokens": 272, "total_tokens": 277}
        return web.json_response(
            {"created": 7, "data": [picture] * body.get("n", 1), "usage": usage, "quality": "low", "size": "1024x1024"}
        )

    async def form_asked(self, request: web.Request) -> web.Response:
        form = await request.post()
        fields: dict[str, Any] = {name: form.getall(name) for name in form}
        [file] = fields.pop("file")
        assert isinstance(file, web.FileField)
        self.heard.append((request.path, {**fields, "file": file.file.read(), "name": file.filename}))
        told: dict[str, Any] = {"text": "Good <day>. Bye.", "usage": {"type": "duration", "seconds": 2}}
        if fields["response_format"] == ["verbose_json"]:
            told |= {"language": "german", "duration": 3662.0, "segments": SEGMENTS, "words": WORDS}
        return web.json_response(told)

    async def speech_asked(self, request: web.Request) -> web.StreamResponse:
        self.heard.append((request.path, await request.json()))
        reply = web.StreamResponse(headers={"content-type": "audio/mpeg"})
        await reply.prepare(request)
        await reply.write(b"ID3first")
        await self.may_end.wait()
        await reply.write(b"second")
        return reply


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    server, app = Upstream(), web.Application()
    app.router.add_post("/v1/audio/speech", server.speech_asked)
    app.router.add_post("/v1/audio/{what}", server.form_asked)
    app.router.add_post("/v1/{tail:.*}", server.json_asked)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1#behind"
    try:
        yield server
    finally:
        server.may_end.set()
        await runner.cleanup()


@asynccontextmanager
async def asked(folder: Path, **references: str) -> AsyncIterator[tuple[Lab, openai.AsyncOpenAI]]:
    """Give a gateway over models by reference, and OpenAI's client of it with a key."""
    models = {alias: ModelConfig(alias=alias, reference=reference) for alias, reference in references.items()}
    async with lab(folder, {}, config=GatewayConfig(models=models, drain_s=1.0)) as at:
        made = at.key()
        async with openai.AsyncOpenAI(base_url=f"{at.address}/v1", api_key=made.key, max_retries=0) as client:
            yield at, client
        await at.gateway.meters.commit()
        for row in at.house.gateway_records.usage_sums(since=None, key_id=made.row.key_id, by=["model"]):
            assert row["requests"] == row["answered"] + row["failed"] + row["abandoned"]


async def test_vectors(tmp_path: Path) -> None:
    """Numbers and base64, one text and several, a choice of length: as the upstream gives them, with its counts."""
    async with upstream() as behind, asked(tmp_path, m=behind.url) as (_, client):
        plain = await client.embeddings.create(model="m", input=["a", "b"], encoding_format="float", dimensions=2)
        assert [each.embedding for each in plain.data] == [[0.25, -1.5], [1.25, -1.5]]
        assert plain.usage.prompt_tokens == 8
        packed = await client.embeddings.create(model="m", input="a")  # the client asks for base64 by itself
        assert packed.data[0].embedding == [0.25, -1.5]
        assert [path for path, _ in behind.heard] == ["/v1/embeddings"] * 2
        assert behind.heard[0][1]["model"] == "behind"
        assert behind.heard[0][1]["dimensions"] == 2
        raw = await client.embeddings.with_raw_response.create(model="m", input="a", encoding_format="base64")
        vector = raw.http_response.json()["data"][0]["embedding"]
        assert struct.unpack("<2f", base64.b64decode(vector)) == (0.25, -1.5)
        with pytest.raises(openai.BadRequestError, match="list of texts"):
            await client.embeddings.create(model="m", input=[[1, 2]])


async def test_pictures(tmp_path: Path) -> None:
    """As many pictures as asked, with the prompt that was made of ours, counts, and what the provider says besides."""
    async with upstream() as behind, asked(tmp_path, m=behind.url) as (_, client):
        made = await client.images.generate(
            model="m", prompt="a cat", n=2, size="1024x1024", quality="low", background="transparent"
        )
        assert made.data is not None
        assert [base64.b64decode(each.b64_json or "") for each in made.data] == [PNG, PNG]
        assert made.data[0].revised_prompt == "a grey cat"
        assert made.usage is not None
        assert made.usage.output_tokens == 272
        assert made.quality == "low"
        body = behind.heard[0][1]
        assert {name: body[name] for name in ("prompt", "n", "size", "quality", "background")} == {
            "prompt": "a cat", "n": 2, "size": "1024x1024", "quality": "low", "background": "transparent",
        }  # fmt: skip


SRT = "1\n00:00:00,000 --> 00:00:01,500\nGood <day>.\n\n2\n01:01:01,250 --> 01:01:02,000\nBye.\n"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nGood &lt;day&gt;.\n\n01:01:01.250 --> 01:01:02.000\nBye.\n"


@pytest.mark.parametrize("endpoint", ["transcriptions", "translations"])
async def test_speech_written_down_in_every_form(endpoint: str, tmp_path: Path) -> None:
    """JSON, text, verbose JSON, SubRip and WebVTT: the upstream's own endpoint is asked, and nothing of it is lost."""
    async with upstream() as behind, asked(tmp_path, m=behind.url) as (_, client):
        create: Callable[..., Any] = getattr(client.audio, endpoint).create

        async def said(form: str, **more: Any) -> Any:
            return await create(model="m", file=("a.wav", WAV), response_format=form, temperature=0.2, **more)

        told = await said("json", prompt="Names: Ada.")
        assert told.text == "Good <day>. Bye."
        path, form = behind.heard[-1]
        assert path == f"/v1/audio/{endpoint}"
        assert (form["model"], form["prompt"], form["temperature"]) == (["behind"], ["Names: Ada."], ["0.2"])
        assert (form["file"], form["name"]) == (WAV, "audio.wav")
        assert await said("text") == "Good <day>. Bye.\n"
        verbose = await said("verbose_json")
        assert (verbose.language, float(verbose.duration)) == ("german", 3662.0)
        assert [each.text for each in verbose.segments] == [" Good <day>.", " Bye."]
        assert await said("srt") == SRT
        assert await said("vtt") == VTT
        with pytest.raises(openai.BadRequestError, match="form"):
            await said("pdf")
        with pytest.raises(openai.BadRequestError, match="file"):
            await create(model="m", file=("a.wav", b""))
        with pytest.raises(openai.NotFoundError):
            await create(model="none", file=("a.wav", WAV))


async def test_times_of_words_and_streams_of_a_transcript(tmp_path: Path) -> None:
    """Words with their times are asked of the upstream as a list; a transcript asked as a stream comes as events."""
    async with upstream() as behind, asked(tmp_path, m=behind.url) as (_, client):
        verbose = await client.audio.transcriptions.create(
            model="m", file=("a.wav", WAV), response_format="verbose_json",
            timestamp_granularities=["word", "segment"], include=["logprobs"],
        )  # fmt: skip
        assert verbose.words is not None
        assert verbose.words[0].word == "Good"
        form = behind.heard[-1][1]
        assert form["timestamp_granularities[]"] == ["word", "segment"]
        assert form["include[]"] == ["logprobs"]
        stream = await client.audio.transcriptions.create(model="m", file=("a.wav", WAV), stream=True)
        events: list[Any] = [event async for event in stream]
        assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]
        assert (events[0].delta, events[1].text) == ("Good <day>. Bye.", "Good <day>. Bye.")


async def test_sound_goes_out_while_it_comes(tmp_path: Path) -> None:
    """The first bytes of an upstream's speech are with the client before the last ones are made; events carry both."""
    async with upstream() as behind, asked(tmp_path, m=behind.url) as (at, client):
        async with client.audio.speech.with_streaming_response.create(
            model="m", input="Good day.", voice="coral", instructions="Softly.", speed=1.5, response_format="mp3"
        ) as reply:
            assert reply.headers["content-type"] == "audio/mpeg"
            pieces = reply.iter_bytes()
            assert await anext(pieces) == b"ID3first"
            behind.may_end.set()
            assert b"".join([piece async for piece in pieces]) == b"second"
        body = behind.heard[-1][1]
        assert (body["voice"], body["instructions"], body["speed"]) == ("coral", "Softly.", 1.5)
        whole = await client.audio.speech.create(model="m", input="x", voice={"id": "own"})
        assert whole.content == b"ID3firstsecond"
        assert behind.heard[-1][1]["voice"] == "own"
        async with client.audio.speech.with_streaming_response.create(
            model="m", input="x", voice="coral", stream_format="sse"
        ) as reply:
            text = await reply.text()
        *deltas, done = [json.loads(line[6:]) for line in text.splitlines() if line]
        assert b"".join(base64.b64decode(each["audio"]) for each in deltas) == b"ID3firstsecond"
        assert done == {"type": "speech.audio.done"}
        assert at.gateway.metrics.in_flight == 0


async def test_what_a_model_cannot_do_is_a_400(tmp_path: Path) -> None:
    """A voice neither listens nor converses nor draws, and says so under the client's own exception."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("needs espeak-ng (make setup-system)")
    async with asked(tmp_path, voice="espeak-ng:en") as (_, client):
        messages: Any = [{"role": "user", "content": "x"}]
        for wrong in (
            lambda: client.audio.transcriptions.create(model="voice", file=("a.wav", WAV)),
            lambda: client.audio.translations.create(model="voice", file=("a.wav", WAV)),
            lambda: client.images.generate(model="voice", prompt="x"),
            lambda: client.embeddings.create(model="voice", input="x"),
            lambda: client.chat.completions.create(model="voice", messages=messages),
            lambda: client.audio.speech.create(model="voice", input="x", voice="en", response_format="mp3"),
            lambda: client.audio.speech.create(model="voice", input="x", voice="xyzzy"),
            lambda: client.audio.speech.create(model="voice", input="x", voice="en", speed=50),
            lambda: client.audio.speech.create(model="voice", input="", voice="en"),
        ):
            with pytest.raises(openai.BadRequestError):
                await wrong()


async def test_a_voice_on_this_machine_reads_aloud(tmp_path: Path) -> None:
    """espeak-ng through the gateway: sentence by sentence, a sound that lasts; a voice of OpenAI's is its own."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("needs espeak-ng (make setup-system)")
    async with asked(tmp_path, voice="espeak-ng:en") as (_, client):
        said = await client.audio.speech.with_raw_response.create(
            model="voice", input="Good day. How are you today?", voice="alloy", response_format="wav"
        )
        assert said.headers["x-fieldguide-not-passed-on"] == "voice"
        assert said.headers["content-type"] == "audio/wav"
        longer = sound_of(said.content).seconds
        assert longer > 1.0
        german = await client.audio.speech.create(model="voice", input="Guten Tag.", voice="de")
        assert 0.3 < sound_of(german.content).seconds < longer


@pytest.mark.model
async def test_whisper_on_this_machine_writes_down_and_translates(tmp_path: Path) -> None:
    """Whisper base through the gateway: English in every form with times of words; German is put into English."""
    folder = whisper_base()
    if shutil.which("espeak-ng") is None:
        pytest.skip("needs espeak-ng (make setup-system)")
    english = shared("benchmarks", "speech", "jfk.wav").read_bytes()
    async with asked(tmp_path, ears=f"faster-whisper:{folder}", voice="espeak-ng:de") as (_, client):
        create: Any = client.audio.transcriptions.create
        plain = await create(model="ears", file=("a.wav", english))
        assert "your country" in plain.text
        verbose = await create(
            model="ears", file=("a.wav", english), response_format="verbose_json",
            timestamp_granularities=["word", "segment"], language="en",
        )  # fmt: skip
        assert verbose.duration == pytest.approx(11.0, abs=0.2)
        assert [word.word.strip(",. ").lower() for word in verbose.words][-4:] == ["do", "for", "your", "country"]
        assert verbose.words[-1].end == pytest.approx(10.5, abs=1.0)
        srt = await create(model="ears", file=("a.wav", english), response_format="srt")
        assert srt.startswith("1\n00:00:0")
        vtt = await create(model="ears", file=("a.wav", english), response_format="vtt")
        assert vtt.startswith("WEBVTT\n\n00:00:0")
        spoken = await client.audio.speech.create(
            model="voice", input="Guten Morgen. Das Haus ist sehr klein. Ich trinke jeden Tag Wasser.", voice="de"
        )
        german = await create(model="ears", file=io.BytesIO(spoken.content), language="de")
        put: Any = await client.audio.translations.create(
            model="ears", file=("a.wav", spoken.content), response_format="verbose_json"
        )
        assert any(word in german.text.lower() for word in ("haus", "klein", "wasser", "morgen"))
        assert any(word in put.text.lower() for word in ("house", "small", "water", "morning", "every day"))
        assert put.segments
        with pytest.raises(openai.BadRequestError, match="no sound"):
            await create(model="ears", file=("a.wav", b"no sound at all"))


async def test_sound_in_json_and_sound_that_begins_like_json(tmp_path: Path) -> None:
    """A host that puts its sound into JSON gives the sound; samples that begin with a brace stay as they are."""
    bodies = [b'{"audio_data": "%b"}' % base64.b64encode(b"sound"), b"{\x00raw samples"]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bodies[int((await request.json())["input"])], content_type="audio/mpeg")

    app = web.Application()
    app.router.add_post("/v1/audio/speech", answer)
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{server.addresses[0][1]}/v1#m"
    async with asked(tmp_path, m=url) as (_, client):
        got = [(await client.audio.speech.create(model="m", input=str(n), voice="x")).content for n in range(2)]
    await server.cleanup()
    assert got == [b"sound", b"{\x00raw samples"]
