"""Options of runners by name: each runner says which it takes, and no other is dropped in silence."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

import pytest

from fieldguide import registry
from fieldguide.app.references import ModelOptions, open_model, options_for
from fieldguide.app.wiring import open_house
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.runners import OpenRunner
from tests.support.program import fieldguide

ROOM = Path(cast(str, import_module("fieldguide.runners").__file__)).parent
MODULES = {point.name: point.value.partition(":")[0] for point in entry_points(group="fieldguide.runners")}


async def test_an_option_reaches_the_runner(tmp_path: Path) -> None:
    """Here the address, which goes before that of the environment."""
    house = open_house({"home": str(tmp_path)}, environment={"OPENAI_API_KEY": "sk-1"})
    options = ModelOptions(given_options={"base_url": "http://127.0.0.1:1/v1"})
    opened = await open_model(house, "openai:m", options)
    assert opened.runner.model.identity["base_url"] == "http://127.0.0.1:1/v1"
    await house.close()


async def test_an_unknown_option_is_wrong_use_and_the_known_ones_are_named(tmp_path: Path) -> None:
    """A wish that would change nothing is told."""
    house = open_house({"home": str(tmp_path)}, environment={"AWS_BEARER_TOKEN_BEDROCK": "key", "AWS_REGION": "eu-x-1"})
    with pytest.raises(UnknownNameError, match="bedrock") as caught:
        await open_model(house, "bedrock:m", ModelOptions(given_options={"regoin": "us-east-1"}))
    assert "region, profile, family, base_url" in str(caught.value.hint)
    assert "region" in caught.value.close_matches
    await house.close()


def test_an_option_of_one_provider_is_no_concern_of_others() -> None:
    """So that two models of different places can be compared."""
    given = ModelOptions(given_options={"bedrock:region": "us-east-1"}, runner_options={"threads": "2"})
    assert options_for(_open("openai"), "openai", given) == {}
    assert options_for(_open("bedrock"), "bedrock", given) == {"region": "us-east-1"}
    assert options_for(_open("llama.cpp"), "llama.cpp", given) == {"threads": "2"}


def test_a_plug_in_that_lists_no_options_is_given_all() -> None:
    """It may read any."""

    async def opens(target: str, settings: object) -> None: ...

    given = ModelOptions(given_options={"mine": "1"}, runner_options={"threads": "2"})
    assert options_for(cast(OpenRunner, opens), "other", given) == {"mine": "1", "threads": "2"}


def test_every_option_that_is_read_is_listed_and_every_listed_one_is_read() -> None:
    """An option that is not listed never arrives; one that nobody reads would be dropped."""
    reading = r'options(?:\.get\(|\[)"(\w+)"|"(\w+)" (?:not )?in settings\.options|for name in \(("threads".*?)\):'
    found = [match for path in ROOM.rglob("*.py") for match in re.findall(reading, path.read_text())]
    read = {name for groups in found for group in groups for name in re.findall(r"\w+", group)}
    listed = {name: tuple(options_of(name)) for name in registry.names("runners")}
    assert read == {option for options in listed.values() for option in options}


def options_of(name: str) -> tuple[str, ...]:
    """Return what a runner lists."""
    return tuple(import_module(_open(name).__module__).OPTIONS)


def _open(name: str) -> OpenRunner:
    return cast(OpenRunner, registry.load("runners", name))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["region"], "NAME=VALUE"),
        (["=x"], "NAME=VALUE"),
        (["region="], "NAME=VALUE"),
        (["bedrok:region=x"], "bedrok"),
        (["region=a", "region=b"], "twice"),
        (["regoin=a"], "regoin"),
    ],
)
async def test_what_is_no_option_is_wrong_use(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit code 2, and what was wrong with it."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key")
    flags = [word for option in given for word in ("--option", option)]
    ended = await fieldguide("ask", "bedrock:m", "hi", *flags, "--home", str(tmp_path))
    assert ended.code == 2
    assert said in ended.err


async def test_a_number_of_seconds_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    """As every value that a runner cannot read."""
    house = open_house({"home": str(tmp_path)}, environment={"DASHSCOPE_API_KEY": "key"})
    for value in ("soon", "nan", "0", "-1", "inf"):
        with pytest.raises(UsageError, match="seconds"):
            await open_model(house, "model-studio:m", ModelOptions(given_options={"poll_s": value}))
    await house.close()
