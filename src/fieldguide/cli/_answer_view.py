"""How an answer is shown: words on standard output; thoughts, tools and figures apart from them on standard error."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from fieldguide.app.talk import Reply, Round
from fieldguide.app.tools import Called
from fieldguide.cli._markdown import MarkdownStream
from fieldguide.cli._output import console, money, number, seconds
from fieldguide.domain import BlockStart, Completion, StreamPiece, TextDelta

_SHOWN = 400
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class AnswerView:
    """Shows one answer after another as it comes."""

    def __init__(self, *, quiet: bool, show_reasoning: bool = True) -> None:
        """`quiet` shows the words alone."""
        self._quiet, self._show_reasoning = quiet, show_reasoning and not quiet
        self._markdown = MarkdownStream(console()) if sys.stdout.isatty() else None
        self._dim = sys.stderr.isatty()
        self._thinking = self._said = self._streamed = False
        self._last = "\n"

    def __call__(self, event: StreamPiece | Called | Round) -> None:
        """Show what happened."""
        if isinstance(event, TextDelta):
            self._streamed = True
            self._thought(event.text) if event.reasoning else self._words(event.text)
        elif isinstance(event, BlockStart) and event.kind == "tool_call":
            self._streamed = True
        elif isinstance(event, Called):
            self._tool(event)
        elif isinstance(event, Round):
            if not self._streamed:
                self._whole(event.completion)
            self.end()

    def end(self) -> None:
        """End the lines that are open: the answer is over, or was stopped."""
        self._end_thinking()
        if self._markdown is not None:
            self._markdown.close()
        elif self._said and self._last != "\n":
            sys.stdout.write("\n")
        sys.stdout.flush()
        self._said = self._streamed = False
        self._last = "\n"

    def note(self, text: str) -> None:
        """Say something beside the answer, unless quiet."""
        if not self._quiet:
            dim, plain = (_DIM, _PLAIN) if self._dim else ("", "")
            sys.stderr.write(f"{dim}{shown(sys.stderr, text)}{plain}\n")
            sys.stderr.flush()

    def _whole(self, completion: Completion) -> None:
        if completion.reasoning:
            self._thought(completion.reasoning)
        if completion.text:
            self._words(completion.text)

    def _words(self, text: str) -> None:
        self._end_thinking()
        self._said = True
        if self._markdown is not None:
            self._markdown.feed(shown(sys.stdout, text))
        else:
            sys.stdout.write(shown(sys.stdout, text))
            sys.stdout.flush()
        self._last = text[-1:] or self._last

    def _thought(self, text: str) -> None:
        if not self._show_reasoning:
            return
        if not self._thinking:
            self._thinking = True
            sys.stderr.write(f"{_DIM}thinking: " if self._dim else "thinking: ")
        sys.stderr.write(shown(sys.stderr, text))
        sys.stderr.flush()

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            sys.stderr.write(f"{_PLAIN}\n" if self._dim else "\n")
            sys.stderr.flush()

    def _tool(self, called: Called) -> None:
        self.end()
        arguments = called.call.raw_arguments if called.call.arguments is None else json.dumps(called.call.arguments)
        result = called.result.content if isinstance(called.result.content, str) else "(blocks)"
        failed = " failed:" if called.result.is_error else ""
        self.note(
            f"[{called.call.name}({_cut(arguments or '')}) ->{failed} {_cut(result)} · {seconds(called.seconds)}]"
        )


def shown(stream: TextIO, text: str) -> str:
    """Return text that a stream can take; on a terminal a model must not move the cursor or change colours."""
    text = text.encode("utf-8", "replace").decode()
    if not stream.isatty():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def footer(name: str, reply: Reply, *, free: bool) -> str:
    """Return what an answer took, in one line."""
    usages = [each.completion.usage for each in reply.rounds]

    def added(field: str) -> int | None:
        counts = [getattr(usage, field) for usage in usages]
        return None if any(count is None for count in counts) else sum(counts)

    tokens = [f"{number(added('input_tokens'))} in"]
    for field, what in (("cached_input_tokens", "cached"), ("cache_write_tokens", "written to the cache")):
        if added(field):
            tokens.append(f"{number(added(field))} of them {what}")
    tokens.append(f"{number(added('output_tokens'))} out")
    if added("reasoning_tokens"):
        tokens.append(f"{number(added('reasoning_tokens'))} of them thinking")
    parts = [name, ", ".join(tokens), "free (runs here)" if free else _cost(reply), *_speed(reply)]
    if len(reply.rounds) > 1:
        parts.append(f"{len(reply.rounds)} requests")
    last = reply.last
    if last.finish_reason.value not in {"stop", "tool_call"}:
        parts.append(f"ended: {last.raw_finish_reason or last.finish_reason.value}")
    return "-- " + " · ".join(parts)


def _cost(reply: Reply) -> str:
    return "price not known" if reply.cost_usd is None else money(reply.cost_usd)


def _speed(reply: Reply) -> list[str]:
    latencies = [each.completion.latency for each in reply.rounds]
    whole = [latency.e2e_latency_s for latency in latencies if latency.e2e_latency_s is not None]
    parts = [seconds(sum(whole))] if whole else []
    if latencies[0].ttft_s is not None:
        parts.append(f"first token after {seconds(latencies[0].ttft_s)}")
    if (rate := tokens_per_s(reply.last)) is not None:
        parts.append(f"{rate:.0f} tokens/s")
    return parts


def tokens_per_s(completion: Completion) -> float | None:
    """Return the tokens after the first per second; None where they, or the times, are not known or too few."""
    usage, latency = completion.usage, completion.latency
    if latency.ttft_s is None or latency.e2e_latency_s is None or not usage.output_tokens or usage.output_tokens < 8:
        return None
    took_s = latency.e2e_latency_s - latency.ttft_s
    return (usage.output_tokens - 1) / took_s if took_s > 0.01 else None
