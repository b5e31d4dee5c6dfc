"""`draw`: words to pictures."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

from fieldguide.app.draw import Drawn, draw
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, print_json, seconds
from fieldguide.cli._progress import ProgressLine
from fieldguide.domain import ImageRequest
from fieldguide.errors import UsageError
from fieldguide.evaluation import Stop

_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


def run(args: Namespace) -> int:
    """Have pictures made and written."""
    if not args.prompt.strip():
        raise UsageError("The prompt is empty.", hint="Say what the picture shows.")
    if args.count is not None and not 1 <= args.count <= 10:
        raise UsageError(f"--count takes a number from 1 to 10, not {args.count}.")
    request = ImageRequest(
        prompt=args.prompt,
        count=args.count,
        size=args.size,
        quality=args.quality,
        # PNG is what every provider gives unasked, and older models refuse to be asked for a format.
        output_format=None if (form := _FORMATS.get(args.out.suffix.lower())) == "png" else form,
    )
    house = house_of(args)
    with ProgressLine(quiet=args.quiet) as line:

        def work(stop: Stop) -> Coroutine[Any, Any, Drawn]:
            options = model_options(args, line, stopped=lambda: stop.requested)
            return draw(house, args.model, request, args.out, options)

        drawn = run_to_end(house, work, say=line.say, gentle=False)
    wanted = _FORMATS.get(args.out.suffix.lower())
    if args.json:
        print_json(asdict(drawn))
        return 0
    for picture in drawn.pictures:
        print(picture.file or picture.url)
        if picture.format is not None and wanted is not None and picture.format != wanted:
            note(args, f"its content is {picture.format}, whatever the name says")
        if picture.revised_prompt:
            note(args, f"the provider made of the prompt: {picture.revised_prompt}")
    note(args, f"-- {drawn.model} · {seconds(drawn.seconds)}")
    return 0
