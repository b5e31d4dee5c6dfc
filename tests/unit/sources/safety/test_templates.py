"""Chat templates that are meant to do harm, and ones that are not: a canary file says whether anything was run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fieldguide.errors import UnsafeFileError
from fieldguide.sources import check_file
from fieldguide.sources.safety._templates import check_templates

RUN = "os.popen('touch {canary}').read()"
REACHING = {
    "cycler": "{{ cycler.__init__.__globals__.os.popen('touch CANARY').read() }}",
    "class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "items": "{{ ''['__class__']['__base__'] }}",
    "escapes": r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}",
    "unicode": r"{{ ''['\u005f\u005fclass\u005f\u005f'] }}",
    "put together": "{{ ''|attr('__cl' ~ 'ass__') }}",
    "from the talk": "{{ ''|attr(messages[0].content) }}",
    "attr": "{{ ''|attr('__class__') }}",
    "map": "{{ [''] | map(attribute='__class__') | list }}",
    "import name": "{{ __import__('os').system('touch CANARY') }}",
    "self": "{{ self.__init__.__globals__.__builtins__.__import__('os').system('touch CANARY') }}",
    "namespace": "{% set n = namespace() %}{{ n.__class__.__init__.__globals__ }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('touch CANARY').read() }}",
    "joiner": "{{ joiner.__init__.__globals__.os.system('touch CANARY') }}",
    "format": "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}",
    "format item": "{{ '{m[__class__]}'.format(m=messages) }}",
    "format map": "{{ '{m.__class__}'.format_map({'m': messages}) }}",
    "percent of format": "{% set f = '{0.__cla' ~ 'ss__}' %}{{ f.format(0) }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}{{ os.system('touch CANARY') }}",
    "from": "{% from 'os' import system %}{{ system('touch CANARY') }}",
    "extends": "{% extends '/etc/passwd' %}",
    "generator frame": "{{ (messages | map('upper')).gi_frame.f_globals }}",
    "mro": "{{ messages.mro() }}",
    "never taken": "{% if false %}{{ ''.__class__ }}{% endif %}",
    "in a macro": "{% macro m() %}{{ ''.__class__ }}{% endmacro %}",
    "changes its input": "{{ messages.append(1) }}",
}
ENDLESS = {
    "range": "{% for i in range(999999999) %}x{% endfor %}",
    "nested": "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}"
    "{% endfor %}",
    "silent": "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}"
    "{% endfor %}",
    "text": "{{ 'a' * 10000000000 }}",
    "text of a name": "{% set n = 99999 %}{{ 'a' * (n * n * n) }}",
    "number": "{{ 9 ** (9 ** 9) }}",
    "doubling": "{% set n = namespace(t='x') %}{% for i in range(64) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}",
    "itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "deep": "{{ " + "(" * 20000 + "1" + ")" * 20000 + " }}",
    "much": "{% for i in range(60000) %}{{ '0123456789' * 100 }}{% endfor %}",
    "padding": "{{ '%99999999999d' % 1 }}",
    "long": "{# " + "x" * (1 << 20) + " #}",
}
GOOD = {
    "chatml": "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "namespace": "{% set ns = namespace(found=false) %}{% for m in messages %}{% if m.role == 'user' %}"
    "{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}",
    "declines": "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role.') }}{% endif %}ok",
    "tools": "{% if tools %}{% for t in tools %}{{ t | tojson(indent=2) }}{% endfor %}{% endif %}"
    "{{ strftime_now('%Y') }}",
    "loop controls": "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.content }}{% endfor %}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "filters": "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join('|') }}",
    "format": "{{ 'today: {}'.format('x') }}{{ '%s' % 'y' }}",
    "wants more": "{{ messages[0].content }}{{ documents | length }}",
}


@pytest.mark.parametrize("name", REACHING)
def test_a_template_that_reaches_outside_is_refused(name: str, tmp_path: Path) -> None:
    """With the reason; nothing of it was run."""
    canary = tmp_path / "canary"
    with pytest.raises(UnsafeFileError) as refused:
        check_templates("m.gguf", {"chat_template": REACHING[name].replace("CANARY", str(canary))})
    assert any(word in refused.value.reason for word in ("reaches", "names the inside", "brings in"))
    assert not canary.exists()


@pytest.mark.parametrize("name", ENDLESS)
def test_a_template_that_does_not_end_is_refused(name: str) -> None:
    """Within seconds, and with little memory."""
    with pytest.raises(UnsafeFileError):
        check_templates("m.gguf", {"chat_template": ENDLESS[name]})


def test_a_file_with_many_templates_is_refused_untried() -> None:
    """Each may take seconds, and a header holds thousands; none is passed over in silence."""
    with pytest.raises(UnsafeFileError, match="1,000 chat templates"):
        check_templates("m.gguf", {f"tokenizer.chat_template.{number}": "hi" for number in range(1000)})


@pytest.mark.parametrize("name", GOOD)
def test_a_plain_template_passes_without_a_word(name: str) -> None:
    """As the templates of real models are written."""
    assert check_templates("m.gguf", {"chat_template": GOOD[name]}) == ()


def test_a_template_that_is_no_jinja_is_told() -> None:
    """It is no danger; the engine will say that it cannot use it."""
    (warning,) = check_templates("m.gguf", {"chat_template": "{% if %}"})
    assert "cannot be parsed" in warning


def test_every_place_of_a_template_is_looked_at(tmp_path: Path) -> None:
    """tokenizer_config.json in both forms, chat_template.json and chat_template.jinja."""
    bad = REACHING["class"]
    for name, content in {
        "tokenizer_config.json": json.dumps({"chat_template": bad}),
        "sub/tokenizer_config.json": json.dumps({"chat_template": [{"name": "default", "template": bad}]}),
        "chat_template.json": json.dumps({"chat_template": bad}),
        "chat_template.jinja": bad,
        "additional_chat_templates/rag.jinja": bad,
    }.items():
        place = tmp_path / "blob"
        place.write_text(content)
        with pytest.raises(UnsafeFileError, match="inside of Python"):
            check_file(name, place)


def test_code_of_a_repository_is_told_and_never_used(tmp_path: Path) -> None:
    """`auto_map` asks for it; the model may well work without."""
    place = tmp_path / "config.json"
    place.write_text(json.dumps({"auto_map": {"AutoModel": "modeling_evil.Evil"}}))
    (warning,) = check_file("config.json", place)
    assert "auto_map" in warning
    assert "never" in warning
