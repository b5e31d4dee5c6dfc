"""The official clients of OpenAI, Anthropic and Ollama against the gateway, unchanged."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import anthropic
import ollama
import openai
import pytest

from fieldguide.domain import (
    Completion,
    FinishReason,
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from fieldguide.errors import ContextLengthExceededError, RateLimitError
from fieldguide.testing import FakeRunner, all_capabilities
from tests.support.gateway import lab

PNG = b"\x89PNG\r\n\x1a\n0000"
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}


def full_answer() -> Completion:
    """Return an answer with thoughts, words and two calls."""
    blocks = (
        Reasoning(text="Two cities.", provider="fake", signature="sealed"),
        Text(text="I look both up."),
        ToolCall(name="weather", call_id="call_a", arguments={"city": "Paris"}, raw_arguments='{"city": "Paris"}'),
        ToolCall(name="weather", call_id="call_b", arguments={"city": "Rome"}, raw_arguments='{"city": "Rome"}'),
    )
    return Completion(
        text="I look both up.",
        reasoning="Two cities.",
        finish_reason=FinishReason.TOOL_CALL,
        usage=Usage(input_tokens=30, output_tokens=12, cached_input_tokens=10, reasoning_tokens=4),
        message=Message(role="assistant", content=blocks),
    )


def runner(answer: Any = None) -> FakeRunner:
    return FakeRunner(answer or full_answer(), capabilities=all_capabilities())


def openai_client(address: str, key: str = "none") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)


async def test_openai_chat_whole_and_streamed(tmp_path: Path) -> None:
    """Words, thoughts, calls, counts and reason arrive whole and streamed alike, and go back as they came."""
    fake = runner()
    async with lab(tmp_path, {"m": fake}) as at, openai_client(at.address) as client:
        question: Any = [{"role": "user", "content": "Weather?"}]
        whole = await client.chat.completions.create(model="m", messages=question)
        async with client.chat.completions.stream(
            model="m", messages=question, stream_options={"include_usage": True}
        ) as stream:
            async for _ in stream:
                pass
            streamed = await stream.get_final_completion()
        for answer in (whole, streamed):
            said = answer.choices[0].message
            assert said.content == "I look both up."
            assert said.model_extra is not None
            assert said.model_extra["reasoning_content"] == "Two cities."
            assert answer.choices[0].finish_reason == "tool_calls"
            calls = [call.function for call in said.tool_calls or () if call.type == "function"]
            assert [call.arguments for call in calls] == ['{"city": "Paris"}', '{"city": "Rome"}']
            assert answer.usage is not None
            assert answer.usage.prompt_tokens == 30
            assert answer.usage.prompt_tokens_details is not None
            assert answer.usage.prompt_tokens_details.cached_tokens == 10
            result = {"role": "tool", "tool_call_id": "call_a", "content": "rain"}
            turns: Any = [*question, said.model_dump(exclude_none=True), result]
            await client.chat.completions.create(model="m", messages=turns)
            sent = fake.requests[-1].messages
            assert sent is not None
            assert sent[1].blocks == full_answer().reply.blocks
            assert sent[2].blocks == (ToolResult(call_id="call_a", content="rain"),)


async def test_openai_takes_pictures_schemas_and_parameters(tmp_path: Path) -> None:
    """A picture arrives as its bytes, a schema as a schema, and parameters as ours."""
    fake = runner("{}")
    async with lab(tmp_path, {"m": fake}) as at, openai_client(at.address) as client:
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        form: Any = {"type": "json_schema", "json_schema": {"name": "c", "schema": TOOL, "strict": True}}
        messages: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
        await client.chat.completions.create(
            model="m", messages=messages, response_format=form, temperature=0.5, seed=7, stop=["x"], max_tokens=9
        )
        asked = fake.requests[-1]
        assert asked.messages is not None
        picture = asked.messages[0].blocks[0]
        assert isinstance(picture, Image)
        assert picture.data == PNG
        assert asked.response_schema is not None
        assert asked.response_schema.schema == TOOL
        assert (asked.temperature, asked.seed, asked.stop, asked.max_output_tokens) == (0.5, 7, ("x",), 9)


async def test_openai_responses_whole_and_streamed(tmp_path: Path) -> None:
    """Items arrive whole and streamed alike, and go back as they came."""
    fake = runner()
    async with lab(tmp_path, {"m": fake}) as at, openai_client(at.address) as client:
        whole = await client.responses.create(model="m", input="Weather?", instructions="Be brief.")
        async with client.responses.stream(model="m", input="Weather?") as stream:
            async for _ in stream:
                pass
            streamed = await stream.get_final_response()
        for answer in (whole, streamed):
            assert answer.output_text == "I look both up."
            assert [item.type for item in answer.output] == ["reasoning", "message", "function_call", "function_call"]
            assert answer.usage is not None
            assert answer.usage.output_tokens_details.reasoning_tokens == 4
            items: Any = [item.model_dump(exclude_none=True) for item in answer.output]
            result: Any = {"type": "function_call_output", "call_id": "call_a", "output": "rain"}
            await client.responses.create(model="m", input=[{"role": "user", "content": "x"}, *items, result])
            sent = fake.requests[-1].messages
            assert sent is not None
            assert sent[1].blocks[0] == full_answer().reply.blocks[0]
            assert [type(block) for block in sent[1].blocks] == [Reasoning, Text, ToolCall, ToolCall]
            assert sent[2].role == "tool"


async def test_anthropic_whole_and_streamed(tmp_path: Path) -> None:
    """Blocks arrive whole and streamed alike, thoughts of another provider go back to their maker."""
    fake = runner()
    async with lab(tmp_path, {"m": fake}) as at:
        client = anthropic.AsyncAnthropic(base_url=at.address, api_key="none", max_retries=0)
        question: Any = [{"role": "user", "content": "Weather?"}]
        whole: Any = await client.messages.create(model="m", max_tokens=50, messages=question)
        async with client.messages.stream(model="m", max_tokens=50, messages=question) as stream:
            streamed: Any = await stream.get_final_message()
        for answer in (whole, streamed):
            assert [block.type for block in answer.content] == ["thinking", "text", "tool_use", "tool_use"]
            assert answer.content[2].input == {"city": "Paris"}
            assert answer.stop_reason == "tool_use"
            assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (20, 10)
            blocks = [block.model_dump(exclude_none=True) for block in answer.content]
            picture = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
            seen = [{"type": "image", "source": picture}]
            result = {"type": "tool_result", "tool_use_id": "call_a", "content": seen, "is_error": False}
            turns: Any = [*question, {"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]
            await client.messages.create(model="m", max_tokens=50, messages=turns, system="Be brief.")
            sent = fake.requests[-1].messages
            assert sent is not None
            assert sent[2].blocks[0] == full_answer().reply.blocks[0]
            content = Image(data=PNG, media_type="image/png")
            assert sent[3].blocks == (ToolResult(call_id="call_a", content=(content,), is_error=False),)
        counted = await client.messages.count_tokens(model="m", messages=question)
        assert counted.input_tokens > 0
        await client.close()


async def test_ollama_whole_and_streamed(tmp_path: Path) -> None:
    """Words, thoughts and calls arrive whole and streamed alike; results find the call they answer."""
    fake = runner()
    async with lab(tmp_path, {"m": fake}) as at:
        client = ollama.AsyncClient(host=at.address)
        question: Any = [{"role": "user", "content": "Weather?", "images": [PNG]}]
        whole = await client.chat(model="m", messages=question, options={"temperature": 0.5, "num_predict": 9})
        pieces = [piece async for piece in await client.chat(model="m:latest", messages=question, stream=True)]
        assert whole.message.content == "I look both up."
        assert whole.message.thinking == "Two cities."
        assert (whole.prompt_eval_count, whole.eval_count) == (30, 12)
        assert "".join(piece.message.content or "" for piece in pieces) == "I look both up."
        calls = [call.function.arguments for piece in pieces for call in piece.message.tool_calls or ()]
        assert calls == [{"city": "Paris"}, {"city": "Rome"}]
        assert pieces[-1].done
        results: Any = [{"role": "tool", "content": "rain", "tool_name": "weather"}] * 2
        await client.chat(model="m", messages=[*question, whole.message, *results])
        sent = fake.requests[-1].messages
        assert sent is not None
        ids = [block.call_id for block in sent[1].blocks if isinstance(block, ToolCall)]
        answered = [block.call_id for turn in sent[2:] for block in turn.blocks if isinstance(block, ToolResult)]
        assert answered == ids
        assert (await client.generate(model="m", prompt="x")).response == "I look both up."
        assert [model.model for model in (await client.list()).models] == ["m"]
        assert "tools" in ((await client.show("m")).capabilities or [])
        await client._client.aclose()


async def test_errors_come_in_each_clients_own_shape(tmp_path: Path) -> None:
    """The clients' own exceptions carry status, code and what the provider said."""
    long = ContextLengthExceededError("The provider says: too long.", limit_tokens=10)
    busy = RateLimitError("The provider says: slow down.", retry_after_s=7)
    async with lab(tmp_path, {"long": runner(long), "busy": runner(busy)}) as at:
        client = openai_client(at.address)
        messages: Any = [{"role": "user", "content": "x"}]
        with pytest.raises(openai.BadRequestError) as bad:
            await client.chat.completions.create(model="long", messages=messages)
        assert bad.value.code == "context_length_exceeded"
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model="busy", messages=messages, stream=True)
        assert limited.value.response.headers["retry-after"] == "7"
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="none", messages=messages)
        await client.close()
        other = anthropic.AsyncAnthropic(base_url=at.address, api_key="none", max_retries=0)
        with pytest.raises(anthropic.BadRequestError) as said:
            await other.messages.create(model="long", max_tokens=5, messages=messages)
        assert isinstance(said.value.body, dict)
        assert said.value.body["error"]["type"] == "invalid_request_error"
        with pytest.raises(anthropic.RateLimitError):
            await other.messages.create(model="busy", max_tokens=5, messages=messages)
        await other.close()
        last = ollama.AsyncClient(host=at.address)
        with pytest.raises(ollama.ResponseError, match="too long") as plain:
            await last.chat(model="long", messages=messages)
        assert plain.value.status_code == 400
        await last._client.aclose()
