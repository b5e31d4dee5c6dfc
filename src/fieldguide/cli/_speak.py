"""`speak`: a text to sound."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from fieldguide.app.speak import SoundFormat, Spoken, speak
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, print_json, seconds
from fieldguide.cli._progress import ProgressLine
from fieldguide.domain import SpeechRequest
from fieldguide.errors import InputFileError, UsageError
from fieldguide.evaluation import Stop

_FALLBACK_NOTE = (
    "espeak-ng is the fallback: a plain synthesizer. Better voices: --model piper:en_US-lessac-medium, openai:tts-1"
)


def run(args: Namespace) -> int:
    """Read a text aloud into a file, which is whole or not there, or into standard output."""
    text = sys.stdin.read() if args.text == "-" else args.text
    if not text.strip():
        raise UsageError("There is nothing to say.", hint="Give a text, or `-` and a text on standard input.")
    to_stream = str(args.out) == "-"
    if to_stream and args.json:
        raise UsageError("--json and --out - exclude each other: standard output holds one of them.")
    if to_stream and sys.stdout.isatty():
        raise UsageError("Sound does not go to a terminal.", hint="Give --out FILE, or pipe it: | aplay")
    form: SoundFormat = args.format or ("mp3" if args.out.suffix.lower() == ".mp3" else "wav")
    request = SpeechRequest(text=text, voice=args.voice, instructions=args.instructions, speed=args.speed)
    house = house_of(args)
    with ProgressLine(quiet=args.quiet) as line:

        def work_into(out: IO[bytes]) -> Spoken:
            def work(stop: Stop) -> Coroutine[Any, Any, Spoken]:
                options = model_options(args, line, stopped=lambda: stop.requested)
                return speak(house, args.model, request, options, form=form, out=out, told=line.text)

            return run_to_end(house, work, say=line.say, gentle=False)

        spoken = work_into(sys.stdout.buffer) if to_stream else _into_file(args.out, work_into)
    if args.json:
        print_json({**asdict(spoken), "file": str(args.out), "format": form})
    elif spoken.fallback:
        note(args, _FALLBACK_NOTE)
    length = "" if spoken.duration_s is None else f"{seconds(spoken.duration_s)} of sound "
    note(args, f"-- {spoken.model} · {length}in {seconds(spoken.seconds)} · {'-' if to_stream else args.out}")
    return 0


def _into_file(place: Path, work: Any) -> Spoken:
    """Write beside the place and rename at the end."""
    draft = place.with_name(f".{place.name}.partial")
    try:
        with draft.open("wb") as out:
            spoken: Spoken = work(out)
        draft.replace(place)
    except OSError as error:
        raise InputFileError(
            str(place), f"cannot be written: {error.strerror}.", hint="Name a file in a folder that is there."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return spoken
