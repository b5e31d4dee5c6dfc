"""Ask: a conversation with one model, or with two side by side; the page, and what its form says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldguide import catalogue
from fieldguide.app.ask_beside import Saying, Side, conversations_of, whole_conversation
from fieldguide.app.attachments import checked_prompt, image_of, sound_of
from fieldguide.app.references import as_decimal
from fieldguide.app.talk import Asking
from fieldguide.app.tools import BUILT_IN
from fieldguide.app.wiring import House
from fieldguide.domain import Block, Message, ReasoningOptions, Text
from fieldguide.errors import FieldguideError, UsageError
from fieldguide.web._entry import Visitor
from fieldguide.web._page import Asked, Page, Shown

_FIELDS = ("model", "other", "prompt", "system", "max_output_tokens", "temperature", "reasoning")
EFFORTS = ("minimal", "low", "medium", "high")
_MOST_TOKENS = 512
_HOTTEST = 100
_MOST_FILES = 8
_HISTORY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with a form."""

    name: str
    kind: str
    """`image` or `audio`."""
    data: bytes


def _ask(asked: Asked) -> Shown:
    numbers = [_number(text) for name in ("conversation", "beside") for text in asked.every(name)[-1:]]
    form = {field: asked.text(field) for field in _FIELDS}
    return asked_page(asked.house, asked.visitor, form, [conversation for conversation in numbers if conversation])


def asked_page(
    house: House,
    visitor: Visitor,
    form: Mapping[str, Any],
    conversations: Sequence[int | None] = (),
    answers: Sequence[Mapping[str, Any]] | None = None,
) -> Shown:
    """Return the page with its fields filled in, the conversations so far, and what came of each model just now.

    Raises:
        UnknownNameError: There is no such conversation of this visitor's.
    """
    whole = [None if each is None else whole_conversation(house, each, visitor.owner) for each in conversations]
    search = {field: form.get(field) or "" for field in _FIELDS}
    for field, conversation in zip(("model", "other"), whole, strict=False):
        if conversation is not None and not search[field]:
            search[field] = conversation["reference"]
    return Shown(
        title="Ask",
        context={
            "search": search,
            "tools_on": list(form.get("tools") or ()),
            "models": offered(house, visitor),
            "tools": list(BUILT_IN),
            "conversations": whole,
            "answers": None if answers is None else list(answers),
        },
        drawn={"sides": _sides(whole, answers), "efforts": EFFORTS},
    )


def offered(house: House, visitor: Visitor) -> list[str]:
    """Return models that can be named: those here, and on this machine those of the guide that can be fetched."""
    try:
        here = [model.name for model in house.models.list()]
    except FieldguideError:
        here = []
    known = [entry.name for entry in catalogue.entries(house.copies)] if visitor.is_admin else []
    return [name for name in dict.fromkeys([*here, *known]) if visitor.identity.may_ask(name)]


def _sides(
    conversations: Sequence[dict[str, Any] | None], answers: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Return what stands in each column: its model, the turns, and what went wrong just now."""
    sides = []
    for place in range(max(len(conversations), len(answers or ()))):
        answer = answers[place] if answers and place < len(answers) else None
        conversation = conversations[place] if place < len(conversations) else None
        name = (answer or {}).get("model") or (answer or {}).get("asked") or (conversation or {}).get("reference")
        turns = [] if conversation is None else [_turn(turn) for turn in conversation["turns"]]
        sides.append({"name": name or "", "conversation": conversation, "turns": turns, "answer": answer})
    return sides


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    """Return a turn as it is shown: words, thoughts, files, calls of tools, and what an answer took."""
    content, answer = turn["message"]["content"], turn["answer"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    kinds: dict[str, list[Any]] = {}
    for block in blocks:
        kinds.setdefault(block["type"], []).append(block)
    files = [block for kind in ("image", "audio", "video", "document") for block in kinds.get(kind, [])]
    return {
        "role": turn["message"]["role"],
        "text": "\n\n".join(block.get("text") or "" for name in ("text", "refusal") for block in kinds.get(name, [])),
        "reasoning": "\n\n".join(block.get("text") or "" for block in kinds.get("reasoning", [])),
        "files": [
            {"type": each["type"], "media_type": each.get("media_type"), "bytes": _bytes(each)} for each in files
        ],
        "calls": kinds.get("tool_call", []),
        "results": [
            {"name": each.get("name"), "text": _result(each.get("content")), "is_error": each.get("is_error")}
            for each in kinds.get("tool_result", [])
        ],
        "took": None if answer is None else _took(answer),
    }


def _bytes(block: Mapping[str, Any]) -> int | None:
    data = block.get("data")
    return None if data is None else len(data) * 3 // 4


def _result(content: Any) -> str:
    return content if isinstance(content, str) else "".join(each.get("text") or "" for each in content or ())


def _took(answer: Mapping[str, Any]) -> dict[str, Any]:
    usage = answer.get("usage") or {}
    first, whole, tokens = answer.get("ttft_s"), answer.get("e2e_latency_s"), usage.get("output_tokens")
    rate = None
    if first is not None and whole is not None and tokens is not None and tokens > 1 and whole > first:
        rate = (tokens - 1) / (whole - first)
    cost = answer.get("cost_usd")
    return {
        "model": answer.get("model"),
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": tokens,
        "ttft_s": first,
        "e2e_latency_s": whole,
        "decode_tokens_per_s": rate,
        "cost_usd": None if cost is None else float(Decimal(cost)),
        "ended": "stopped" if answer.get("stopped") else answer.get("finish_reason"),
    }


def read_question(form: Mapping[str, Any], uploads: Sequence[Upload], visitor: Visitor) -> tuple[list[Side], Saying]:
    """Return the models with their conversations, and what is said to them.

    Raises:
        UsageError: No model or no question, a figure that is none, or a tool that is none.
        InputFileError: A file is of another kind, too large, or would unpack to too many pixels.
    """
    sides = [
        Side(reference=name.strip(), conversation_id=_number(form.get(field) or ""))
        for name, field in ((form.get("model") or "", "conversation"), (form.get("other") or "", "beside"))
        if name.strip()
    ]
    if not sides:
        raise UsageError("No model is named.", hint="Such as smollm2-135m-instruct, or http://127.0.0.1:8099/v1#MODEL.")
    if len(uploads) > _MOST_FILES:
        raise UsageError(f"At most {_MOST_FILES} files go with a question.", hint="Go back and choose fewer.")
    blocks: tuple[Block, ...] = tuple(
        image_of(each.name, each.data) if each.kind == "image" else sound_of(each.name, each.data) for each in uploads
    )
    prompt = checked_prompt(form.get("prompt") or "", blocks)
    content = (*blocks, Text(text=prompt)) if prompt.strip() else blocks
    tools = tuple(dict.fromkeys(form.get("tools") or ()))
    if unknown := [name for name in tools if name not in BUILT_IN]:
        raise UsageError(f"There is no tool {unknown[0]!r} here.", hint=f"There are: {', '.join(BUILT_IN)}.")
    return sides, Saying(
        message=Message(role="user", content=content if blocks else prompt),
        asking=_asking(form),
        system=(form.get("system") or "").strip() or None,
        tools=tools,
        owner=visitor.owner,
    )


def _asking(form: Mapping[str, Any]) -> Asking:
    most = (form.get("max_output_tokens") or "").strip() or str(_MOST_TOKENS)
    if not (most.isascii() and most.isdecimal() and len(most) <= 7 and 0 < int(most) <= 1_000_000):
        told = f"max_output_tokens takes a whole number from 1 to 1,000,000, not {most[:40]!r}."
        raise UsageError(told, hint="Such as 512.")
    heat = as_decimal((form.get("temperature") or "").strip() or None, "temperature")
    if heat is not None and heat > _HOTTEST:
        raise UsageError(f"temperature takes a number from 0 to {_HOTTEST}, not {heat:.3g}.", hint="Such as 0.7.")
    effort = (form.get("reasoning") or "").strip()
    if effort and effort not in EFFORTS:
        raise UsageError(f"reasoning takes {', '.join(EFFORTS)}, not {effort!r}.")
    return Asking(
        max_output_tokens=int(most),
        temperature=None if heat is None else float(heat),
        reasoning=ReasoningOptions(effort=effort) if effort else None,
    )


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 15:
        raise UsageError(f"A conversation has a number, not {text[:40]!r}.", hint="The history lists them.")
    return int(text)


def _history(asked: Asked) -> Shown:
    found = conversations_of(asked.house, asked.visitor.owner, limit=_HISTORY)
    return Shown(title="Conversations", context={"conversations": [each for each in found if each["turns"]]})


ASK = Page(
    name="ask",
    path="/ask",
    template="ask.html.j2",
    about="A conversation with one model or with two side by side. Only a POST with the page's own token asks.",
    make=_ask,
    keys={
        "search": "the fields as they were filled in",
        "tools_on": "tools that were chosen",
        "models": "names that can be given here; on this machine any reference of the command line besides",
        "tools": "built-in tools that a model may be given",
        "conversations": "of each model, the conversation with its turns; null where none has begun",
        "answers": "null until the form is sent; then what came of each model, with tokens, seconds, speed and cost",
    },
    fields={
        "conversation": "number of a conversation to go on with",
        "beside": "number of one beside it",
        "model": "a model, as `fieldguide ask` takes it",
        "other": "another beside it",
        "prompt": "the question",
        "system": "what the model is told beforehand",
        "max_output_tokens": "most tokens of the answer (512)",
        "temperature": "of sampling (the model's own)",
        "reasoning": "how much to think: `minimal`, `low`, `medium` or `high`",
    },
    nav="Ask",
)
HISTORY = Page(
    name="history",
    path="/history",
    template="history.html.j2",
    about="Conversations that were held, those last spoken in first; of a key, its own.",
    make=_history,
    keys={"conversations": "each with its number, model, first words and times"},
)
