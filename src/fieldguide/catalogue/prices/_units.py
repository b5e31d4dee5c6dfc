"""What providers charge for. A unit has traits; one whose traits include another's is a part of it.

Cached tokens are input tokens, so that `cached_input_tokens` has every trait of `input_tokens` and one more: what is
counted under the narrower unit is taken out of the wider one, and never charged twice.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One thing that is counted and charged."""

    name: str
    per: int
    """How many of them the price is for: a million tokens, a thousand searches, 3,600 seconds."""
    per_name: str
    """In words, such as `million tokens`."""
    traits: frozenset[tuple[str, str]]

    def is_part_of(self, other: Unit) -> bool:
        """Whether everything counted under this unit is counted under the other too."""
        return self.traits > other.traits


def _token_units() -> dict[str, Unit]:
    kinds: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
        "input": (
            ("", {}),
            ("cached", {"kind": "cached"}),
            ("cache_write", {"kind": "cache_write"}),
            ("cache_write_5m", {"kind": "cache_write", "kept": "5m"}),
            ("cache_write_1h", {"kind": "cache_write", "kept": "1h"}),
            ("tool", {"kind": "tool"}),
        ),
        "output": (("", {}), ("reasoning", {"kind": "reasoning"}), ("citation", {"kind": "citation"})),
    }
    made: dict[str, Unit] = {}
    for direction, variants in kinds.items():
        for modality in ("", "text", "audio", "image", "video"):
            for kind, more in variants:
                name = "_".join(filter(None, (kind, modality, direction, "tokens")))
                traits = {"what": "tokens", "direction": direction, **more}
                if modality:
                    traits["modality"] = modality
                made[name] = _unit(name, MILLION, "million tokens", traits)
    return made


def _unit(name: str, per: int, per_name: str, traits: dict[str, str]) -> Unit:
    return Unit(name=name, per=per, per_name=per_name, traits=frozenset(traits.items()))


def _other_units() -> dict[str, Unit]:
    rows: tuple[tuple[str, int, str, dict[str, str]], ...] = (
        ("requests", 1000, "thousand requests", {"what": "requests"}),
        ("web_searches", 1000, "thousand searches", {"what": "tool", "tool": "web_search"}),
        ("social_searches", 1000, "thousand searches", {"what": "tool", "tool": "social_search"}),
        ("storage_searches", 1000, "thousand searches", {"what": "tool", "tool": "storage_search"}),
        ("code_executions", 1000, "thousand executions", {"what": "tool", "tool": "code_execution"}),
        ("rerank_searches", 1000, "thousand searches", {"what": "rerank"}),
        ("audio_seconds", 3600, "hour", {"what": "audio"}),
        ("audio_input_seconds", 3600, "hour", {"what": "audio", "direction": "input"}),
        ("audio_output_seconds", 3600, "hour", {"what": "audio", "direction": "output"}),
        ("video_output_seconds", 60, "minute", {"what": "video", "direction": "output"}),
        ("input_images", 1, "image", {"what": "images", "direction": "input"}),
        ("output_images", 1, "image", {"what": "images", "direction": "output"}),
        ("input_pixels", 1_000_000_000, "billion pixels", {"what": "pixels", "direction": "input"}),
        ("output_pixels", 1_000_000_000, "billion pixels", {"what": "pixels", "direction": "output"}),
        ("input_characters", MILLION, "million characters", {"what": "characters", "direction": "input"}),
        ("input_messages", 1000, "thousand messages", {"what": "messages", "direction": "input"}),
        ("document_pages", 1000, "thousand pages", {"what": "pages"}),
        ("annotated_document_pages", 1000, "thousand pages", {"what": "pages", "page": "annotated"}),
    )
    return {row[0]: _unit(*row) for row in rows}


UNITS: dict[str, Unit] = _token_units() | _other_units()
"""Every unit by name."""
