"""`ask`: one question to one model."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Coroutine
from typing import Any

from fieldguide.app.ask import Answer, Question, answer_json, ask
from fieldguide.app.attachments import attached, checked_prompt
from fieldguide.app.talk import Round
from fieldguide.app.tools import Called, faults
from fieldguide.cli._answer_view import AnswerView, footer
from fieldguide.cli._errors import FAILED
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.cli._talk_options import asking_of, toolbox_of
from fieldguide.domain import StreamPiece
from fieldguide.errors import UsageError
from fieldguide.evaluation import Stop


def run(args: Namespace) -> int:
    """Ask, stream the answer to standard output, and say on standard error what it took."""
    question, asking = _question(args), asking_of(args)
    if question.text and (question.system or question.blocks or args.tools or args.schema):
        raise UsageError("--text goes with a prompt alone: a plain text has no system message, files, tools or schema.")
    house = house_of(args)
    silent = args.json or args.raw
    view = AnswerView(quiet=args.quiet, show_reasoning=not args.hide_reasoning)
    with ProgressLine(quiet=args.quiet) as line:
        toolbox = toolbox_of(args, pause=line.clear)

        def tell(event: StreamPiece | Called | Round) -> None:
            line.clear()
            if not silent:
                view(event)

        def work(stop: Stop) -> Coroutine[Any, Any, Answer]:
            options = model_options(args, line, stopped=lambda: stop.requested)
            return ask(house, args.model, question, asking, options, toolbox=toolbox, told=tell)

        try:
            answer: Answer = run_to_end(house, work, say=line.say, gentle=False)
        except BaseException:
            view.end()
            raise
        finally:
            toolbox.close()
    if args.json:
        told = answer_json(answer)
        print_json({**told, "raw": [each.completion.raw for each in answer.reply.rounds]} if args.raw else told)
    elif args.raw:
        for each in answer.reply.rounds:
            print(each.completion.raw or "")
    else:
        view.note(footer(answer.model.name, answer.reply, free=answer.free))
    return _ended(args, answer, view)


def _question(args: Namespace) -> Question:
    """Return the question; what is piped in follows a prompt that was typed."""
    prompt = args.prompt
    if prompt in (None, "-"):
        if prompt is None and sys.stdin.isatty() and not (args.image or args.audio or args.file):
            raise UsageError("There is no prompt.", hint="Give one, or pipe it in: `fieldguide ask MODEL < FILE`.")
        prompt = "" if prompt is None and sys.stdin.isatty() else _piped()
    elif _is_piped() and (more := _piped()).strip():
        prompt = f"{prompt}\n\n{more}"
    blocks = attached(images=args.image, audio=args.audio, files=args.file)
    return Question(prompt=checked_prompt(prompt, blocks), blocks=blocks, system=args.system, text=args.text)


def _piped() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _is_piped() -> bool:
    """Return whether standard input is a file or a pipe that somebody filled: never one that may stay silent."""
    import select
    import stat
    from os import fstat

    try:
        mode = fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    if stat.S_ISREG(mode):
        return True
    return stat.S_ISFIFO(mode) and bool(select.select([sys.stdin], [], [], 0.2)[0])


def _ended(args: Namespace, answer: Answer, view: AnswerView) -> int:
    """Return the exit code: an answer that does not keep to its schema, or came to no end, has failed."""
    if answer.reply.ended == "max_rounds":
        view.note(f"stopped after {args.max_rounds} requests that all called tools; --max-rounds allows more")
        return FAILED
    if args.schema is not None and (wrong := _faults_of(args, answer)):
        view.note(f"the answer does not keep to {args.schema}: {wrong}")
        return FAILED
    return 0


def _faults_of(args: Namespace, answer: Answer) -> str:
    import json

    try:
        value = json.loads(answer.reply.last.text)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"
    return "; ".join(faults(value, json.loads(args.schema.read_bytes()))[:5])
