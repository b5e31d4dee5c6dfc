"""`ask`: one question to one model."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Coroutine
from typing import Any, TextIO

from fieldguide.app.ask import Answer, ask, question
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, number, print_json, seconds
from fieldguide.cli._progress import ProgressLine
from fieldguide.domain import TextDelta
from fieldguide.errors import UsageError
from fieldguide.evaluation import Stop


def run(args: Namespace) -> int:
    """Ask, stream the answer to standard output, and say on standard error what it took."""
    prompt = sys.stdin.read() if args.prompt == "-" else args.prompt
    if not prompt.strip():
        raise UsageError("The prompt is empty.")
    if args.max_tokens <= 0:
        raise UsageError(f"--max-tokens takes a number above 0, not {args.max_tokens}.")
    if args.temperature is not None and not 0 <= args.temperature <= 10:
        raise UsageError(f"--temperature takes a number of at least 0, not {args.temperature}.")
    if args.text and args.system:
        raise UsageError("--system and --text exclude each other: a plain text has no system message.")
    request = question(
        prompt, system=args.system, text=args.text, max_output_tokens=args.max_tokens, temperature=args.temperature
    )
    house = house_of(args)
    with ProgressLine(quiet=args.quiet) as line:

        def show(piece: TextDelta) -> None:
            line.clear()
            stream = sys.stderr if piece.reasoning else sys.stdout
            stream.write(_for(stream, piece.text))
            stream.flush()

        def work(stop: Stop) -> Coroutine[Any, Any, Answer]:
            options = model_options(args, line, stopped=lambda: stop.requested)
            return ask(house, args.model, request, options, told=None if args.json else show)

        answer: Answer = run_to_end(house, work, say=line.say, gentle=False)
    if args.json:
        print_json(_as_json(answer))
    else:
        print()
        note(args, _footer(answer))
    return 0


def _for(stream: TextIO, text: str) -> str:
    """Return text that a stream can take; on a terminal a model must not move the cursor or change colours."""
    text = text.encode("utf-8", "replace").decode()
    if not stream.isatty():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def _as_json(answer: Answer) -> dict[str, Any]:
    completion = answer.completion
    return {
        "model": answer.model.name,
        "reference": answer.model.reference,
        "reported_model": completion.model,
        "text": completion.text,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason.value,
        "raw_finish_reason": completion.raw_finish_reason,
        "usage": {
            "input_tokens": completion.usage.input_tokens,
            "output_tokens": completion.usage.output_tokens,
            "cached_input_tokens": completion.usage.cached_input_tokens,
            "reasoning_tokens": completion.usage.reasoning_tokens,
        },
        "ttft_s": completion.latency.ttft_s,
        "e2e_latency_s": completion.latency.e2e_latency_s,
    }


def _footer(answer: Answer) -> str:
    completion = answer.completion
    usage, latency = completion.usage, completion.latency
    parts = [
        answer.model.name,
        f"{number(usage.input_tokens)} in, {number(usage.output_tokens)} out",
        seconds(latency.e2e_latency_s),
    ]
    if latency.ttft_s is not None:
        parts.append(f"first token after {seconds(latency.ttft_s)}")
    if completion.finish_reason.value != "stop":
        parts.append(f"ended: {completion.raw_finish_reason or completion.finish_reason.value}")
    return "-- " + " · ".join(parts)
