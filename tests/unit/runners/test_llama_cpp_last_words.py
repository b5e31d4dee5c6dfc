"""From what the engine wrote to a sentence for people."""

from __future__ import annotations

import pytest

from fieldguide.runners.llama_cpp._last_words import load_failure

NOISE = [
    "0.00.003.817 I srv          init: loading model",
    "0.00.003.407 W srv          init: security: no API key is set",
]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            [
                "0.00.006.376 E llama_model_load: error loading model: tensor 'b' data is not within the file bounds",
                "0.00.006.398 E llama_model_load_from_file_impl: failed to load model",
                "0.00.006.778 E common_fit_params: encountered an error while trying to fit params to free memory",
                "0.00.007.114 E srv          init: exiting due to model loading error",
            ],
            "tensor 'b' data is not within the file bounds",
        ),
        (
            [
                "0.00.009.273 E read: string length 9 exceeds maximum 8",
                "0.00.009.283 E gguf_init_from_reader: failed to read key-value pairs",
            ],
            "string length 9 exceeds maximum 8",
        ),
        (["0.00.007.970 E gguf_init_from_reader: failed to read tensor info"], "failed to read tensor info"),
        (
            ["ggml_validate_row_data: found nan value at block 888"],
            "its weights hold a value that is not a number (nan)",
        ),
        (["0.0.0 E x: bad \x1b[31mname\x07 here"], "bad [31mname here"),
        ([], "it gives no reason"),
    ],
)
def test_the_most_telling_line_is_the_reason(lines: list[str], said: str) -> None:
    """The reason is the first line that says something, without prefixes and control characters."""
    sentence = load_failure([*NOISE, *lines], killed_by=None, at_template=False)
    assert sentence == f"llama.cpp will not load it: {said}."


def test_a_signal_and_the_stage_are_named() -> None:
    """A crash is told with its signal, what was being done, and the failed assertion without a build path."""
    line = "/build/llama.cpp/src/llama-vocab.cpp:2665: GGML_ASSERT(a == b) failed"
    assert load_failure([*NOISE, line], killed_by="SIGABRT", at_template=False) == (
        "llama.cpp died by SIGABRT while loading it: llama-vocab.cpp:2665: GGML_ASSERT(a == b) failed."
    )
    assert load_failure(NOISE, killed_by="SIGSEGV", at_template=True) == (
        "llama.cpp died by SIGSEGV while reading its chat template."
    )


def test_a_reason_in_the_following_lines_is_found() -> None:
    """A template error is told in a block below its heading."""
    heading = "init: chat template parsing error: Unable to generate parser for this template. "
    lines = [
        f"0.01 E srv          init: {heading}Automatic parser generation failed: ",
        "------------",
        "While executing CallExpression at line 1, column 40 in source:",
        "...{{ x() }}...",
        "Error: Callee is not a function",
        "0.01 E srv          init: init: please consider disabling jinja via --no-jinja",
    ]
    assert load_failure(lines, killed_by=None, at_template=True) == (
        "llama.cpp cannot use its chat template: Callee is not a function."
    )
