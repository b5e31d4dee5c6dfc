"""Recorded answers: a runner like any other, over a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import CompletionRequest, FinishReason
from fieldguide.errors import InputFileError, NotFoundError
from fieldguide.http_client import LazySession
from fieldguide.runners import HoldsAnswers, RunnerSettings
from fieldguide.runners.recorded import RecordedRunner, open_runner


def write(path: Path, *lines: dict[str, Any] | str) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def line(item: str, attempt: int = 0, completion: str = "4", **more: Any) -> dict[str, Any]:
    return {"item": item, "attempt": attempt, "completion": completion, **more}


async def opened(path: Path) -> RecordedRunner:
    return await open_runner(str(path), RunnerSettings(home=path.parent, session=LazySession()))


def request(item: str, attempt: int = 0) -> CompletionRequest:
    return CompletionRequest(prompt="?", item=item, attempt=attempt)


async def test_an_answer_is_found_by_item_and_attempt(tmp_path: Path) -> None:
    """Text, reason, usage in our words or OpenAI's, and the order of choices come back."""
    path = write(
        tmp_path / "qwen.jsonl",
        line("a", finish_reason="length", usage={"input_tokens": 5, "output_tokens": 2}),
        line("a", 1, "5", usage={"prompt_tokens": 6, "completion_tokens": 3}, choice_order=[2, 0, 1, 3]),
    )
    runner = await opened(path)
    first, second = await runner.complete(request("a")), await runner.complete(request("a", 1))
    assert (first.text, first.finish_reason, first.usage.output_tokens) == ("4", FinishReason.LENGTH, 2)
    assert (second.text, second.usage.input_tokens) == ("5", 6)
    assert second.metadata["choice_order"] == [2, 0, 1, 3]
    assert runner.model.name == "qwen"


async def test_it_says_which_answers_it_has(tmp_path: Path) -> None:
    """What was not recorded is not held, and asking for it is an error."""
    runner = await opened(write(tmp_path / "r.jsonl", line("a"), line("a", 2), line("b")))
    assert isinstance(runner, HoldsAnswers)
    assert runner.attempts_held == 3
    assert runner.items_held == {"a", "b"}
    assert runner.has_answer("a", 2)
    assert not runner.has_answer("b", 1)
    with pytest.raises(NotFoundError):
        await runner.complete(request("c"))


async def test_the_file_is_known_by_its_content(tmp_path: Path) -> None:
    """A copy under another name is the same model; another content is another."""
    one = await opened(write(tmp_path / "one.jsonl", line("a")))
    two = await opened(write(tmp_path / "two.jsonl", line("a")))
    other = await opened(write(tmp_path / "three.jsonl", line("a", 0, "5")))
    assert one.model.model_key == two.model.model_key != other.model.model_key


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"attempt": 0, "completion": "x"}, "item"),
        ({"item": 7, "attempt": 0, "completion": "x"}, "item"),
        ({"item": "b", "completion": "x"}, "attempt"),
        ({"item": "b", "attempt": -1, "completion": "x"}, "attempt"),
        ({"item": "b", "attempt": True, "completion": "x"}, "attempt"),
        ({"item": "b", "attempt": 300_000_000, "completion": "x"}, "attempt"),
        ({"item": "b", "attempt": 0}, "completion"),
        ({"item": "b", "attempt": 0, "completion": "x", "finish_reason": 3}, "finish_reason"),
        ({"item": "b", "attempt": 0, "completion": "x", "choice_order": [0, 0, 1]}, "choice_order"),
        ({"item": "a", "attempt": 0, "completion": "x"}, "twice"),
        ("{broken", "JSON"),
    ],
)
async def test_a_malformed_line_is_named(tmp_path: Path, bad: dict[str, Any] | str, words: str) -> None:
    """The error has file and line number, counted from 1."""
    path = write(tmp_path / "r.jsonl", line("a"), bad, line("z"))
    with pytest.raises(InputFileError, match=words) as caught:
        await opened(path)
    assert caught.value.line == 2
    assert "line 2" in caught.value.message


async def test_a_missing_or_empty_file_is_a_clear_error(tmp_path: Path) -> None:
    """Neither is an exam with no answers."""
    with pytest.raises(InputFileError):
        await opened(tmp_path / "nothing.jsonl")
    with pytest.raises(InputFileError, match="no answers"):
        await opened(write(tmp_path / "empty.jsonl"))
