"""`voice`: talk with a model by recordings."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

from fieldguide.app.transcribe import reference_of
from fieldguide.app.voice import VoiceModels, VoiceTurn, converse
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.errors import InputFileError
from fieldguide.evaluation import Stop


def run(args: Namespace) -> int:
    """Hear each recording, have the model answer, and write the answer as speech."""
    if args.out.exists() and not args.out.is_dir():
        raise InputFileError(str(args.out), "is no folder.", hint="--out takes the folder to write answers to.")
    house = house_of(args)
    models = VoiceModels(hearing=reference_of(args.hear), answering=args.model, speaking=args.speak, voice=args.voice)
    turns: list[VoiceTurn] = []
    with ProgressLine(quiet=args.quiet) as line:

        async def talk(stop: Stop) -> None:
            options = model_options(args, line, stopped=lambda: stop.requested)
            conversation = converse(
                house, models, args.files, args.out, options,
                stop=stop, told=line.text, system=args.system, language=args.language,
            )  # fmt: skip
            async for turn in conversation:
                turns.append(turn)
                line.clear()
                if not args.json:
                    show(args, turn)

        def work(stop: Stop) -> Coroutine[Any, Any, None]:
            return talk(stop)

        run_to_end(house, work, say=line.say, gentle=False)
    if args.json:
        print_json({"turns": [asdict(turn) for turn in turns]})
    return 0


def show(args: Namespace, turn: VoiceTurn) -> None:
    """Print one turn: what was heard, the answer, and where it was spoken to."""
    print(f"you: {turn.heard or '(nobody speaks)'}")
    if turn.answer is not None:
        print(f"{args.model}: {turn.answer}", flush=True)
    if turn.spoken is not None:
        note(args, f"-- {turn.spoken.model}{' (the fallback)' if turn.spoken.fallback else ''}: {turn.spoken_to}")
