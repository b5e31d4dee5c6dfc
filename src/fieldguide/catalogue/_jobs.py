"""Common jobs and what matters for each; the same classes are the schema of `jobs.yaml`.

A job is found from free text by its words. Nothing here knows a model: what a job needs is held against the catalogue
elsewhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from fieldguide.catalogue._family import FamilyKind, Modality
from fieldguide.catalogue._read import read_yaml, validated
from fieldguide.errors import CatalogueError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_CLOSED = {"extra": "forbid"}
_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_PATTERN = re.compile(r"[a-z0-9-]+(?: [a-z0-9-]+)*\*?")
_WORD_WEIGHT = 3
"""What a word that says what to do counts; a hint counts 1."""
_LEAST_LIKENESS = 0.8
"""Of a misspelt word, as difflib counts it."""
_LEAST_NEARNESS = 0.5
_SHORTEST_MENDED = 6
"""A shorter word is too like others to be taken for a misspelt one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """Something that matters for a job: a consideration, never advice."""

    __pydantic_config__ = _CLOSED

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A benchmark as the claim ledger names it, and what it says about a job."""

    __pydantic_config__ = _CLOSED

    benchmark: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNeeds:
    """What a model must have to be thought of at all."""

    __pydantic_config__ = _CLOSED

    modalities_in: frozenset[Modality]
    modalities_out: frozenset[Modality] = frozenset()
    any_kind: frozenset[FamilyKind] = frozenset()
    """One of these at least; empty asks nothing."""
    without_kinds: frozenset[FamilyKind] = frozenset()
    """A model all of whose kinds are among these (or `foundation`) does another job."""
    tool_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One common job."""

    __pydantic_config__ = _CLOSED

    name: str
    title: str
    words: tuple[str, ...]
    hints: tuple[str, ...]
    needs: JobNeeds
    good_for: tuple[str, ...]
    """What a family's own `good_for` may say of it, or say among other words."""
    prefers_kinds: frozenset[FamilyKind] = frozenset()
    matters: tuple[Matter, ...]
    ask: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    little_evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consideration:
    """What a word in the text brings up, whatever the job."""

    __pydantic_config__ = _CLOSED

    name: str
    words: tuple[str, ...]
    matters: tuple[Matter, ...]
    suggests: str | None = None
    """An option of `find`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMatch:
    """A job that a text may mean."""

    job: Job
    score: int
    because: tuple[str, ...]
    """The words of the text that speak for it, with what misspelt ones were taken for."""

    @property
    def says_what_to_do(self) -> bool:
        """Whether more than hints speak for it."""
        return self.score >= _WORD_WEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGuide:
    """Every job and every consideration."""

    __pydantic_config__ = _CLOSED

    jobs: tuple[Job, ...]
    considerations: tuple[Consideration, ...]

    def matches(self, text: str) -> tuple[JobMatch, ...]:
        """Return the jobs that a text may mean, likeliest first.

        Of equals first the one that needs more than text, since its models can do the other too, then the one named
        first in the text.

        A job's own name means it alone. Words of no job and no consideration are taken for misspelt ones where they
        are like one.
        """
        named = next((job for job in self.jobs if job.name == text.strip().lower().replace(" ", "-")), None)
        if named is not None:
            return (JobMatch(job=named, score=_WORD_WEIGHT, because=(text.strip(),)),)
        tokens = _tokens(text)
        known = self._known(tokens)
        words = self._vocabulary()
        mended = [token if place in known else _mended(token, words) for place, token in enumerate(tokens)]
        return self._scored(mended, tokens)

    def considered(self, text: str) -> tuple[Consideration, ...]:
        """Return what the words of a text bring up."""
        tokens = _tokens(text)
        return tuple(each for each in self.considerations if _places(each.words, tokens))

    def nearest(self, text: str) -> list[str]:
        """Return the jobs whose words look most like those of the text, nearest first."""
        tokens = _tokens(text)
        likeness = {job.name: max((_likeness(token, job) for token in tokens), default=0.0) for job in self.jobs}
        close = [name for name in likeness if likeness[name] > _LEAST_NEARNESS]
        return sorted(close, key=lambda name: -likeness[name])[:3]

    def _scored(self, tokens: Sequence[str], written: Sequence[str]) -> tuple[JobMatch, ...]:
        found = []
        for job in self.jobs:
            strong, weak = _places(job.words, tokens), _places(job.hints, tokens)
            score = _WORD_WEIGHT * len(strong) + len(weak - strong)
            if score:
                because = tuple(_told(written[place], tokens[place]) for place in sorted(strong | weak))
                order = (-score, job.needs.modalities_in == {"text"}, min(strong or weak))
                found.append((order, JobMatch(job=job, score=score, because=because)))
        return tuple(match for _, match in sorted(found, key=lambda each: each[0]))

    def _known(self, tokens: Sequence[str]) -> set[int]:
        jobs = (word for job in self.jobs for word in (*job.words, *job.hints))
        return _places((*jobs, *(word for each in self.considerations for word in each.words)), tokens)

    def _vocabulary(self) -> list[str]:
        return sorted({word.rstrip("*") for job in self.jobs for word in job.words if " " not in word})


def job_guide() -> JobGuide:
    """Return the jobs that are shipped.

    Raises:
        CatalogueError: The file is malformed; file and key are named.
    """
    return _shipped()


@cache
def _shipped() -> JobGuide:
    return read_jobs(files("fieldguide.catalogue").joinpath("jobs.yaml"))


def read_jobs(item: Traversable) -> JobGuide:
    """Return what a YAML file says of jobs; see `job_guide`."""
    guide: JobGuide = validated(item.name, read_yaml(item), JobGuide)
    for key, wrong in _faults(guide):
        raise CatalogueError(item.name, key, wrong)
    return guide


def _faults(guide: JobGuide) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for number, job in enumerate(guide.jobs):
        if job.name in seen:
            yield f"jobs.{number}.name", f"{job.name} is given twice"
        seen.add(job.name)
        if not (job.words and job.matters and job.ask and job.evidence):
            yield f"jobs.{number}", "words, matters, ask and evidence must not be empty"
        both = {each.benchmark for each in job.evidence} & {each.benchmark for each in job.little_evidence}
        if both:
            yield f"jobs.{number}.little_evidence", f"{', '.join(sorted(both))} is evidence too"
        yield from _bad_words(f"jobs.{number}", (*job.words, *job.hints))
    for number, each in enumerate(guide.considerations):
        yield from _bad_words(f"considerations.{number}", each.words)


def _bad_words(key: str, words: Iterable[str]) -> Iterable[tuple[str, str]]:
    for word in words:
        if not _PATTERN.fullmatch(word):
            yield f"{key}.words", f"{word!r}: small letters, digits and dashes, with * only at the end"


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _told(written: str, taken: str) -> str:
    return written if written == taken else f"{written} (taken for {taken}...)"


def _places(patterns: Iterable[str], tokens: Sequence[str]) -> set[int]:
    """Return the places in the text that the patterns cover; a phrase covers several."""
    return {
        covered
        for pattern in patterns
        for place in range(len(tokens))
        for covered in range(place, place + _length(pattern, tokens, place))
    }


def _length(pattern: str, tokens: Sequence[str], place: int) -> int:
    """Return how many words of the text a pattern meets at a place, 0 where it does not."""
    words = pattern.removesuffix("*").split()
    there = tokens[place : place + len(words)]
    if len(there) < len(words) or there[:-1] != words[:-1]:
        return 0
    meets = there[-1].startswith(words[-1]) if pattern.endswith("*") else there[-1] in (words[-1], words[-1] + "s")
    return len(words) if meets else 0


def _mended(token: str, vocabulary: Sequence[str]) -> str:
    """Return the word that a misspelt one may mean; a beginning is held against the beginning."""
    for word in vocabulary:
        begun = token[: len(word)]
        if len(word) >= _SHORTEST_MENDED and difflib.SequenceMatcher(None, begun, word).ratio() >= _LEAST_LIKENESS:
            return word
    return token


def _likeness(token: str, job: Job) -> float:
    return max(difflib.SequenceMatcher(None, token, word.rstrip("*")).ratio() for word in (*job.words, job.name))
