"""In what the servers that speak OpenAI's language differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fieldguide.domain import Capabilities, JsonValue, ReasoningOptions
from fieldguide.errors import UnsupportedError

Thinking = Callable[[ReasoningOptions], Mapping[str, JsonValue]]
Spelling = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]


def effort_only(options: ReasoningOptions) -> Mapping[str, JsonValue]:
    """Return the fields by which OpenAI's chat completions are told how much to think: an effort, and nothing else.

    Raises:
        UnsupportedError: A budget, a switch or a summary is asked for.
    """
    for name in ("enabled", "budget_tokens", "summary"):
        if getattr(options, name) is not None:
            raise UnsupportedError("this provider's chat API", f"the reasoning option {name}", hint="Give an effort.")
    return {} if options.effort is None else {"reasoning_effort": options.effort}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One server's or vendor's way of speaking."""

    provider: str
    """The name under which its own blocks and data are kept."""
    capabilities: Capabilities
    max_tokens: str = "max_tokens"
    """Field that bounds the answer."""
    developer_role: bool = False
    """Whether it knows the role `developer`; elsewhere that is the system's."""
    thinking: Thinking = effort_only
    """Turns reasoning options into fields of the body."""
    reasoning_field: str = "reasoning_content"
    """Field of a message that holds reasoning, where the answer did not come with another."""
    stream_usage: bool = True
    """Whether it must be asked for usage in streams."""
    further: Mapping[str, JsonValue] | None = None
    """Fields that every request has."""
    answers_alike: bool = True
    """Whether its answers are OpenAI's in form too: not where calls come without ids, or text comes in parts."""
    spelt: Spelling = dict
    """Puts fields that this server calls otherwise into its words, before `extra` is added."""


def effort_or_switch(options: ReasoningOptions) -> Mapping[str, JsonValue]:
    """Return the fields by which vLLM and llama-server are told: an effort, or a switch for the chat template.

    Raises:
        UnsupportedError: A budget or a summary is asked for.
    """
    effort = effort_only(replace(options, enabled=None))
    return (
        effort if options.enabled is None else {**effort, "chat_template_kwargs": {"enable_thinking": options.enabled}}
    )


ANY_SERVER = Dialect(
    provider="openai-compatible",
    capabilities=Capabilities(
        text=False,
        chat=True,
        seed=True,
        images=True,
        audio=True,
        documents=True,
        tools=True,
        tool_choice=True,
        parallel_tools=True,
        json_object=True,
        structured_output=True,
        reasoning=True,
        logprobs=True,
        penalties=True,
        embeddings=True,
        image_generation=True,
        speech_to_text=True,
        text_to_speech=True,
    ),
)
"""What every server may be asked: whether it can is its own to say."""
