"""From a bare name to the place that runs it, where runners for places are registered."""

from __future__ import annotations

import pytest

from fieldguide import catalogue, registry
from fieldguide.app import references
from fieldguide.errors import UnsupportedError


@pytest.fixture(autouse=True)
def runners(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"runners": ["llama.cpp", "ollama", "openai"], "sources": ["file", "package"]}
    monkeypatch.setattr(registry, "names", lambda kind: known[kind])


def _called(name: str) -> str:
    found = catalogue.resolve_model(catalogue.families(), name)
    assert found.model is not None
    quantized = catalogue.parse_name(name).quantization is not None
    resolved = references._called(found, found.model.member, quantized=quantized)
    assert resolved.took is not None
    return f"{resolved.provider}:{resolved.target}"


def test_the_first_place_with_a_runner_is_taken() -> None:
    """A moving name as the snapshot that it means, a tag of Ollama as it was written."""
    assert _called("qwen2.5-7b-instruct") == "ollama:qwen2.5:7b"
    assert _called("ollama/qwen2.5:7b-instruct-q8_0") == "ollama:qwen2.5:7b-instruct-q8_0"
    assert _called("gpt-4o") == "openai:gpt-4o-2024-08-06"
    assert _called("gpt-5") == "openai:gpt-5-2025-08-07"


def test_what_no_runner_has_is_refused_with_its_places() -> None:
    """An API without a runner, and a packed file that no place gives: another quantization is another artifact."""
    with pytest.raises(UnsupportedError) as caught:
        _called("claude-3-5-sonnet-20241022")
    assert "anthropic:claude-3-5-sonnet-20241022" in (caught.value.hint or "")
    with pytest.raises(UnsupportedError):
        _called("bartowski/c4ai-command-r7b-12-2024-GGUF:Q4_K_M")
