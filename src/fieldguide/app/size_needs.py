"""What each size of a family needs: memory in three quantizations, the smallest device that holds it, speed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fieldguide.app.fit import needs
from fieldguide.app.plan_speed import estimated_speed
from fieldguide.app.plan_subject import network_of_member, writes_text
from fieldguide.app.rent import smallest_device
from fieldguide.app.show import Page
from fieldguide.catalogue import CatalogueModel, Member, Size
from fieldguide.domain import Modality, Network
from fieldguide.planner import (
    Engine,
    ImageTokens,
    Range,
    Workload,
    engine_named,
    image_tokens,
    llama_cpp_runs,
    memory_plan,
)

if TYPE_CHECKING:
    from fieldguide.reporting import Curves

SHOWN = ("BF16", "Q8_0", "Q4_K_M")
CONTEXT_TOKENS = 8192
_GB = 1e9
_MOST_LINES = 8
_SIDE = 1024
_TAKEN: dict[Modality, str] = {"image": "pictures", "audio": "sound"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeNeed:
    """One size. None means unknown: its shape is not in the catalogue, or no single device of the table holds it."""

    label: str
    context_tokens: int
    """8,192, or what the model has at most."""
    total_bytes: dict[str, int]
    """By quantization, of those that its engine reads: llama.cpp, or transformers for what that does not run (Whisper).
    Empty where the shape is not known."""
    smallest: str | None
    """The single device with the least memory that surely holds it in the last of them."""
    smallest_bytes: int | None
    encoders: tuple[tuple[Modality, int], ...] = ()
    """What its encoders take in, and their weights."""
    picture: ImageTokens | None = None
    """What a picture of 1,024 x 1,024 pixels becomes; None where it looks at none, or that is not known."""
    decode: Range | None
    """Tokens per second of one sequence in the same on that device."""


def size_needs(page: Page) -> tuple[SizeNeed, ...]:
    """Return what every size on a page needs, as the page orders them."""
    firsts: dict[int, tuple[Size, Member]] = {}
    for size, member in page.members:
        firsts.setdefault(id(size), (size, member))
    engine = engine_named("llama.cpp")
    return tuple(
        _need(CatalogueModel(family=page.family, size=size, member=member), engine) for size, member in firsts.values()
    )


def needs_json(found: Sequence[SizeNeed]) -> list[dict[str, Any]]:
    """Return it as programs read it; unknown is null."""
    return [
        {
            "size": each.label,
            "context_tokens": each.context_tokens,
            "total_bytes": {name: each.total_bytes.get(name) for name in SHOWN},
            "smallest_device": each.smallest,
            "smallest_device_bytes": each.smallest_bytes,
            "decode_tokens_per_s": None if each.decode is None else each.decode.as_json(),
            "encoder_parameters": dict(each.encoders) or None,
            "picture": None if each.picture is None else _picture_json(each.picture),
            "encoders_said": encoder_sentence(each),
        }
        for each in found
    ]


def encoder_sentence(each: SizeNeed) -> str | None:
    """Return what is known of a size's encoders in one sentence; None where nothing is."""
    told = [f"{count:,} of its weights are the encoder of {_TAKEN[modality]}" for modality, count in each.encoders]
    if each.picture is not None:
        tokens = f"{each.picture.tokens:,} token{'' if each.picture.tokens == 1 else 's'}"
        beside = f" and {each.picture.cross_tokens:,} beside the prompt" if each.picture.cross_tokens else ""
        told.append(f"a picture of {_SIDE} x {_SIDE} pixels is {tokens}{beside}: {each.picture.resizing}")
    return f"{each.label}: {'; '.join(told)}." if told else None


def _picture_json(made: ImageTokens) -> dict[str, Any]:
    return {
        "width_px": _SIDE,
        "height_px": _SIDE,
        "tokens": made.tokens,
        "cross_attention_tokens": made.cross_tokens,
        "resizing": made.resizing,
    }


def memory_by_size(page: Page) -> Curves | None:
    """Return memory against context, a line for each size in Q4_K_M; None where no shape is known."""
    from fieldguide.reporting import Curves, Line

    engine = engine_named("llama.cpp")
    lines: list[Line] = []
    seen: set[int] = set()
    for size, member in page.members:
        network = network_of_member(CatalogueModel(family=page.family, size=size, member=member))
        if id(size) in seen or network is None or not llama_cpp_runs(network):
            continue
        seen.add(id(size))
        points = tuple((float(x), _bytes(network, engine, x)["Q4_K_M"] / _GB) for x in _contexts(network))
        lines.append(Line(name=size.size or member.name, points=points))
    if not lines:
        return None
    return Curves(
        title="Memory against context, in Q4_K_M",
        description="Weights, cache and llama.cpp's own in GB (10^9 bytes), one sequence; each line ends at the "
        "model's own context.",
        x_title="context (tokens)",
        y_title="memory (GB)",
        lines=tuple(sorted(lines, key=lambda line: line.points[0][1])[-_MOST_LINES:]),
        log_y=True,
        plain_y=True,
        names_on_lines=True,
    )


def _need(model: CatalogueModel, engine: Engine) -> SizeNeed:
    network = network_of_member(model)
    label = model.size.size or model.member.name
    if network is None:
        return SizeNeed(
            label=label, context_tokens=CONTEXT_TOKENS, total_bytes={}, smallest=None, smallest_bytes=None, decode=None
        )
    names = SHOWN if llama_cpp_runs(network) else SHOWN[:1]
    engine = engine if llama_cpp_runs(network) else engine_named("transformers")
    context = min(CONTEXT_TOKENS, network.context_tokens or CONTEXT_TOKENS)
    plan = memory_plan(network, names[-1], engine, Workload(context_tokens=context))
    device = smallest_device(needs(plan, None)[2])
    speed = None if device is None or not writes_text(model) else estimated_speed(plan, device).decode
    memory = None if device is None else device.memory_bytes
    return SizeNeed(
        label=label,
        context_tokens=context,
        total_bytes=_bytes(network, engine, context, names[:-1]) | {names[-1]: plan.total_bytes},
        smallest=None if device is None else device.name,
        smallest_bytes=None if memory is None else round(memory),
        encoders=tuple((tower.modality, network.encoder_parameters(tower)) for tower in network.towers),
        picture=_picture(model),
        decode=speed,
    )


def _picture(model: CatalogueModel) -> ImageTokens | None:
    rule = model.size.images
    return None if rule is None else image_tokens(rule.value, width_px=_SIDE, height_px=_SIDE)


def _bytes(network: Network, engine: Engine, context: int, names: Sequence[str] = SHOWN[-1:]) -> dict[str, int]:
    work = Workload(context_tokens=context)
    return {name: memory_plan(network, name, engine, work).total_bytes for name in names}


def _contexts(network: Network) -> list[int]:
    most = network.context_tokens or CONTEXT_TOKENS
    return sorted({most, *(x for power in range(9, 21) if (x := 2**power) < most)})
