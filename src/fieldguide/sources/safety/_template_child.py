"""Looks at one chat template and renders it, alone in a process; reads it from standard input, prints a verdict.

Run as a file and never imported: it takes limits on itself that last. Arguments are folders to import jinja2 from.
"""

import json
import re
import resource
import sys
from typing import Any

MEMORY_BYTES = 512 << 20
CPU_S = 4
MOST_OUTPUT_CHARACTERS = 1 << 20
LONGEST_RANGE = 100_000
DUNDER = re.compile(r"__\w+__")
FORMAT_FIELD = re.compile(r"\{[^{}]*[.\[][^{}]*_")
INSIDE = {
    "mro", "func_globals", "func_code", "f_globals", "f_locals", "f_builtins", "gi_frame", "gi_code", "cr_frame",
    "cr_code", "ag_frame", "ag_code", "tb_frame", "tb_next", "co_code", "subclasses", "builtins", "popen", "environ",
}  # fmt: skip

USER = {"role": "user", "content": "Hello"}
TALKS: list[dict[str, Any]] = [
    {"messages": [USER], "add_generation_prompt": True},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            USER,
            {"role": "assistant", "content": "Hi."},
            {"role": "user", "content": "Bye"},
        ],
        "add_generation_prompt": False,
    },
    {
        "messages": [USER],
        "add_generation_prompt": True,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "look",
                    "description": "Look.",
                    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]},
                },
            }
        ],
    },
]


class Refused(Exception):  # noqa: N818 - a verdict, told to the parent
    """The template is to be refused."""


class Declined(Exception):  # noqa: N818 - what templates raise of themselves
    """The template itself refuses a conversation, as many do."""


def main() -> None:
    sys.path[:0] = sys.argv[1:]
    template = sys.stdin.buffer.read().decode("utf-8", "replace")
    from jinja2 import debug, ext, nodes, sandbox  # Before the limits: reading the library takes files and memory.

    sandbox.ImmutableSandboxedEnvironment().from_string("{% for each in 'ab' %}{{ each|upper }}{% endfor %}").render()
    debug.rewrite_traceback_stack  # noqa: B018 - it is needed once an error is told
    limit()
    try:
        verdict, reason = judged(template, ext, nodes, sandbox)
    except Refused as refused:
        verdict, reason = "refuse", str(refused)
    except RecursionError:
        verdict, reason = "refuse", "calls itself without end, or is nested too deeply"
    except MemoryError:
        verdict, reason = "refuse", "takes more memory than is given to it"
    sys.stdout.write(json.dumps([verdict, reason]))


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # What is open stays open; nothing else is opened.


def judged(template: str, ext: Any, nodes: Any, sandbox: Any) -> tuple[str, str]:
    from jinja2.exceptions import SecurityError, TemplateSyntaxError

    environment = sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[ext.loopcontrols, ext.do, generation(ext, nodes)]
    )
    environment.globals.update(raise_exception=declined, strftime_now=lambda form: "2026-01-01")
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, default=str)
    try:
        tree = environment.parse(template)
    except TemplateSyntaxError as error:
        return "warn", f"cannot be parsed as Jinja ({error.message}, line {error.lineno})"
    look(tree, nodes)
    problem = None
    try:
        compiled = environment.from_string(template)
        for talk in TALKS:
            problem = rendered(compiled, talk) or problem
    except SecurityError as error:
        raise Refused(f"reaches outside of its sandbox ({error})") from None
    except OverflowError as error:
        raise Refused(f"counts or builds without end ({error})") from None
    return ("warn", problem) if problem else ("ok", "")


def generation(ext: Any, nodes: Any) -> Any:
    class Generation(ext.Extension):  # type: ignore[misc]
        """The `{% generation %}` block of transformers, which marks the model's own words."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Generation


def declined(message: object) -> None:
    raise Declined(str(message))


def rendered(compiled: Any, talk: dict[str, Any]) -> str | None:
    """Render one conversation; return what is odd about it."""
    from jinja2.exceptions import SecurityError, TemplateError

    length = 0
    try:
        for piece in compiled.generate(bos_token="<s>", eos_token="</s>", **talk):  # noqa: S106 - no password
            length += len(piece)
            if length > MOST_OUTPUT_CHARACTERS:
                raise Refused(f"makes more than {MOST_OUTPUT_CHARACTERS:,} characters of two words")
    except (SecurityError, OverflowError):
        raise
    except (Declined, TemplateError):
        return None  # Many take only conversations of one shape.
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, ZeroDivisionError) as error:
        return f"fails on a plain conversation ({type(error).__name__})"
    return None


def look(tree: Any, nodes: Any) -> None:
    """Refuse what no chat template needs and every attack does.

    Raises:
        Refused: It is there.
    """
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise Refused(f"brings in other templates (line {node.lineno})")
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        name = node.attr if isinstance(node, nodes.Getattr) else node.name
        if DUNDER.search(name) or (isinstance(node, nodes.Getattr) and name in INSIDE):
            raise Refused(f"reaches for the inside of Python ({name}, line {node.lineno})")
    for node in tree.find_all(nodes.Const):
        if isinstance(node.value, str) and (DUNDER.search(node.value) or FORMAT_FIELD.search(node.value)):
            raise Refused(f"names the inside of Python in a text (line {node.lineno})")
    for node in tree.find_all(nodes.Filter):
        if node.name == "attr" and not (node.args and isinstance(node.args[0], nodes.Const)):
            raise Refused(f"reaches for an attribute whose name it puts together (line {node.lineno})")
    for node in tree.find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name == "range":
            numbers = [each.value for each in node.args if isinstance(each, nodes.Const)]
            if any(isinstance(each, int) and abs(each) > LONGEST_RANGE for each in numbers):
                raise Refused(f"counts to a very large number (line {node.lineno})")


if __name__ == "__main__":
    main()
