"""The job guide: what is shipped, what is refused, and how free text finds a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.catalogue import families, job_guide, read_jobs
from fieldguide.catalogue.claims import claims
from fieldguide.errors import CatalogueError

ASKED_FOR = {
    *("support-chat", "summarise", "translate", "extract", "grammar-and-sentiment", "code-assistant", "maths-tutor"),
    *("speech-to-text", "document-reading", "image-understanding", "retrieval"),
}

GUIDE = """\
jobs:
- name: sorting
  title: Sorting letters
  words: [sort*, "by hand"]
  hints: [letter*]
  needs: {modalities_in: [text], modalities_out: [text]}
  good_for: []
  matters: [{what: order, why: It is the job.}]
  ask: [Which order?]
  evidence: [{benchmark: sortbench, says: order}]
  little_evidence: [{benchmark: mmlu, says: knowledge}]
considerations: []
"""


def refused(folder: Path, old: str, new: str) -> CatalogueError:
    assert old in GUIDE
    (folder / "jobs.yaml").write_text(GUIDE.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        read_jobs(folder / "jobs.yaml")
    assert caught.value.file == "jobs.yaml"
    return caught.value


def test_the_common_jobs_are_there_and_say_what_matters() -> None:
    """Each has considerations, questions, and evidence of both kinds."""
    guide = job_guide()
    assert {job.name for job in guide.jobs} >= ASKED_FOR
    for job in guide.jobs:
        assert len(job.matters) >= 2
        assert len(job.ask) >= 2
        assert all(question.rstrip(".").count("?") == 1 for question in job.ask), job.name
        assert job.evidence
        assert job.little_evidence


def test_jobs_speak_of_families_as_families_do() -> None:
    """For every common job some family says that it is good for it."""
    said = {phrase for family in families().families for phrase in family.good_for}
    unheard = {job.name for job in job_guide().jobs if not any(word in each for word in job.good_for for each in said)}
    assert not unheard & ASKED_FOR


def test_most_jobs_have_evidence_in_the_ledger() -> None:
    """A benchmark that a job names is spelt as the ledger spells it, for every job that anybody scored in public."""
    held = {claim.benchmark for claim in claims()}
    without = {job.name for job in job_guide().jobs if not held & {each.benchmark for each in job.evidence}}
    assert without <= {"retrieval", "text-to-speech", "image-generation"}


@pytest.mark.parametrize(
    ("text", "job"),
    [
        ("summarise patient letters", "summarise"),
        ("Summaries of long reports", "summarise"),
        ("classify support tickets", "grammar-and-sentiment"),
        ("a chatbot for our shop", "support-chat"),
        ("translate German contracts", "translate"),
        ("extract dates from contracts", "extract"),
        ("fix the grammar of essays", "grammar-and-sentiment"),
        ("review pull requests in Java", "code-assistant"),
        ("help pupils with algebra homework", "maths-tutor"),
        ("speech to text", "speech-to-text"),
        ("text to speech", "text-to-speech"),
        ("transcribe interviews", "speech-to-text"),
        ("read scanned invoices", "document-reading"),
        ("describe photos for blind users", "image-understanding"),
        ("generate images of cats", "image-generation"),
        ("semantic search over a wiki", "retrieval"),
        ("retrieval", "retrieval"),
        ("code assistant", "code-assistant"),
    ],
)
def test_free_text_finds_its_job(text: str, job: str) -> None:
    """By words and beginnings of words; a phrase outweighs its single words."""
    assert job_guide().matches(text)[0].job.name == job


@pytest.mark.parametrize(
    ("text", "job"),
    [("sumarise reports", "summarise"), ("transkribe calls", "speech-to-text"), ("proofreed", "grammar-and-sentiment")],
)
def test_a_misspelt_word_is_taken_for_its_neighbour_and_told(text: str, job: str) -> None:
    """The answer says what was read for what."""
    first = job_guide().matches(text)[0]
    assert first.job.name == job
    assert "taken for" in first.because[0]


def test_two_jobs_in_one_text_are_both_candidates() -> None:
    """Of equals the one comes first that needs more than text."""
    first, second, *_ = job_guide().matches("summarise meetings and transcribe them")
    assert (first.job.name, second.job.name) == ("speech-to-text", "summarise")
    assert first.score == second.score


def test_hints_alone_do_not_say_what_to_do() -> None:
    """Letters may be summarised, read or written."""
    found = job_guide().matches("letters")
    assert {"summarise", "document-reading"} <= {match.job.name for match in found}
    assert not any(match.says_what_to_do for match in found)


def test_what_fits_nothing_is_not_forced() -> None:
    """No job is better than a wrong one; the nearest may still be named."""
    assert job_guide().matches("bake a cake") == ()
    assert job_guide().matches("") == ()
    assert "summarise" in job_guide().nearest("summry")


def test_patients_bring_up_privacy() -> None:
    """As something to weigh, with the option that keeps data in the house."""
    [health] = [each for each in job_guide().considered("summarise patient letters") if each.name == "health data"]
    assert health.suggests == "--on-premises"
    assert {"privacy", "on-premises"} <= {matter.what for matter in health.matters}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("title: Sorting letters", "titel: Sorting letters", "jobs.0"),
        ("modalities_in: [text]", "modalities_in: [smell]", "jobs.0.needs.modalities_in"),
        ("sort*", "so*rt", "jobs.0.words"),
        ("sort*", "Sort", "jobs.0.words"),
        ("ask: [Which order?]", "ask: []", "jobs.0"),
        ("benchmark: mmlu", "benchmark: sortbench", "jobs.0.little_evidence"),
        ("considerations: []", "considerations: [{name: x, words: ['?'], matters: []}]", "considerations.0.words"),
    ],
)
def test_a_malformed_guide_names_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    """Unknown keys, impossible values, patterns that match nothing, evidence that is none."""
    assert refused(tmp_path, old, new).key.startswith(key)


def test_a_job_given_twice_is_refused(tmp_path: Path) -> None:
    """The second would never be found by its name."""
    once = GUIDE.removeprefix("jobs:\n").partition("considerations")[0]
    assert "twice" in str(refused(tmp_path, once, once * 2))
