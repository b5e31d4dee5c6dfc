"""Signs of hostile texts: what is warned of, and what ordinary models say without a warning."""

from __future__ import annotations

import time

import pytest

from fieldguide.formats import shown, template_warnings

ORDINARY = [
    "{% for m in messages %}<|im_start|>{{ m['role'] + '\\n' + m['content'] }}<|im_end|>{% endfor %}",
    "{%- if tools %}{{- '{\"name\": <function-name>}' }}{%- endif %}",
    "{# {{ not code #}{% macro item(x) %}{{ x }}{% endmacro %}{{ item(messages[0]) }}",
    "{%- macro a(x) -%}{%- endmacro -%}{%- macro b(x) -%}{{ a(x) }}{%- endmacro -%}{{ b(1) }}",
    "{% if messages[-1]['content'] %}{{ raise_exception('no {{ braces }}') }}{% endif %}",
    "{% set ns = namespace(n=messages|length - 1) %}{% for i in range(ns.n, -1, -1) %}{{ i }}{% endfor %}",
    "{{ strftime_now('%d %b %Y') }}{% generation %}{{ x }}{% endgeneration %}",
]


@pytest.mark.parametrize("template", ORDINARY)
def test_ordinary_templates_are_not_warned_of(template: str) -> None:
    """The constructs of real chat templates raise no alarm."""
    assert template_warnings(template) == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ''.__class__.__mro__[1] }}", "inside of Python"),
        ("{{ lipsum.func_globals }}", "inside of Python"),
        ("{{ self['popen']('id') }}", "inside of Python"),
        ("{% for a in range(10**9) %}{% endfor %}", "very large value"),
        ("{% for a in range(0, 100000) %}{% endfor %}", "never end"),
        ("{{ 'x' * 99999 }}", "very large value"),
        ("{% macro f() %}{% if f() %}{% endif %}{% endmacro %}", "calls itself"),
        ("{% for m in messages %}", "no well-formed Jinja"),
        ("{{ x", "no well-formed Jinja"),
        ("{# never closed", "no well-formed Jinja"),
        ("x" * 200_000, "200000 characters"),
    ],
)
def test_signs_of_hostile_templates_are_told(template: str, said: str) -> None:
    """Reaching into Python, endless loops, huge values, recursion, and what does not parse."""
    assert any(said in warning for warning in template_warnings(template))


@pytest.mark.parametrize(
    "piece", ["{%", "{{", "{#", "{% macro a", "{% macro a %}{{ a", "range(", "'" + " " * 50, "** ", "<", "((((", "a*"]
)
def test_the_look_at_a_template_takes_linear_time(piece: str) -> None:
    """No repetition makes an expression of ours run away."""
    template = (piece * 200_000)[: 128 << 10]
    began_s = time.process_time()
    template_warnings(template)
    assert time.process_time() - began_s < 1


def test_texts_are_shown_without_effect_on_a_terminal() -> None:
    """Control characters, halves of characters and length are tamed."""
    assert shown("a\x1b]0;x\x07\n\ud800\u202e") == "a\\x1b]0;x\\x07\\n\\ud800\\u202e"
    assert len(shown("x" * 1000)) == 83
