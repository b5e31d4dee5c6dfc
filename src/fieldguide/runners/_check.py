"""What a runner cannot do is refused before anything is sent, by its capabilities, in one place for all runners."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.domain import (
    Audio,
    Block,
    Capabilities,
    CompletionRequest,
    Document,
    Image,
    ProviderBlock,
    ProviderTool,
    Reasoning,
    ToolCall,
    ToolResult,
    Video,
)
from fieldguide.errors import UnsupportedError

_CARRY = "Carry the conversation over first (`fieldguide.domain.carried`): it says what stays behind."


def check(request: CompletionRequest, can: Capabilities, *, subject: str, provider: str) -> None:
    """Refuse what a runner cannot do.

    Args:
        request: What is asked.
        can: What the runner declares.
        subject: Who is asked, for people.
        provider: The name under which the runner keeps blocks and data of its own.

    Raises:
        UnsupportedError: The first thing that it cannot do.
    """
    for wanted, able, what, hint in (*_forms(request, can), *_parameters(request, can), *_blocks(request, can)):
        if wanted and not able:
            raise UnsupportedError(subject, what, hint=hint)
    for block in _all_blocks(request):
        _check_origin(block, subject, provider)
    for tool in request.tools:
        if isinstance(tool, ProviderTool) and tool.provider != provider:
            raise UnsupportedError(subject, f"a tool of {tool.provider}", hint="Leave this tool out.")


_Row = tuple[bool, bool, str, str | None]


def _forms(request: CompletionRequest, can: Capabilities) -> Iterator[_Row]:
    yield request.prompt is not None, can.text, "continuing plain text", "Ask it a question instead."
    yield request.messages is not None, can.chat, "conversations", None


def _parameters(request: CompletionRequest, can: Capabilities) -> Iterator[_Row]:
    schema = request.response_schema
    yield request.seed is not None, can.seed, "a sampling seed", "Leave the seed out."
    yield bool(request.stop), can.stop, "stop texts", "Leave the stop texts out."
    yield request.top_k is not None, can.top_k, "top-k sampling", "Leave top_k out."
    yield (
        request.frequency_penalty is not None or request.presence_penalty is not None,
        can.penalties,
        "frequency and presence penalties",
        "Leave them out.",
    )
    yield bool(request.tools), can.tools, "tools", "Ask without tools."
    yield request.tool_choice is not None, can.tool_choice, "a choice of tools", "Leave the choice to the model."
    yield request.parallel_tool_calls is not None, can.parallel_tools, "a word on parallel tool calls", "Leave it out."
    yield (
        schema is not None and schema.schema is None,
        can.json_object,
        "answers in JSON without a schema",
        "Give a schema.",
    )
    yield (
        schema is not None and schema.schema is not None,
        can.structured_output,
        "answers that follow a JSON schema",
        "Ask for JSON in words.",
    )
    yield request.reasoning is not None, can.reasoning, "a word on how much to think", "Leave reasoning options out."
    yield request.logprobs is not None, can.logprobs, "log probabilities", "Ask without them."


def _blocks(request: CompletionRequest, can: Capabilities) -> Iterator[_Row]:
    for block in _all_blocks(request):
        yield isinstance(block, Image), can.images, "pictures in messages", None
        yield isinstance(block, Audio), can.audio, "sound in messages", None
        yield isinstance(block, Video), can.video, "moving pictures in messages", None
        yield isinstance(block, Document), can.documents, "files in messages", "Give their text instead."
        yield isinstance(block, ToolCall | ToolResult), can.tools, "calls of tools in a conversation", None


def _all_blocks(request: CompletionRequest) -> Iterator[Block]:
    for message in request.messages or ():
        for block in message.blocks:
            yield block
            if isinstance(block, ToolResult) and not isinstance(block.content, str):
                yield from block.content


def _check_origin(block: Block, subject: str, provider: str) -> None:
    if isinstance(block, Reasoning) and block.provider != provider:
        raise UnsupportedError(subject, f"reasoning of {block.provider or 'unknown origin'}", hint=_CARRY)
    if isinstance(block, ProviderBlock) and block.provider != provider:
        what = block.value.get("type", "an unknown kind")
        raise UnsupportedError(subject, f"a block of {block.provider} ({what})", hint=_CARRY)
