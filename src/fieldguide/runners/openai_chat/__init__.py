"""OpenAI's chat completions, as spoken by OpenAI and by all who speak like it."""

from fieldguide.runners.openai_chat._dialect import ANY_SERVER, Dialect, effort_only, effort_or_switch
from fieldguide.runners.openai_chat._logprobs import token_of
from fieldguide.runners.openai_chat._messages import TOOL_FAILED
from fieldguide.runners.openai_chat._request import request_body
from fieldguide.runners.openai_chat._response import finish_reason, parse_completion, parse_usage
from fieldguide.runners.openai_chat._runner import open_chat_runner
from fieldguide.runners.openai_chat._stream import StreamedAnswer
from fieldguide.runners.openai_chat._tap import ChatTap, usage_in
from fieldguide.runners.openai_chat._wire import ChatWire

__all__ = [
    "ANY_SERVER",
    "TOOL_FAILED",
    "ChatTap",
    "ChatWire",
    "Dialect",
    "StreamedAnswer",
    "effort_only",
    "effort_or_switch",
    "finish_reason",
    "open_chat_runner",
    "parse_completion",
    "parse_usage",
    "request_body",
    "token_of",
    "usage_in",
]
