"""faster-whisper's part of the child process: loads one Whisper model and writes recordings down.

A recording is decoded piece by piece and heard in windows of some minutes, cut where it is quietest, so that memory
does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

RATE_HZ = 16_000
_WINDOW_S = 180
_CUT_WITHIN_S = 60
_CUT_BLOCK_S = 0.3
_LARGEST_FRAME_SAMPLES = 1 << 24
"""Of what is decoded at once, at its own rate and at ours: a block of some bytes at 1 Hz would be hours of sound."""
_CONTAINED = {
    "protocol_whitelist": "none",
    "format_whitelist": ("wav,w64,mp3,flac,ogg,aac,ac3,amr,au,aiff,caf,wv,mov,matroska,webm,avi,asf,flv,mpeg,mpegts"),
}
"""Playlists are files that name other files and addresses, which a stranger's recording must not have opened: only
formats that hold their sound themselves are read, and nothing but the one file."""


def load(order: dict[str, Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Return the languages that a model knows and what it reckons in, and what hears a recording."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        order["model"],
        device=order["device"],
        compute_type=order["compute_type"],
        cpu_threads=order["threads"],
        local_files_only=True,
    )

    def answer(job: dict[str, Any], tell: Callable[..., None]) -> None:
        _Job(model, job, lambda event, **fields: tell({"event": event, **fields})).run()

    reckons_in = getattr(getattr(model, "model", None), "compute_type", None)
    return {"languages": model.supported_languages, "compute_type": reckons_in}, answer


class _Job:
    """One recording."""

    def __init__(self, model: Any, order: dict[str, Any], tell: Any) -> None:
        self._model, self._order, self._tell = model, order, tell
        self._language: str | None = order["language"]
        self._damaged = 0

    def run(self) -> None:
        """Hear it all, and tell."""
        import av

        if self._language is not None and self._language not in self._model.supported_languages:
            self._tell("wrong_language")
            return
        try:
            self._windows()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._tell("not_decoded", message=str(getattr(error, "strerror", None) or error))

    def _windows(self) -> None:
        import numpy as np

        start = round(self._order["start_s"] * RATE_HZ)  # of what is held in `audio`, in samples of the recording
        passed, held, count = 0, [], 0
        for piece in self._pieces():
            skipped = min(len(piece), max(0, start - passed))
            passed += len(piece)
            if skipped < len(piece):
                held.append(piece[skipped:])
                count += len(piece) - skipped
            if count > (_WINDOW_S + _CUT_WITHIN_S) * RATE_HZ:
                audio = np.concatenate(held)
                cut = _quietest(audio[: _WINDOW_S * RATE_HZ])
                self._hear(audio[:cut], start)
                start += cut
                held, count = [audio[cut:].copy()], len(audio) - cut
                del audio
        if passed == 0:
            self._tell("not_decoded", message="there is no sound in it")
            return
        audio = np.concatenate(held) if held else np.zeros(0, np.float32)
        self._hear(audio, start, last=True)

    def _hear(self, audio: Any, start: int, *, last: bool = False) -> None:
        """Write one window down; `start` is its first sample in the recording."""
        import numpy as np
        from faster_whisper.transcribe import restore_speech_timestamps
        from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps

        offset_s = start / RATE_HZ
        spoken, speech = audio, None
        if self._order["skip_silence"]:
            spans = get_speech_timestamps(audio, VadOptions()) if len(audio) else []
            speech = [[(start + span["start"]) / RATE_HZ, (start + span["end"]) / RATE_HZ] for span in spans]
            spoken = np.concatenate(collect_chunks(audio, spans)[0])
        if len(spoken):
            segments, info = self._model.transcribe(
                spoken,
                language=self._language,
                task="translate" if self._order["translate"] else "transcribe",
                word_timestamps=self._order["words"],
                initial_prompt=self._order["prompt"],
                **({} if self._order["temperature"] is None else {"temperature": self._order["temperature"]}),
            )
            if self._language is None:
                self._language = info.language
                self._tell("language", code=info.language, probability=float(info.language_probability))
            if speech is not None:
                segments = restore_speech_timestamps(segments, spans, RATE_HZ)
            for segment in segments:
                self._tell_segment(segment, offset_s, longest_s=len(audio) / RATE_HZ)
        until_s = offset_s + len(audio) / RATE_HZ
        self._tell("reached", until_s=until_s, speech=speech, last=last, damaged_frames=self._damaged)

    def _tell_segment(self, segment: Any, offset_s: float, *, longest_s: float) -> None:
        def at(time_s: float) -> float:
            return round(offset_s + min(max(float(time_s), 0.0), longest_s), 3)

        words = [
            {
                "start_s": at(word.start),
                "end_s": at(word.end),
                "text": word.word,
                "probability": float(word.probability),
            }
            for word in segment.words or ()
        ]
        self._tell(
            "segment",
            start_s=at(segment.start),
            end_s=at(segment.end),
            text=segment.text,
            avg_logprob=float(segment.avg_logprob),
            no_speech_probability=float(segment.no_speech_prob),
            words=words,
        )

    def _pieces(self) -> Iterator[Any]:
        """Yield the recording's sound: one channel, 16 kHz, as 32-bit floats."""
        import av
        import numpy as np

        resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        with (
            open(self._order["path"], "rb") as file,  # noqa: PTH123
            av.open(file, mode="r", metadata_errors="ignore", options=_CONTAINED) as container,
        ):
            if not container.streams.audio:
                raise ValueError("there is no sound in it")
            for frame in self._frames(container):
                for resampled in resampler.resample(frame):
                    yield resampled.to_ndarray().reshape(-1).astype(np.float32) / 32768.0
            for resampled in resampler.resample(None):
                yield resampled.to_ndarray().reshape(-1).astype(np.float32) / 32768.0

    def _frames(self, container: Any) -> Iterator[Any]:
        """Yield what can be decoded, and count what cannot."""
        import av

        decoded = container.decode(audio=0)
        while True:
            try:
                frame = next(decoded)
            except StopIteration:
                return
            except av.error.InvalidDataError:
                self._damaged += 1
                continue
            if frame.samples * RATE_HZ > _LARGEST_FRAME_SAMPLES * max(1, min(frame.sample_rate, RATE_HZ)):
                raise ValueError("it is one single frame of many minutes")
            frame.pts = None
            yield frame


def _quietest(audio: Any) -> int:
    """Return the sample in the last minute at which cutting does least harm: the middle of its quietest 0.3 s."""
    import numpy as np

    block = round(_CUT_BLOCK_S * RATE_HZ)
    tail = audio[-_CUT_WITHIN_S * RATE_HZ :]
    blocks = tail[: len(tail) // block * block].reshape(-1, block)
    loudness = np.square(blocks).mean(axis=1)
    return int(len(audio) - len(tail) + int(loudness.argmin()) * block + block // 2)
