"""The ladder as a benchmark: seed, exam and scorer."""

from __future__ import annotations

from itertools import islice

from fieldguide.benchmarks._interface import AnswerScorer, ExamRequest
from fieldguide.benchmarks.ladder._items import VERSION, items
from fieldguide.benchmarks.ladder._scorer import LadderScorer
from fieldguide.domain import Decoding, Exam
from fieldguide.errors import UnknownNameError, UsageError

PROTOCOL = "fieldguide"
DEFAULT_SEED = 0
DEFAULT_ITEMS = 200
_LARGEST_SEED = 2**63 - 1

DECODING = Decoding(max_output_tokens=32, stop=("\n",), chat_max_output_tokens=2048)
"""Every target fits 32 tokens even where each digit is a token; a chat model may think first."""


class Ladder:
    """Items generated from a seed: four skills, ten rungs of rising difficulty, exact targets, no download."""

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam of one seed: 200 items unless a limit says otherwise.

        Raises:
            UsageError: The seed is not a whole number from 0, or selector and seed differ, or the limit is below 1.
            UnknownNameError: The protocol is not ours.
        """
        _check_protocol(request.protocol or PROTOCOL)
        seed = _seed(request)
        return Exam(
            benchmark="ladder" if seed == DEFAULT_SEED else f"ladder@{seed}",
            protocol=PROTOCOL,
            extraction=f"{LadderScorer.IDENTITY.name}/{LadderScorer.IDENTITY.version}",
            seed=seed,
            decoding=DECODING,
            items=tuple(islice(items(seed), _limit(request))),
            available_items=None,
            source={"generator": f"ladder/{VERSION}"},
        )

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return the scorer; `protocol` can only be ours.

        Raises:
            UnknownNameError: It is not.
        """
        _check_protocol(protocol)
        return LadderScorer()


def _check_protocol(protocol: str) -> None:
    if protocol != PROTOCOL:
        raise UnknownNameError("protocol of ladder", protocol, (PROTOCOL,))


def _limit(request: ExamRequest) -> int:
    if request.limit is None:
        return DEFAULT_ITEMS
    if request.limit < 1:
        raise UsageError(f"A limit of {request.limit} items leaves no exam.", hint="Give `--limit` a number from 1.")
    return request.limit


def _seed(request: ExamRequest) -> int:
    selected = None if request.selector is None else _selected_seed(request.selector)
    if selected is not None and request.seed is not None and selected != request.seed:
        raise UsageError(
            f"`ladder@{selected}` and `--seed {request.seed}` name two different seeds.",
            hint=f"Leave one of them out, for example `--benchmark ladder@{selected}` alone.",
        )
    seed = selected if selected is not None else request.seed
    if seed is None:
        return DEFAULT_SEED
    if not 0 <= seed <= _LARGEST_SEED:
        raise UsageError(f"{seed} is not a seed of ladder.", hint="A seed is a whole number from 0 to 2^63 - 1.")
    return seed


def _selected_seed(selector: str) -> int:
    # 19 digits hold 2^63 - 1; `isdecimal` alone would let the digits of other scripts through.
    if not (selector.isascii() and selector.isdecimal() and len(selector) <= 19):
        raise UsageError(
            f"`ladder@{selector}`: {selector!r} is not a seed.",
            hint="What follows the `@` is a whole number from 0, such as `ladder@7`.",
        )
    return int(selector)
