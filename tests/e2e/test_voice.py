"""`fieldguide voice`: recordings in, answers out, with a model that the test serves."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path

import pytest

from tests.support.fake_server import Call, chat, fake_server
from tests.support.program import fieldguide as run
from tests.support.shared import shared
from tests.support.whisper import whisper_base


@pytest.mark.model
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng (make setup-system)")
async def test_each_recording_is_a_turn_of_one_conversation(tmp_path: Path) -> None:
    """Answers are spoken without their reasoning, turns know of each other, and silence asks nothing."""
    silence = tmp_path / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000))
    spoken = shared("benchmarks", "speech", "speechbrain", "spk1_snt3.wav")
    asked: list[list[dict[str, str]]] = []

    def answer(call: Call) -> object:
        asked.append(json.loads(json.dumps(call.body["messages"])))
        return chat(f"<think>What was it?</think>Answer {len(asked)}.")

    async with fake_server(answer) as server:  # type: ignore[arg-type]
        ran = await run(
            "voice", f"{server.url}#m", "--in", spoken, silence, spoken, "--out", tmp_path / "out",
            "--hear", whisper_base(), "--language", "en", "--json",
        )  # fmt: skip
    turns = ran.json["turns"]
    assert ran.code == 0
    assert [turn["answer"] for turn in turns] == ["Answer 1.", None, "Answer 2."]
    assert "air is pure" in turns[0]["heard"].lower()
    assert [message["role"] for message in asked[1]] == ["system", "user", "assistant", "user"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["01.wav", "03.wav"]
    assert turns[0]["spoken"]["fallback"] is True
    with wave.open(turns[2]["spoken_to"]) as file:
        assert file.getnframes() > 1_000


@pytest.mark.model
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng (make setup-system)")
async def test_chat_by_voice_runs_from_files(tmp_path: Path) -> None:
    """`chat --voice` with recordings needs no microphone: heard, asked, spoken into a folder."""
    spoken = shared("benchmarks", "speech", "speechbrain", "spk1_snt3.wav")
    async with fake_server(lambda call: chat("It is pure.")) as server:
        ran = await run(
            "chat", f"{server.url}#m", "--voice", "--voice-in", spoken, "--voice-out", tmp_path / "out",
            "--hear", whisper_base(), "--language", "en", "--json",
        )  # fmt: skip
    (turn,) = ran.json["turns"]
    assert ran.code == 0
    assert "air is pure" in turn["heard"].lower()
    assert (tmp_path / "out" / "01.wav").is_file()


async def test_chat_by_voice_says_what_is_missing(tmp_path: Path) -> None:
    """Answers of recordings need a folder; voice goes neither with tools nor with a typed conversation."""
    wav = tmp_path / "x.wav"
    wav.write_bytes(b"x")
    for more in (("--voice-in", wav), ("--voice", "--tools", "calculator"), ("--voice", "--continue", "3")):
        ran = await run("chat", "http://127.0.0.1:9/v1#m", *more)
        assert ran.code == 2
        assert "next:" in ran.err


async def test_chat_by_voice_without_anybody_at_the_keyboard_ends(tmp_path: Path) -> None:
    """The end of input leaves, before anything is recorded."""
    async with fake_server(lambda call: chat("Hello.")) as server:
        ran = await run("chat", f"{server.url}#m", "--voice", "--hear", whisper_base(), "--json")
    assert (ran.code, ran.json) == (0, {"turns": []})
