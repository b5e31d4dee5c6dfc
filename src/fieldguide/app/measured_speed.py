"""What runs of a model on this machine have shown of its speed: better than any estimate of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from fieldguide.app.machine import describe_machine
from fieldguide.app.wiring import House
from fieldguide.planner import Range
from fieldguide.store import Run, StoredAnswer

_FEWEST_TOKENS = 8
"""A shorter answer says more of the clock than of the model."""
_FEWEST_ANSWERS = 5
_TENTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSpeed:
    """Tokens per second of one sequence, as answers came; low and high leave out a tenth at each end."""

    tokens_per_s: Range
    answers: int
    run_id: str
    """The latest run that it was seen in."""
    slots: int | None
    """Sequences that the engine could answer at once: more make each slower."""

    @property
    def sentence(self) -> str:
        """Where the figure comes from, in words."""
        together = "" if self.slots in {None, 1} else f", up to {self.slots} at once"
        return f"measured here over {self.answers} answers of run {self.run_id}{together}; it replaces the estimate"


def measured_speed(house: House, *, name: str | None = None, file_sha256: str | None = None) -> MeasuredSpeed | None:
    """Return the speed that the latest suitable run of a model shows, None where there is none.

    Suitable is a run on this processor whose answers came as a stream, at least five of them of eight tokens or more.

    Args:
        house: Whose records.
        name: The model's short name, as in tables.
        file_sha256: Of its file, which tells quantizations apart; where it is given the name does not matter.

    Raises:
        StoreError: The records cannot be read.
    """
    if not house.records.exists():
        return None
    here = describe_machine()
    for run in sorted(house.store.runs(), key=lambda run: run.started_at, reverse=True):
        if _same_model(run, name, file_sha256) and run.environment.get("processor") == here["processor"]:
            _, items = house.store.exam_items(run.exam_id)
            rates = sorted(_rates(house.store.answers(run, items=items)[0], run.run_id))
            if len(rates) >= _FEWEST_ANSWERS:
                return _measured(run, rates)
    return None


def _same_model(run: Run, name: str | None, file_sha256: str | None) -> bool:
    if file_sha256 is not None:
        return run.model_identity.get("file_sha256") == file_sha256
    return name is not None and run.model_name.lower() == name.lower()


def _rates(answers: Iterable[StoredAnswer], run_id: str) -> Iterable[float]:
    """Yield tokens per second after the first token, of answers that this run itself made."""
    for answer in answers:
        call = answer.call
        if call is None or call.run_id != run_id:
            continue
        tokens, first_s, whole_s = call.usage.output_tokens, call.latency.ttft_s, call.latency.e2e_latency_s
        if tokens is None or tokens < _FEWEST_TOKENS or first_s is None or whole_s is None or whole_s <= first_s:
            continue
        yield (tokens - 1) / (whole_s - first_s)


def _measured(run: Run, rates: list[float]) -> MeasuredSpeed:
    cut = len(rates) // _TENTH
    slots = run.model_facts.get("slots")
    return MeasuredSpeed(
        tokens_per_s=Range(low=rates[cut], likely=statistics.median(rates), high=rates[-1 - cut]),
        answers=len(rates),
        run_id=run.run_id,
        slots=slots if isinstance(slots, int) else None,
    )
