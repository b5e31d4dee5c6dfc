"""`chat`: a conversation at the terminal, or line by line from a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from fieldguide.app.chat import Chat, open_chat
from fieldguide.app.talk import Reply, Round
from fieldguide.app.talk_records import conversation_json
from fieldguide.app.tools import Called
from fieldguide.app.wiring import House
from fieldguide.cli._answer_view import AnswerView, footer
from fieldguide.cli._errors import FAILED, report
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, money, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.cli._talk_options import asking_of, toolbox_of
from fieldguide.domain import StreamPiece
from fieldguide.errors import FieldguideError, UnknownNameError, UsageError
from fieldguide.registry import nearest

_HELP = '''\
/help            this                          /model NAME   go on with another model
/system TEXT     set the system message        /tools [NAME] add a tool (FILE.py, calculator, algebra), or list them
/image FILE      attach to the next message    /undo         take back the last question and its answer
/audio FILE      (WAV, MP3)                    /retry        ask the last question anew
/file FILE       (PDF, text)                   /cost         what this sitting has cost
/save FILE       Markdown, or all as .json     /quit         (or Ctrl-D)
A line that ends in \\ goes on in the next; """ begins and ends a message of several lines. Ctrl-C stops an answer.'''
_MOST_HISTORY = 1000


def run(args: Namespace) -> int:
    """Talk until the person leaves; exit 1 where a piped conversation met an error."""
    if args.voice or args.voice_in:
        from fieldguide.cli import _chat_voice

        return _chat_voice.run(args)
    asking = asking_of(args)
    if args.model is None and args.resume is None:
        raise UsageError("There is no model.", hint="Name one: fieldguide chat MODEL; or go on: --continue.")
    house = house_of(args)
    view = AnswerView(quiet=args.quiet or args.json, show_reasoning=not args.hide_reasoning)
    with ProgressLine(quiet=args.quiet or args.json) as line, asyncio.Runner() as loop:
        toolbox = toolbox_of(args, pause=line.clear)

        def tell(event: StreamPiece | Called | Round) -> None:
            line.clear()
            if not args.json:
                view(event)

        try:
            chat, left_out = loop.run(
                open_chat(
                    house,
                    args.model,
                    asking,
                    model_options(args, line, stopped=lambda: False),
                    toolbox=toolbox,
                    told=tell,
                    system=args.system,
                    resume=args.resume,
                )
            )
            line.clear()
            try:
                return _Sitting(args, house, chat, view, loop).lead(left_out)
            finally:
                loop.run(chat.close())
        finally:
            toolbox.close()
            loop.run(house.close())


class _Sitting:
    """Reads what a person types and does it."""

    def __init__(self, args: Namespace, house: House, chat: Chat, view: AnswerView, loop: asyncio.Runner) -> None:
        self._args, self._house, self._chat, self._view, self._loop = args, house, chat, view, loop
        self._interactive = sys.stdin.isatty() and not args.json
        self._failed = False

    def lead(self, left_out: tuple[str, ...]) -> int:
        if self._interactive:
            self._view.note(f"{self._chat.opened.runner.model.name}; /help shows what can be typed, Ctrl-D leaves")
        self._tell_left_out(left_out)
        with self._line_editing():
            for typed in self._messages():
                if typed.strip() in {"/quit", "/exit"}:
                    break
                self._done(typed)
        if self._args.json:
            self._print_json()
        return FAILED if self._failed and not self._interactive else 0

    def _done(self, typed: str) -> None:
        """Do one thing; an error is told and the conversation goes on."""
        try:
            if typed.startswith("/"):
                self._command(typed)
            elif typed.strip():
                self._answer(self._chat.say(typed))
        except FieldguideError as error:
            self._view.end()
            self._failed = True
            report(error, as_json=False)

    def _answer(self, work: Coroutine[Any, Any, Reply]) -> None:
        try:
            reply = self._loop.run(work)
        except KeyboardInterrupt:
            self._view.end()
            self._view.note("-- stopped; what had come is kept (/undo takes it back)")
            return
        self._view.note(footer(self._chat.opened.runner.model.name, reply, free=self._chat.opened.free))
        if reply.ended == "max_rounds":
            self._view.note(f"stopped after {self._args.max_rounds} requests that all called tools")

    def _command(self, typed: str) -> None:
        name, _, rest = typed[1:].partition(" ")
        rest = rest.strip()
        commands: dict[str, Callable[[str], None]] = {
            "help": lambda rest: self._view.note(_HELP),
            "system": self._system,
            "image": lambda rest: self._attach("image", rest),
            "audio": lambda rest: self._attach("audio", rest),
            "file": lambda rest: self._attach("file", rest),
            "tools": self._tools,
            "model": self._model,
            "save": self._save,
            "undo": lambda rest: self._undo(),
            "retry": lambda rest: self._answer(self._chat.retry()),
            "cost": lambda rest: self._cost(),
        }
        if name.strip() not in commands:
            raise UnknownNameError(
                "command",
                f"/{name.strip()}",
                [f"/{each}" for each in nearest(name, list(commands))],
                hint=None if nearest(name, list(commands)) else "/help shows them.",
            )
        commands[name.strip()](rest)

    def _system(self, text: str) -> None:
        self._chat.talk.set_system(text)
        self._view.note("the system message is set" if text else "there is no system message now")

    def _attach(self, kind: str, name: str) -> None:
        for each in shlex.split(_named(name, f"/{kind}")):
            self._chat.attach(kind, each)
        self._view.note(f"attached to the next message: {len(self._chat.pending)}")

    def _tools(self, name: str) -> None:
        box = self._chat.talk.toolbox
        if name:
            if name.endswith(".py") and not self._args.yes and not self._interactive:
                raise UsageError("Nobody can be asked whether its functions may run.", hint="Begin with `--yes`.")
            box.add(name)
        self._view.note(f"tools: {', '.join(box.bound) or 'none'}")

    def _model(self, name: str) -> None:
        left_out = self._loop.run(self._chat.carry_to(_named(name, "/model")))
        self._view.note(f"going on with {self._chat.opened.runner.model.name}")
        self._tell_left_out(left_out)

    def _tell_left_out(self, left_out: tuple[str, ...]) -> None:
        if left_out:
            self._view.note(f"this model is not given: {', '.join(left_out)}; the conversation keeps it")

    def _save(self, name: str) -> None:
        self._view.note(f"written: {self._chat.save(_named(name, '/save'))}")

    def _undo(self) -> None:
        taken = self._chat.talk.take_back()
        self._view.note("there is nothing to take back" if taken is None else f"taken back: {taken.text[:80]}")

    def _cost(self) -> None:
        talk = self._chat.talk
        tokens_in = [each.completion.usage.input_tokens or 0 for each in talk.rounds]
        tokens_out = [each.completion.usage.output_tokens or 0 for each in talk.rounds]
        cost = "not known" if talk.spent_usd is None else money(talk.spent_usd)
        self._view.note(f"{len(talk.rounds)} requests, {sum(tokens_in):,} in, {sum(tokens_out):,} out, cost: {cost}")

    def _print_json(self) -> None:
        records = self._chat.talk.records
        if records is None or records.conversation_id is None:
            print_json({"conversation_id": None, "turns": []})
            return
        conversation = records.conversations.one(records.conversation_id)
        print_json(conversation_json(conversation, records.conversations.turns(conversation.conversation_id)))

    # -- what is typed --------------------------------------------------------------------------------------------

    def _messages(self) -> Iterator[str]:
        """Yield what is typed, several lines together where they belong together, until it ends."""
        while (line := self._line("> ")) is not None:
            if line.strip().startswith('"""'):
                line = self._quoted(line.strip()[3:])
            while line.endswith("\\"):
                line = f"{line[:-1]}\n{self._line('. ') or ''}"
            yield line

    def _quoted(self, first: str) -> str:
        lines = [first]
        while not lines[-1].rstrip().endswith('"""'):
            following = self._line(". ")
            if following is None:
                return "\n".join(lines)
            lines.append(following)
        return "\n".join(lines).rstrip().removesuffix('"""').strip("\n")

    def _line(self, prompt: str) -> str | None:
        """Return one line; None at the end of the input. Ctrl-C gives up the line."""
        while True:
            try:
                if self._interactive:
                    return input(prompt)
                line = sys.stdin.buffer.readline()
                return line.decode("utf-8", "replace").rstrip("\r\n") if line else None
            except EOFError:
                return None
            except KeyboardInterrupt:
                if not self._interactive:
                    raise
                sys.stderr.write("\n")

    @contextlib.contextmanager
    def _line_editing(self) -> Iterator[None]:
        """Edit lines, and keep what was typed from one sitting to the next."""
        if not self._interactive:
            yield
            return
        try:
            import readline
        except ImportError:
            yield
            return
        path = Path(self._house.settings.home) / "typed_history"
        with contextlib.suppress(OSError):
            readline.read_history_file(path)
        readline.set_history_length(_MOST_HISTORY)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                readline.write_history_file(path)
                path.chmod(0o600)


def _named(name: str, command: str) -> str:
    if not name:
        raise UsageError(f"{command} needs a name.", hint="/help shows how.")
    return name
