"""Keys of providers: wiring reads what a runner's module lists, and the error says which is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.references import ModelOptions, open_model
from fieldguide.app.wiring import open_house
from fieldguide.errors import MissingKeyError, UsageError
from tests.support.program import fieldguide


async def test_a_runner_is_given_the_variables_it_lists_and_no_others(tmp_path: Path) -> None:
    """A key in the usual variable is enough, and the address can be another."""
    environment = {"OPENAI_API_KEY": " sk-1 ", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "AWS_SECRET": "no"}
    house = open_house({"home": str(tmp_path)}, environment=environment)
    assert house.variables(("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID")) == {
        "OPENAI_API_KEY": "sk-1",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    }
    opened = await open_model(house, "openai:gpt-4o", ModelOptions())
    assert opened.runner.model.identity["base_url"] == "http://127.0.0.1:1/v1"
    assert not opened.free
    await house.close()


@pytest.mark.parametrize(
    ("reference", "variable"),
    [
        ("anthropic:m", "ANTHROPIC_API_KEY"),
        ("azure:m", "AZURE_OPENAI_API_KEY"),
        ("azure-anthropic:m", "ANTHROPIC_FOUNDRY_API_KEY"),
        ("azure-responses:m", "AZURE_OPENAI_API_KEY"),
        ("bedrock:m", "AWS_ACCESS_KEY_ID"),
        ("cohere:m", "COHERE_API_KEY"),
        ("deepseek:m", "DEEPSEEK_API_KEY"),
        ("gemini:m", "GEMINI_API_KEY"),
        ("groq:m", "GROQ_API_KEY"),
        ("huggingface:o/m", "HF_TOKEN"),
        ("mistral:m", "MISTRAL_API_KEY"),
        ("model-studio:m", "DASHSCOPE_API_KEY"),
        ("model-studio-app:m", "DASHSCOPE_API_KEY"),
        ("model-studio-compatible:m", "DASHSCOPE_API_KEY"),
        ("modelscope:o/m", "MODELSCOPE_API_KEY"),
        ("openai:m", "OPENAI_API_KEY"),
        ("openai-responses:m", "OPENAI_API_KEY"),
        ("openrouter:o/m", "OPENROUTER_API_KEY"),
        ("sagemaker:m", "AWS_ACCESS_KEY_ID"),
        ("xai:m", "XAI_API_KEY"),
    ],
)
async def test_a_missing_key_is_named_before_anything_is_sent(
    tmp_path: Path, reference: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the page where one gets a key. Runners that want none are not here, nor `vertex`, which asks its machine."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    house = open_house({"home": str(tmp_path)}, environment={"AWS_REGION": "eu-west-1"})
    with pytest.raises(MissingKeyError) as caught:
        await open_model(house, reference, ModelOptions())
    assert caught.value.variable == variable
    assert "https://" in str(caught.value.hint)
    await house.close()


async def test_a_variable_that_was_named_and_holds_no_key_is_wrong_use(tmp_path: Path) -> None:
    """As before, for every provider."""
    house = open_house({"home": str(tmp_path)}, environment={"OPENAI_API_KEY": "k"})
    with pytest.raises(UsageError, match="MINE"):
        await open_model(house, "openai:m", ModelOptions(api_key_env="MINE"))
    await house.close()


async def test_the_command_line_says_which_key_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, the variable, and the next step."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    ran = await fieldguide("ask", "anthropic:claude-x", "hello", "--json")
    assert ran.code == 1
    assert ran.json["error"]["type"] == "MissingKeyError"
    assert "ANTHROPIC_API_KEY" in ran.json["error"]["message"]
