"""What must agree between two names for them to mean the same model."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.catalogue.names import ModelName

_OF_A_COPY = frozenset(["default", "dynamic", "free", "i1", "imat", "imatrix", "latest", "nitro", "quantized", "ud"])
"""Words that say how a copy was packed or routed, and nothing about the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The parts of a name that make the model; format, quantization, provider, account and date are left out."""

    family: str | None
    version: str | None
    kinds: tuple[str, ...]
    sizes: tuple[int | None, ...]
    """Total, active and effective parameters, experts, parameters of one."""
    variant: frozenset[str]
    context: str | None

    @classmethod
    def of(cls, name: ModelName) -> Signature:
        """Return the signature of a name."""
        return cls(
            family=name.family,
            version=None if name.version is None else name.version.removesuffix(".0"),
            kinds=name.kinds,
            sizes=(
                name.parameters,
                name.active_parameters,
                name.effective_parameters,
                name.experts,
                name.expert_parameters,
            ),
            variant=frozenset((name.variant or "").split("-")) - _OF_A_COPY - {""},
            context=name.context,
        )


def same_date(one: str | None, other: str | None) -> bool:
    """Return whether two snapshots are the same day, as far as both say: `03-24` is `2025-03-24`."""
    if one is None or other is None:
        return one is other
    short, long = sorted((one, other), key=len)
    return long == short or (len(short) == len("03-24") and long.endswith(f"-{short}"))
