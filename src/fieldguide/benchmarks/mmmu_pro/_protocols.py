"""How a question of MMMU-Pro is asked and its answer read, by the protocol's owner; the words are in prompts.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fieldguide.benchmarks.mmmu_pro._rows import MARK, MmmuRow
from fieldguide.domain import Block, Decoding, Image, Message, Text
from fieldguide.errors import UnknownNameError
from fieldguide.registry import nearest

DEFAULT_PROTOCOL = "fieldguide"
PROTOCOLS = (DEFAULT_PROTOCOL, "mmmu-pro", "mmmu-pro-cot")


@dataclass(frozen=True, slots=True, kw_only=True)
class MmmuProtocol:
    """One way of asking and reading."""

    name: str
    standard: str
    """What is said after question and choices."""
    vision: str
    """What is said of a picture that holds both."""
    interleaved: bool
    """Whether each picture stands where the question names it; else all stand after the words, as the authors' do."""
    decoding: Decoding
    extraction: str

    def message(self, row: MmmuRow) -> Message:
        """Return the question as one user message."""
        if row.question is None:
            order: tuple[Block, ...] = (Text(text=self.vision), *row.pictures)
            return Message(role="user", content=order[::-1] if self.interleaved else order)
        choices = "\n".join(f"{letter}. {choice}" for letter, choice in zip(row.letters, row.choices, strict=True))
        text = f"{row.question}\n{choices}\n{self.standard}"
        if self.interleaved:
            return Message(role="user", content=tuple(_interleaved(text, row.pictures)))
        return Message(role="user", content=(Text(text=MARK.sub("<image>", text)), *row.pictures))


def _interleaved(text: str, pictures: tuple[Image, ...]) -> Iterator[Block]:
    """Yield words and pictures: each picture after its mark, where that stands first; those not named stand ahead."""
    named = {int(number) for number in MARK.findall(text)}
    yield from (picture for number, picture in enumerate(pictures, 1) if number not in named)
    shown: set[int] = set()
    start = 0
    for mark in MARK.finditer(text):
        number = int(mark[1])
        if number in shown:
            continue
        shown.add(number)
        yield Text(text=text[start : mark.end()])
        yield pictures[number - 1]
        start = mark.end()
    if rest := text[start:]:
        yield Text(text=rest)


def protocol_named(name: str | None) -> MmmuProtocol:
    """Return the protocol of that name; None takes ours.

    Raises:
        UnknownNameError: There is no such protocol for this benchmark.
    """
    wanted = DEFAULT_PROTOCOL if name is None else name
    if wanted not in PROTOCOLS:
        raise UnknownNameError("protocol", wanted, nearest(wanted, list(PROTOCOLS)) or PROTOCOLS)
    return _protocols()[wanted]


@cache
def _protocols() -> Mapping[str, MmmuProtocol]:
    told = tomllib.loads(files(__package__).joinpath("prompts.toml").read_text(encoding="utf-8"))
    return {
        name: MmmuProtocol(
            name=name,
            standard=facts["standard"],
            vision=facts["vision"],
            interleaved=facts["interleaved"],
            decoding=Decoding(max_output_tokens=facts["max_output_tokens"], temperature=facts["temperature"]),
            extraction=facts["extraction"],
        )
        for name, facts in told.items()
    }
