"""What providers and servers say of a prompt that does not fit, and the numbers in it.

There is no common form: each pattern is one program's own words, as users reported them in issues or as its source has
them (OpenAI, Anthropic, Google, Cohere, Mistral, Groq, OpenRouter, xAI, Model Studio, Bedrock's models, TGI, vLLM,
SGLang, llama.cpp, LM Studio).
"""

from __future__ import annotations

import re

_SAID = re.compile(
    r"maximum (?:context|prompt|model) length|(?:exceeds?|longer than|larger than|too long for)[^.]{0,60}context|n_ctx"
    r"|tokens \+ {1,3}must be <=|must have less than \d+ tokens|(?:prompt|input|request) (?:is )?too (?:long|large)"
    r"|fit[^.]{0,40}context window|too many input tokens|input tokens exceed|input length and .{0,20}exceed"
    r"|token count[^.]{0,30}(?:exceeds|only supports up to)|range of input length should be"
    r"|exceeds? the (?:maximum|model)[^.]{0,30}input|context length of only \d+"
    r"|prompt contains \d+ tokens|expected maxlength",
    re.I,
)
_NUMBERS = tuple(
    re.compile(words.replace("d+)", r"d{1,12}(?!\d))"), re.I | re.S)  # a longer number counts no tokens
    for words in (
        r"(?P<asked>\d+) tokens? > (?P<most>\d+)",
        r"(?P<read>\d+) \+ (?P<written>\d+) > (?P<most>\d+)",
        r"\((?P<written>\d+) > (?P<most>\d+) - (?P<read>\d+)\)",
        r"maximum context length is (?P<most>\d+).*?has (?P<read>\d+) input tokens plus (?P<written>\d+)",
        r"maximum context length is (?P<most>\d+).*?total of at least (?P<asked>\d+)",
        (
            r"maximum (?:context|prompt) length (?:is|of) (?P<most>\d+)"
            r".*?(?:requested|in|has|contains|got)\D{1,12}(?P<asked>\d+)"
        ),
        r"must be <= (?P<most>\d+)\..*?given: (?P<read>\d+) `?inputs`? tokens and (?P<written>\d+)",
        r"must have less than (?P<most>\d+) tokens\. given: (?P<asked>\d+)",
        r"max(?:imum)? input tokens: (?P<most>\d+).*?input token count: (?P<asked>\d+)",
        r"expected maxlength: (?P<most>\d+), actual: (?P<asked>\d+)",
        r"cannot exceed (?P<most>\d+) - received (?P<asked>\d+)",
        r"token count (?:of |is |\()?(?P<asked>\d+)\)? .{0,20}(?:exceeds|only supports) \D{0,50}(?P<most>\d+)",
        r"limit (?P<most>\d+), requested (?P<asked>\d+)",
        r"limit of (?P<most>\d+) tokens.*?resulted in (?P<asked>\d+)",
        r"contains (?P<asked>\d+) tokens.*?model with (?P<most>\d+) maximum context length",
        r"(?:prompt|input|request) \(\D{0,10}(?P<asked>\d+)\D{0,10}\) (?:is longer|exceeds) \D{0,50}(?P<most>\d+)",
        r"too long: (?P<asked>\d+), model maximum context length: (?P<most>\d+)",
        r"keep the first (?P<asked>\d+) tokens.*?context length of only (?P<most>\d+)",
        r"length (?P<asked>\d+) exceeds \D{0,30}(?P<most>\d+)",
        r"max(?:imum)? length is (?P<most>\d+) tokens, got (?P<asked>\d+)",
        r"range of input length should be \[\d+, ?(?P<most>\d+)\]",
        r"maximum number of tokens allowed \(?(?P<most>\d+)",
        r"maximum context length\D{0,5}(?P<most>\d+)",
        r"(?:length|window)[^\d]{0,20}(?P<most>\d+)",
    )
)


def says_too_long(words: str) -> bool:
    """Return whether an error's words, without what they quote, say that the prompt does not fit."""
    return _SAID.search(words) is not None


def limit_and_requested(message: str) -> dict[str, int | None]:
    """Return `limit_tokens` and `requested_tokens` of an error's message; None for what it does not say.

    Where prompt and answer are counted apart, their sum is what was requested.
    """
    for pattern in _NUMBERS:
        if found := pattern.search(message):
            numbers = {name: int(value) for name, value in found.groupdict().items()}
            asked = numbers["read"] + numbers["written"] if "read" in numbers else numbers.get("asked")
            return {"limit_tokens": numbers["most"], "requested_tokens": asked}
    return {"limit_tokens": None, "requested_tokens": None}
