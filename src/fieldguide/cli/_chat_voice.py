"""`chat --voice`: a conversation by microphone and loudspeaker, or by recordings."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fieldguide.app.microphone import record
from fieldguide.app.playback import play
from fieldguide.app.transcribe import reference_of
from fieldguide.app.voice import VoiceModels, VoiceTurn, converse
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.cli._voice import show
from fieldguide.errors import InputFileError, UnsupportedError, UsageError
from fieldguide.evaluation import Stop

_LONGEST_TURN_S = 120.0


def run(args: Namespace) -> int:
    """Converse until the recordings end or the person leaves."""
    _check(args)
    house = house_of(args)
    models = VoiceModels(
        hearing=reference_of(args.hear), answering=args.model, speaking=args.speak, voice=args.speak_as
    )
    turns: list[VoiceTurn] = []
    with ProgressLine(quiet=args.quiet) as line, tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        live = not args.voice_in
        out = args.voice_out or Path(folder)

        async def talk(stop: Stop) -> None:
            options = model_options(args, line, stopped=lambda: stop.requested)
            said: Sequence[Path] | AsyncIterator[Path] = args.voice_in or _spoken(args, Path(folder))
            conversation = converse(
                house, models, said, out, options, stop=stop, told=line.text,
                system=args.system, language=args.language, max_output_tokens=args.max_tokens,
                temperature=args.temperature,
            )  # fmt: skip
            loudspeaker = _Loudspeaker(args) if live else None
            async for turn in conversation:
                turns.append(turn)
                line.clear()
                if not args.json:
                    show(args, turn)
                if loudspeaker is not None and turn.spoken_to is not None:
                    await loudspeaker.play(Path(turn.spoken_to))

        def work(stop: Stop) -> Coroutine[Any, Any, None]:
            return talk(stop)

        run_to_end(house, work, say=line.say, gentle=False)
    if args.json:
        print_json({"turns": [asdict(turn) for turn in turns]})
    return 0


def _check(args: Namespace) -> None:
    if args.model is None:
        raise UsageError("There is no model.", hint="Name one: fieldguide chat MODEL --voice")
    if args.resume is not None:
        raise UsageError("--continue goes on with a typed conversation.", hint="Leave --voice out, or --continue.")
    if args.tools:
        raise UsageError("--voice goes without --tools.", hint="Leave one of them out.")
    if args.voice_in and args.voice_out is None:
        raise UsageError("Where are the answers to go?", hint="Name a folder: --voice-out DIR.")
    if args.voice_out is not None and args.voice_out.exists() and not args.voice_out.is_dir():
        raise InputFileError(str(args.voice_out), "is no folder.", hint="--voice-out takes the folder for the answers.")


class _Loudspeaker:
    """Plays answers; where it cannot, says so once and goes on in writing."""

    def __init__(self, args: Namespace) -> None:
        self._args, self._works = args, True

    async def play(self, sound: Path) -> None:
        """Play a file to its end."""
        if not self._works:
            return
        try:
            await play(sound)
        except UnsupportedError as error:
            self._works = False
            note(self._args, f"note: {error.message}")


async def _spoken(args: Namespace, folder: Path) -> AsyncIterator[Path]:
    """Yield what a person says, turn by turn; Enter begins and ends a turn, the end of input leaves."""
    lines = _Lines()
    number = 0
    while True:
        note(args, "-- Enter, then speak; Enter again ends it (Ctrl-D leaves)")
        if not await lines.next():
            return
        number += 1
        said = folder / f"said-{number}.wav"
        await record(said, seconds=_LONGEST_TURN_S, until=lines.next())
        yield said


class _Lines:
    """Lines of standard input, waited for without a thread, so that Ctrl-C ends at once."""

    def __init__(self) -> None:
        self._coming: asyncio.Future[bool] | None = None

    async def next(self) -> bool:
        """Return whether a line came; False at the end. One that nobody waited for any more is the next one's."""
        if self._coming is None or self._coming.done():
            self._coming = self._read()
        return await asyncio.shield(self._coming)

    def _read(self) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[bool] = loop.create_future()

        def ready() -> None:
            piece = os.read(sys.stdin.fileno(), 4096)
            if not piece or b"\n" in piece:
                loop.remove_reader(sys.stdin.fileno())
                coming.set_result(bool(piece))

        try:
            loop.add_reader(sys.stdin.fileno(), ready)
        except (OSError, ValueError):  # a file or nothing at all: nobody is there to press a key
            coming.set_result(False)
        return coming
