"""Every runner of speech passes the same suite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fieldguide.runners import Runner
from fieldguide.runners.espeak_ng import open_runner as open_espeak_ng
from fieldguide.runners.faster_whisper import open_runner as open_faster_whisper
from fieldguide.runners.kokoro import open_runner as open_kokoro
from fieldguide.runners.piper import open_runner as open_piper
from fieldguide.testing import SpeechConformance
from tests.support.embedded import settings
from tests.support.kokoro import kokoro_weights
from tests.support.shared import shared
from tests.support.tiny_voice import tiny_voice
from tests.support.whisper import whisper_base


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng (make setup-system)")
class TestEspeakNg(SpeechConformance):
    """The system's synthesizer."""

    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self.home = tmp_path

    async def open_runner(self) -> Runner:
        return await open_espeak_ng("", settings(self.home))


class TestPiper(SpeechConformance):
    """Piper's engine on a voice that hums."""

    @pytest.fixture(autouse=True)
    def _voice(self, tmp_path: Path) -> None:
        pytest.importorskip("piper", reason="the extra `piper` is not installed")
        self.home, self.path = tmp_path, tiny_voice(tmp_path)

    async def open_runner(self) -> Runner:
        return await open_piper(str(self.path), settings(self.home))


@pytest.mark.model
class TestKokoro(SpeechConformance):
    """Kokoro's own weights."""

    @pytest.fixture(autouse=True)
    def _weights(self, tmp_path: Path) -> None:
        self.home, self.path = tmp_path, kokoro_weights()

    async def open_runner(self) -> Runner:
        return await open_kokoro(str(self.path), settings(self.home, deadline_s=100.0))


@pytest.mark.model
class TestFasterWhisper(SpeechConformance):
    """Whisper base on this machine."""

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path: Path) -> None:
        self.home, self.path = tmp_path, whisper_base()

    async def open_runner(self) -> Runner:
        return await open_faster_whisper(str(self.path), settings(self.home))

    def recording(self) -> bytes:
        return shared("benchmarks", "speech", "librivox", "sense_and_sensibility_01_austen_64kb-0880.wav").read_bytes()
