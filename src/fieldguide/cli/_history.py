"""`history`: what was said with `ask` and `chat`."""

from __future__ import annotations

from argparse import Namespace
from decimal import Decimal
from typing import Any

from fieldguide.app.talk_records import conversation_json, delete, find, history, turns_of
from fieldguide.cli._answer_view import shown
from fieldguide.cli._output import console, house_of, money, note, number, print_json, seconds, table
from fieldguide.domain import Image, Message, Text, ToolCall, ToolResult
from fieldguide.errors import UsageError
from fieldguide.store import Turn


def run(args: Namespace) -> int:
    """List conversations, or show or delete one."""
    if args.limit <= 0:
        raise UsageError(f"--limit takes a number above 0, not {args.limit}.")
    if args.delete and args.id is None:
        raise UsageError("--delete needs the number of a conversation.", hint="See `fieldguide history`.")
    house = house_of(args)
    try:
        if args.id is None:
            _list(args, [conversation_json(each) for each in history(house, args.limit)])
        elif args.delete:
            conversation = find(house, args.id)
            delete(house, conversation)
            if args.json:
                print_json({"deleted": conversation.conversation_id})
            else:
                note(args, f"conversation {conversation.conversation_id} is deleted")
        else:
            conversation = find(house, args.id)
            turns = turns_of(house, conversation)
            if args.json:
                print_json(conversation_json(conversation, turns))
            else:
                _show(turns)
    finally:
        house.close_store()
    return 0


def _list(args: Namespace, conversations: list[dict[str, Any]]) -> None:
    if args.json:
        print_json({"conversations": conversations})
        return
    if not conversations:
        note(args, "nothing was said yet; fieldguide ask MODEL PROMPT, or fieldguide chat MODEL")
        return
    rows = table("id", "last", "how", "model", "turns", "begins", right=(0, 4))
    for each in conversations:
        rows.add_row(
            str(each["conversation_id"]),
            each["updated_at"][:16].replace("T", " "),
            each["kind"],
            each["reference"],
            str(each["turns"]),
            each["title"],
        )
    console().print(rows)


def _show(turns: list[Turn]) -> None:
    import sys

    for turn in turns:
        mark = " (taken back)" if turn.taken_back else ""
        print(f"{turn.message.role}{mark}: {shown(sys.stdout, _words(turn.message))}")
        if turn.answer is not None:
            print(f"    {_figures(turn.answer)}")
        print()


def _words(message: Message) -> str:
    parts = []
    for block in message.blocks:
        if isinstance(block, Text):
            parts.append(block.text)
        elif isinstance(block, ToolCall):
            parts.append(f"[{block.name}({dict(block.arguments or {})})]")
        elif isinstance(block, ToolResult):
            parts.append(block.content if isinstance(block.content, str) else "[blocks]")
        elif isinstance(block, Image):
            parts.append(f"[picture: {block.url or block.media_type}]")
        else:
            parts.append(f"[{type(block).__name__.lower()}]")
    return "\n".join(parts)


def _figures(answer: Any) -> str:
    usage = answer.get("usage") or {}
    cost = answer.get("cost_usd")
    return " · ".join(
        [
            str(answer.get("model")),
            f"{number(usage.get('input_tokens'))} in, {number(usage.get('output_tokens'))} out",
            money(None if cost is None else Decimal(cost)),
            seconds(answer.get("e2e_latency_s")),
            *(["stopped"] if answer.get("stopped") else []),
        ]
    )
