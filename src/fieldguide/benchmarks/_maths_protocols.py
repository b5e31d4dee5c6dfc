"""How a mathematical problem is asked and its answer read, by the protocol's owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fieldguide.domain import Decoding, Message
from fieldguide.errors import UnknownNameError
from fieldguide.registry import nearest

DEFAULT_PROTOCOL = "fieldguide"
_OUR_INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."


@dataclass(frozen=True, slots=True, kw_only=True)
class MathsProtocol:
    """One way of asking and reading."""

    name: str
    system: str | None
    """System message; None sends none."""
    template: str
    """The user's message, with `{problem}` where the problem stands."""
    decoding: Decoding
    extraction: str
    """Rule of `fieldguide.scoring.final_answer`, with its version."""
    equality: Literal["maths", "qwen2.5-math"]
    """Whose judgement of equal answers: ours, or one that departs from it."""
    strips_reasoning: bool
    """Whether `<think>` blocks are taken away before the answer is looked for."""

    def messages(self, problem: str) -> tuple[Message, ...]:
        """Return the conversation that asks `problem`."""
        user = Message(role="user", content=self.template.replace("{problem}", problem))
        return (user,) if self.system is None else (Message(role="system", content=self.system), user)


def maths_protocols(*, extraction: str, max_output_tokens: int) -> Mapping[str, MathsProtocol]:
    """Return the protocols of a benchmark by name.

    Args:
        extraction: Our own extraction rule for it.
        max_output_tokens: Longest answer under our own protocol (tokens).
    """
    ours = MathsProtocol(
        name=DEFAULT_PROTOCOL,
        system=None,
        template="{problem}\n\n" + _OUR_INSTRUCTION,
        decoding=Decoding(max_output_tokens=max_output_tokens),
        extraction=extraction,
        equality="maths",
        strips_reasoning=True,
    )
    qwen = MathsProtocol(
        name="qwen2.5-math",
        system=_OUR_INSTRUCTION,
        template="{problem}",
        decoding=Decoding(max_output_tokens=2048),
        extraction="qwen2.5-math/1",
        equality="qwen2.5-math",
        strips_reasoning=False,
    )
    return {protocol.name: protocol for protocol in (ours, qwen)}


def protocol_named(protocols: Mapping[str, MathsProtocol], name: str | None) -> MathsProtocol:
    """Return the protocol of that name; None takes ours.

    Raises:
        UnknownNameError: There is no such protocol for this benchmark.
    """
    wanted = DEFAULT_PROTOCOL if name is None else name
    if wanted not in protocols:
        known = sorted(protocols)
        raise UnknownNameError("protocol", wanted, nearest(wanted, known) or known)
    return protocols[wanted]
