"""`transcribe`: recordings to text, subtitles or JSON."""

from __future__ import annotations

import json
import tempfile
from argparse import Namespace
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from fieldguide.app.microphone import record
from fieldguide.app.references import ModelOptions
from fieldguide.app.transcribe import Transcript, Wish, reference_of, transcribe, until_s
from fieldguide.app.transcript_text import as_json_value, as_srt, as_text, as_vtt
from fieldguide.app.wiring import House
from fieldguide.cli import _errors
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, print_json, seconds
from fieldguide.cli._progress import ProgressLine
from fieldguide.errors import InputFileError, UsageError
from fieldguide.evaluation import Stop


def run(args: Namespace) -> int:
    """Write every file down; what was heard is kept and shown even when Ctrl-C ends it."""
    if bool(args.files) == (args.microphone is not None):
        raise UsageError("Give recordings, or --microphone SECONDS.", hint="fieldguide transcribe talk.mp3")
    if args.microphone is not None and not 0 < args.microphone <= 86_400:
        raise UsageError(f"--microphone takes seconds above 0, not {args.microphone}.")
    if args.out is not None:
        _make_folder(args.out)
    house = house_of(args)
    outcomes: list[Transcript | InputFileError] = []
    with ProgressLine(quiet=args.quiet) as line, tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:

        def work(stop: Stop) -> Coroutine[Any, Any, None]:
            options = model_options(args, line, stopped=lambda: stop.requested)
            return _work(args, house, options, stop, line, Path(folder), outcomes)

        run_to_end(house, work, say=line.say)
    if args.json:
        results = [_error(each) if isinstance(each, InputFileError) else as_json_value(each) for each in outcomes]
        print_json({"results": results})
    if any(isinstance(each, Transcript) and not each.complete for each in outcomes) or len(outcomes) < _count(args):
        raise KeyboardInterrupt
    failed = next((each for each in outcomes if isinstance(each, InputFileError)), None)
    return 0 if failed is None else _errors.exit_code(failed)


def _make_folder(place: Path) -> None:
    """Make the folder for transcripts now: an hour later it would be too late to say that it cannot be."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = "is no folder." if place.exists() else f"cannot be made: {error.strerror}."
        raise InputFileError(str(place), told, hint="--out takes the folder to write transcripts to.") from error


def _count(args: Namespace) -> int:
    return len(args.files) or 1


async def _work(
    args: Namespace,
    house: House,
    options: ModelOptions,
    stop: Stop,
    line: ProgressLine,
    folder: Path,
    outcomes: list[Transcript | InputFileError],
) -> None:
    files: list[Path] = list(args.files)
    if args.microphone is not None:
        line.say(f"recording for {seconds(args.microphone)}")
        files = [folder / "microphone.wav"]
        await record(files[0], seconds=args.microphone)
    wish = Wish(
        language=args.language,
        translate=args.translate,
        segments=args.format != "txt" or args.json,
        words=args.timestamps == "word",
        skip_silence=not args.no_vad,
        prompt=args.prompt,
    )

    def told(transcript: Transcript) -> None:
        line.text(f"{Path(transcript.file).name}: heard up to {seconds(until_s(transcript))}")

    reference = reference_of(args.model)
    async for outcome in transcribe(house, reference, files, wish, options, stop=stop, told=told):
        line.clear()
        outcomes.append(outcome)
        if isinstance(outcome, InputFileError):
            if len(files) == 1:
                raise outcome
            if not args.json:
                _errors.report(outcome, as_json=False)
        else:
            _put_out(args, outcome, files)


def _put_out(args: Namespace, transcript: Transcript, files: list[Path]) -> None:
    written = _written(args, transcript)
    if args.out is not None:
        source = Path(transcript.file)
        shared = sum(file.stem == source.stem for file in files) > 1
        place = args.out / f"{source.name if shared else source.stem}.{args.format}"
        place.write_text(written, encoding="utf-8")
        note(args, f"wrote {place}")
    elif not args.json:
        if len(files) > 1 and args.format == "txt":
            note(args, f"{transcript.file}:")
        print(written, end="", flush=True)
    note(args, _footer(transcript))


def _written(args: Namespace, transcript: Transcript) -> str:
    words = args.timestamps == "word"
    if args.format == "srt":
        return as_srt(transcript, words=words)
    if args.format == "vtt":
        return as_vtt(transcript, words=words)
    if args.format == "json":
        return json.dumps(as_json_value(transcript), ensure_ascii=False, indent=2) + "\n"
    return as_text(transcript)


def _footer(transcript: Transcript) -> str:
    parts = [transcript.model, f"{seconds(transcript.duration_s)} of sound in {seconds(transcript.seconds)}"]
    if transcript.resumed_at_s is not None:
        parts.append(f"went on from {seconds(transcript.resumed_at_s)}")
    if transcript.language is not None:
        sure = transcript.language_probability
        parts.append(transcript.language if sure is None else f"{transcript.language} ({100 * sure:.0f} % sure)")
    if not transcript.text:
        parts.append("nobody speaks in it")
    if transcript.damaged_frames:
        parts.append(f"{transcript.damaged_frames} damaged pieces left out")
    if not transcript.complete:
        parts.append("stopped: the same command goes on from the last finished window")
    return "-- " + " · ".join(parts)


def _error(error: InputFileError) -> dict[str, Any]:
    return {"file": error.path, **_errors.error_json(error)}
