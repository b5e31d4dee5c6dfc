"""What every runner of speech must do, whichever way. Subclass it, give it a runner, and let pytest collect it."""

from __future__ import annotations

from fieldguide.domain import Audio, CompletionRequest, Message, SpeechRequest, TranscriptionRequest
from fieldguide.errors import FieldguideError, UnsupportedError
from fieldguide.runners import ReadingRunner, Runner, SpeechRunner, TranscriptionRunner, sound_of


class SpeechConformance:
    """The suite. A subclass returns an open runner from `open_runner`; the suite closes it."""

    async def open_runner(self) -> Runner:
        """Return a runner that is ready."""
        raise AssertionError("a subclass gives the runner")

    def recording(self) -> bytes:
        """Return a recording in which somebody speaks, for a runner that listens."""
        raise AssertionError("a subclass gives the recording")

    async def test_it_says_what_it_is_and_does(self) -> None:
        """It has a name, a reference and an identity, and the protocol of each capability that it declares."""
        runner = await self.open_runner()
        await runner.close()
        await runner.close()
        assert runner.model.name
        assert ":" in runner.model.reference
        assert runner.model.identity
        assert runner.capabilities.speech_to_text or runner.capabilities.text_to_speech
        assert isinstance(runner, TranscriptionRunner) == runner.capabilities.speech_to_text
        assert isinstance(runner, SpeechRunner) == runner.capabilities.text_to_speech

    async def test_words_are_refused_where_it_does_not_converse(self) -> None:
        """A model of speech alone says so when it is asked for words, whole or streamed."""
        runner = await self.open_runner()
        try:
            if runner.capabilities.chat:
                return
            request = CompletionRequest(messages=(Message(role="user", content="Hello"),))
            for asked in (runner.complete(request), self._streamed(runner, request)):
                try:
                    await asked
                except UnsupportedError:
                    continue
                raise AssertionError("it was asked for words and did not refuse")
        finally:
            await runner.close()

    async def _streamed(self, runner: Runner, request: CompletionRequest) -> None:
        async for _ in runner.stream(request):
            pass

    async def test_what_it_hears_is_text_with_times_in_order(self) -> None:
        """A recording has words, a length, and segments one after another; what is no sound is an error of ours."""
        runner = await self.open_runner()
        try:
            if not isinstance(runner, TranscriptionRunner):
                return
            audio = Audio(data=self.recording())
            result = await runner.transcribe(TranscriptionRequest(audio=audio, segments=True))
            assert result.text.strip()
            assert result.segments
            starts = [each["start"] for each in result.segments]
            assert starts == sorted(starts)  # type: ignore[type-var]
            try:
                await runner.transcribe(TranscriptionRequest(audio=Audio(data=b"no sound at all")))
            except FieldguideError:
                return
            raise AssertionError("what is no sound was transcribed")
        finally:
            await runner.close()

    async def test_what_it_says_is_a_sound_file(self) -> None:
        """A text of two sentences is one sound; one that speaks piece by piece says the same in pieces."""
        runner = await self.open_runner()
        try:
            if not isinstance(runner, SpeechRunner):
                return
            request = SpeechRequest(text="Good day. How are you?", output_format="wav")
            sound = sound_of((await runner.speak(request)).audio.data or b"")
            assert sound.seconds > 0.05
            if isinstance(runner, ReadingRunner):
                pieces = [piece async for piece in runner.read_aloud(request)]
                assert len(pieces) == 2
                assert {piece.rate_hz for piece in pieces} == {sound.rate_hz}
        finally:
            await runner.close()
