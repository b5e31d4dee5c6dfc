"""Speed of transcription beside the bare engine, and memory over a long recording.

    python benchmarks/transcription_speed.py MODEL_FOLDER SOUND... [--rounds 3] [--threads 2]
    python benchmarks/transcription_speed.py MODEL_FOLDER SOUND... --minutes 60

Both hear the same files in turn, in alternating order, with the same threads (that sleep when idle), numbers and
detector of speech: faster-whisper in this process, called as its own page says, and Fieldguide's runner with its
child process. Seconds are told twice, by the clock and of the processor (both processes); on a machine that others
use, the second is the one to read. With `--minutes` the sounds are repeated to a recording of that length, and the
peak memory of the child is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.domain import Reached, ResolvedModel, Segment
from fieldguide.runners import ListeningOrder
from fieldguide.runners.faster_whisper._process import EngineOptions, EngineProcess
from fieldguide.runners.faster_whisper._runner import FasterWhisperRunner

_TICKS_PER_S = 100


@dataclass
class Took:
    """Seconds of one way of hearing, added up."""

    clock_s: float = 0.0
    processor_s: float = 0.0
    sound_s: float = 0.0
    words: int = 0

    def shown(self) -> dict[str, float]:
        return {
            "clock_s": round(self.clock_s, 2),
            "processor_s": round(self.processor_s, 2),
            "real_time_factor": round(self.clock_s / self.sound_s, 3),
            "real_time_factor_processor": round(self.processor_s / self.sound_s, 3),
            "words": self.words,
        }


def own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def child_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def peak_bytes(pid: int) -> int:
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def hear_bare(model: Any, path: Path, took: Took) -> None:
    clock, processor = time.monotonic(), own_s()
    segments, info = model.transcribe(str(path), language="en", vad_filter=True)
    took.words += sum(len(segment.text.split()) for segment in segments)
    took.clock_s += time.monotonic() - clock
    took.processor_s += own_s() - processor
    took.sound_s += info.duration


async def hear_ours(runner: FasterWhisperRunner, pid: int, path: Path, took: Took, *, loud: bool = False) -> None:
    clock, processor = time.monotonic(), own_s() + child_s(pid)
    async for event in runner.listen(ListeningOrder(path=path, language="en")):
        if isinstance(event, Segment):
            took.words += len(event.text.split())
        elif isinstance(event, Reached):
            if loud:
                peak = peak_bytes(pid) / 1e6
                print(f"heard up to {event.until_s:.0f} s in {time.monotonic() - clock:.0f} s, peak {peak:.0f} MB")
                sys.stdout.flush()
            if event.last:
                took.sound_s += event.until_s
    took.clock_s += time.monotonic() - clock
    took.processor_s += own_s() + child_s(pid) - processor


def repeated(sounds: list[Path], minutes: float, target: Path) -> Path:
    """Write the sounds (WAV, alike in rate and channels) one after another until the recording is long enough."""
    with wave.open(str(target), "wb") as out:
        written, rate = 0, 0
        while not rate or written < 60 * minutes * rate:
            for path in sounds:
                with wave.open(str(path)) as sound:
                    if not rate:
                        out.setparams(sound.getparams())
                        rate = sound.getframerate()
                    out.writeframes(sound.readframes(sound.getnframes()))
                    written += sound.getnframes()
    return target


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("sounds", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compute-type", default="float32")
    parser.add_argument("--minutes", type=float)
    args = parser.parse_args()
    options = EngineOptions(folder=args.model, threads=args.threads, compute_type=args.compute_type)
    engine = await EngineProcess.start(options)
    pid = engine.pid
    model = ResolvedModel(name="whisper", reference="faster-whisper:x")
    runner = FasterWhisperRunner(engine, options, model=model, longest_silence_s=3600)
    try:
        if args.minutes:
            with tempfile.TemporaryDirectory() as folder:
                path = repeated(args.sounds, args.minutes, Path(folder) / "long.wav")
                took = Took()
                await hear_ours(runner, pid, path, took, loud=True)
            print(json.dumps({"long": took.shown(), "peak_child_bytes": peak_bytes(pid)}))
            return
        os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}  # as in the child: idle threads sleep
        from faster_whisper import WhisperModel

        bare_model = WhisperModel(
            str(args.model), device="cpu", compute_type=args.compute_type, cpu_threads=args.threads
        )
        bare, ours = Took(), Took()
        for path in args.sounds[:1]:  # the first call of each makes buffers
            hear_bare(bare_model, path, Took())
            await hear_ours(runner, pid, path, Took())
        for number in range(args.rounds):
            for path in args.sounds:
                for which in ("bare", "ours") if number % 2 == 0 else ("ours", "bare"):
                    if which == "bare":
                        hear_bare(bare_model, path, bare)
                    else:
                        await hear_ours(runner, pid, path, ours)
                    shown = (bare if which == "bare" else ours).shown()
                    print(f"round {number + 1}, {path.name}, {which}: {shown}", file=sys.stderr, flush=True)
        shares = {
            "speed_of_bare_clock": round(bare.clock_s / ours.clock_s, 3),
            "speed_of_bare_processor": round(bare.processor_s / ours.processor_s, 3),
        }
        print(json.dumps({"bare": bare.shown(), "fieldguide": ours.shown(), **shares}, indent=1))
    finally:
        await runner.close()


if __name__ == "__main__":
    asyncio.run(main())
