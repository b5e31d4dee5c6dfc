"""Reports to look at and to test with: realistic, small, hostile and empty ones. Each is always the same."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from fieldguide.domain import Accuracy, Decoding, Outcome, ScorerIdentity, Verdict, VerdictKind
from fieldguide.reporting import (
    Report,
    ReportAnswer,
    ReportExam,
    ReportGroup,
    ReportItem,
    ReportModel,
    ReportResult,
    ReportVerdict,
)

CREATED = datetime(2026, 11, 23, 6, 20, tzinfo=UTC)
SMOL = "SmolLM2-135M-Instruct Q4_K_M"
QWEN = "Qwen2.5-0.5B-Instruct Q4_K_M"
GPT = "gpt-4o-mini-2024-07-18"

HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    "</pre></details><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><iframe src='https://example.invalid/'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://example.invalid/'>",
    "<style>@import 'https://example.invalid/x.css';*{display:none}</style>",
    "javascript:alert(1)",
    "datum.x; alert(1) //",
    "nul \x00 bell \x07 escape \x1b[31m delete \x7f c1 \x85",
    "right to left \u202egnp.exe\u202c and isolate \u2067abc\u2069",
    "lone surrogates \ud800 and \udfff",
    "invisible \u200b\u2060\ufeff\U000e0041 tags",
    "line \u2028 paragraph \u2029 separators, \r carriage return",
    "W" * 5000,
    "zalgo " + "e" + "\u0301" * 200,
    "שלום עולם، مرحبا بالعالم",
)


def wilson(correct: int, scored: int) -> tuple[float, float] | tuple[None, None]:
    """Return Wilson's 95 % interval, for samples only."""
    if not scored:
        return None, None
    z, p = 1.96, correct / scored
    middle = (p + z * z / (2 * scored)) / (1 + z * z / scored)
    half = z * math.sqrt(p * (1 - p) / scored + z * z / (4 * scored * scored)) / (1 + z * z / scored)
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy_of(outcomes: Sequence[Outcome]) -> Accuracy:
    """Return the accuracy of a list of outcomes, one attempt per item."""
    counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
    correct = counts[Outcome.CORRECT]
    scored = len(outcomes) - counts[Outcome.FAILED]
    doubtful = sum(number for outcome, number in counts.items() if outcome.doubtful)
    low, high = wilson(correct, scored)
    return Accuracy(
        items=len(outcomes),
        attempts=len(outcomes),
        scored=scored,
        correct=correct,
        accuracy=correct / scored if scored else None,
        ci_low=low,
        ci_high=high,
        bound_low=correct / len(outcomes) if outcomes else None,
        bound_high=(correct + doubtful) / len(outcomes) if outcomes else None,
        outcomes=counts,
    )


def verdict_of(
    benchmark: str, a: str, b: str, of_a: Sequence[Outcome], of_b: Sequence[Outcome], **changes: object
) -> ReportVerdict:
    """Return a plausible verdict over paired outcomes."""
    pairs = [pair for pair in zip(of_a, of_b) if Outcome.FAILED not in pair]
    a_only = sum(x is Outcome.CORRECT and y is not Outcome.CORRECT for x, y in pairs)
    b_only = sum(y is Outcome.CORRECT and x is not Outcome.CORRECT for x, y in pairs)
    n = len(pairs)
    difference = (a_only - b_only) / n
    half = 1.96 * math.sqrt(max(a_only + b_only, 1)) / n
    decided = abs(difference) > half
    kind = VerdictKind.CANNOT_TELL
    if decided:
        kind = VerdictKind.A_BETTER if difference > 0 else VerdictKind.B_BETTER
    doubtful = (sum(x.doubtful for x in of_a) + sum(y.doubtful for y in of_b)) / len(of_a)
    verdict = Verdict(
        benchmark=benchmark,
        a=a,
        b=b,
        verdict=kind,
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        p_value=math.erfc(abs(difference) / half * 1.386),
        p_adjusted=min(1.0, 2 * math.erfc(abs(difference) / half * 1.386)),
        a_only=a_only,
        b_only=b_only,
        pairs=n,
        unpaired=len(of_a) - n,
        bound_low=difference - doubtful,
        bound_high=difference + doubtful,
        more_items_needed=None if decided else 1240,
        more_items_reason=None,
        confidence_level=0.95,
        margin=None,
        method="exact McNemar test; interval of the paired difference by Tango's score",
    )
    verdict = replace(verdict, **changes)  # type: ignore[arg-type]
    points = f"{abs(difference) * 100:.1f} points"
    sentence = {
        VerdictKind.A_BETTER: f"{a} is better than {b} on {benchmark}: {points} more of the items right.",
        VerdictKind.B_BETTER: f"{b} is better than {a} on {benchmark}: {points} more of the items right.",
        VerdictKind.EQUIVALENT: f"{a} and {b} are equivalent on {benchmark} within the margin asked for.",
        VerdictKind.CANNOT_TELL: f"These {n} items cannot tell {a} and {b} apart on {benchmark}; "
        "about 1,240 more would be needed.",
    }[verdict.verdict]
    return ReportVerdict(verdict=verdict, sentence=sentence)


def draw_outcomes(rng: random.Random, chances: Sequence[float]) -> list[Outcome]:
    """Return an outcome per item with the given chances of being right; a few are doubtful."""
    others = [Outcome.WRONG] * 16 + [Outcome.TRUNCATED] * 2 + [Outcome.UNPARSED, Outcome.REFUSED]
    return [Outcome.CORRECT if rng.random() < chance else rng.choice(others) for chance in chances]


def model_of(name: str) -> ReportModel:
    """Return a model with facts, as a local file or as a provider's."""
    if name == GPT:
        return ReportModel(
            name=name,
            reference=f"openai:{name}",
            identity={"provider": "openai", "model": name},
            facts={"context_length": 128000},
            licence="proprietary",
        )
    digest = f"{random.Random(name).getrandbits(256):064x}"
    return ReportModel(
        name=name,
        reference=f"llama.cpp:{name.replace(' ', '-').lower()}.gguf",
        identity={"format": "gguf"},
        facts={"quantization": "Q4_K_M", "context_length": 8192, "threads": 2, "engine": "xllamacpp 2026.10.11549"},
        file_sha256=digest,
        licence="Apache-2.0",
    )


def result_of(
    benchmark: str, model: str, outcomes: Sequence[Outcome], groups: Mapping[str, Sequence[Outcome]], kind: str
) -> ReportResult:
    """Return a row with plausible speed; a provider's model lacks some of it."""
    local = model != GPT
    made = []
    for name, members in groups.items():
        part = accuracy_of(members)
        made.append(
            ReportGroup(name=name, scored=part.scored, correct=part.correct, ci_low=part.ci_low, ci_high=part.ci_high)
        )
    return ReportResult(
        benchmark=benchmark,
        exam_id=f"{benchmark.split('@')[0]}-4f0c2a9be1d34c5f8a7b6c5d4e3f2a1b",
        protocol="fieldguide",
        model=model,
        run_id=f"r-{random.Random(benchmark + model).getrandbits(40):010x}",
        accuracy=accuracy_of(outcomes),
        scorer=ScorerIdentity(name=benchmark.split("@")[0], version="1"),
        input_tokens=104 * len(outcomes),
        output_tokens=61 * len(outcomes) + len(model),
        cost_usd=None if local else Decimal("0.0123"),
        seconds=1.07 * len(outcomes) if local else 34.5,
        decode_tokens_per_s=72.4 + len(model) if local else None,
        ttft_s=0.0812 if local else None,
        e2e_latency_s=0.93 if local else 1.21,
        group_kind=kind if groups else None,
        groups=tuple(made),
        unknown_because={"cost_usd": "it ran on this machine, and no price per hour was given"} if local else {},
    )


def exam_of(benchmark: str, items: int) -> ReportExam:
    """Return the exam that `result_of` names."""
    return ReportExam(
        benchmark=benchmark,
        exam_id=f"{benchmark.split('@')[0]}-4f0c2a9be1d34c5f8a7b6c5d4e3f2a1b",
        protocol="fieldguide",
        items=items,
        decoding=Decoding(max_output_tokens=256, stop=("\n\nQuestion:",), chat_max_output_tokens=1024),
        extraction=f"{benchmark.split('@')[0]}/1",
        seed=0,
        available_items=None if benchmark.startswith("ladder") else 500,
    )


ENVIRONMENT: Mapping[str, str | None] = {
    "machine": "x86_64, Linux 6.8",
    "processor": "AMD EPYC 9B14",
    "cores": "2",
    "memory": None,
    "python": "3.11.7",
    "fieldguide": "0.1.0",
    "packages": "xllamacpp 2026.10.11549, jinja2 3.1.6",
}


def answer_text(outcome: Outcome, right: int, rng: random.Random) -> tuple[str | None, str | None]:
    """Return a model's words and what was read from them."""
    if outcome is Outcome.FAILED:
        return None, None
    if outcome is Outcome.UNPARSED:
        return "I think we should first consider what the question means.", None
    if outcome is Outcome.REFUSED:
        return "I'm sorry, but I can't help with that.", None
    said = right if outcome is Outcome.CORRECT else right + rng.choice((-10, 3, 10, 100))
    text = f"Let us go step by step.\n\nFirst the tens, then the ones, which gives {said}.\n\nAnswer: {said}"
    return (text[:48], None) if outcome is Outcome.TRUNCATED else (text, str(said))


def items_of(benchmark: str, by_model: Mapping[str, Sequence[Outcome]], rungs: Sequence[int]) -> tuple[ReportItem, ...]:
    """Return the questions with every model's answer."""
    rng = random.Random(f"items {benchmark}")
    made = []
    for place, rung in enumerate(rungs):
        a, b = rng.randrange(10, 10**rung + 10), rng.randrange(10, 90)
        answers = []
        for model, outcomes in by_model.items():
            text, extracted = answer_text(outcomes[place], a + b, rng)
            answers.append(
                ReportAnswer(
                    model=model,
                    attempt=0,
                    outcome=outcomes[place],
                    extracted=extracted,
                    text=text,
                    finish_reason="length" if outcomes[place] is Outcome.TRUNCATED else "stop",
                    output_tokens=None if text is None else len(text) // 3,
                    seconds=0.4 + rng.random(),
                    detail="the connection broke off" if outcomes[place] is Outcome.FAILED else None,
                )
            )
        made.append(
            ReportItem(
                benchmark=benchmark,
                item=f"{benchmark.split('@')[0]}-{place:04d}",
                prompt_text=f"Question: A train has {a} people and {b} more get on. How many are there now?\nAnswer:",
                target=str(a + b),
                metadata={"rung": rung, "skill": "arithmetic"},
                answers=tuple(answers),
            )
        )
    return tuple(made)


def sample(benchmarks: Sequence[str], models: Sequence[str], items: int, *, seed: int = 1) -> Report:
    """Return a realistic report of any size."""
    rng = random.Random(seed)
    rungs = [1 + place % 6 for place in range(items)]
    strength = {SMOL: 0.52, QWEN: 0.70, GPT: 1.06}
    results, verdicts, shown = [], [], []
    for benchmark in benchmarks:
        outcomes = {
            name: draw_outcomes(rng, [strength.get(name, 0.6) - 0.11 * (rung - 1) for rung in rungs]) for name in models
        }
        outcomes[models[-1]][items // 2] = Outcome.FAILED
        for name in models:
            groups = {
                f"rung {rung}": [outcome for outcome, at in zip(outcomes[name], rungs) if at == rung]
                for rung in sorted(set(rungs))
            }
            results.append(result_of(benchmark, name, outcomes[name], groups, "rung"))
        for place, a in enumerate(models):
            verdicts += [verdict_of(benchmark, a, b, outcomes[a], outcomes[b]) for b in models[place + 1 :]]
        shown += list(items_of(benchmark, outcomes, rungs))
    return Report(
        title=f"{' and '.join(models)} on {', '.join(benchmarks)}",
        created=CREATED,
        command=f"fieldguide compare {' '.join(models)} --benchmark {','.join(benchmarks)} --limit {items} "
        "--report report.html",
        models=tuple(model_of(name) for name in models),
        results=tuple(results),
        exams=tuple(exam_of(benchmark, items) for benchmark in benchmarks),
        verdicts=tuple(verdicts),
        items=tuple(shown),
        environment=ENVIRONMENT,
    )


def two_models() -> Report:
    """Two models, one benchmark, 200 items."""
    return sample(["ladder@0"], [SMOL, QWEN], 200)


def three_models() -> Report:
    """Three models on three benchmarks, one of them through a provider; nine verdicts."""
    report = sample(["ladder@0", "gsm8k", "math500"], [SMOL, QWEN, GPT], 120, seed=4)
    changed = [
        replace(shown, verdict=replace(shown.verdict, confidence_level=1 - 0.05 / 9)) for shown in report.verdicts
    ]
    changed[0] = replace(
        changed[0],
        verdict=replace(changed[0].verdict, verdict=VerdictKind.EQUIVALENT, margin=0.1, more_items_needed=None),
        sentence=f"{SMOL} and {QWEN} are equivalent on ladder@0 within 10 points.",
    )
    return replace(
        report,
        verdicts=tuple(changed),
        notes=("LiveCodeBench was left out: its data are not in the folder that was named.", "tests: public"),
    )


def one_model() -> Report:
    """The evaluation of a single model."""
    return sample(["ladder@0"], [SMOL], 60)


def undecided() -> Report:
    """Two models that 40 items cannot tell apart, with withheld questions."""
    report = sample(["gpqa@diamond"], [SMOL, QWEN], 40, seed=5)
    items = tuple(replace(item, prompt_text=None) for item in report.items)
    return replace(report, items=items)


def empty() -> Report:
    """Nothing was measured."""
    return Report(title="Nothing", created=CREATED, command="fieldguide compare", models=(), results=())


def all_failed() -> Report:
    """Every answer failed: no accuracy, no speed, no verdict but an open one without numbers."""
    outcomes = [Outcome.FAILED] * 5
    bare = [
        replace(
            result_of("ladder@0", name, outcomes, {}, ""),
            input_tokens=None,
            output_tokens=None,
            cost_usd=None,
            seconds=None,
            decode_tokens_per_s=None,
            ttft_s=None,
            e2e_latency_s=None,
            unknown_because={},
        )
        for name in (SMOL, QWEN)
    ]
    verdict = Verdict(
        benchmark="ladder@0",
        a=SMOL,
        b=QWEN,
        verdict=VerdictKind.CANNOT_TELL,
        difference=None,
        ci_low=None,
        ci_high=None,
        p_value=None,
        p_adjusted=None,
        a_only=0,
        b_only=0,
        pairs=0,
        unpaired=5,
        bound_low=-1.0,
        bound_high=1.0,
        more_items_needed=None,
        more_items_reason="no item was scored for both",
        confidence_level=0.95,
        margin=None,
        method="exact McNemar test",
    )
    return Report(
        title="Every answer failed",
        created=CREATED,
        command="fieldguide compare a b --benchmark ladder",
        models=(model_of(SMOL), model_of(QWEN)),
        results=tuple(bare),
        verdicts=(ReportVerdict(verdict=verdict, sentence="Nothing can be said: no item was scored for both models."),),
        items=items_of("ladder@0", {SMOL: outcomes, QWEN: outcomes}, [1, 2, 3, 4, 5]),
        environment=ENVIRONMENT,
    )


def hostile() -> Report:
    """Every text that others control attacks the page."""
    bad_names = {
        SMOL: HOSTILE_TEXTS[2] + HOSTILE_TEXTS[4] + HOSTILE_TEXTS[14],
        QWEN: HOSTILE_TEXTS[0] + HOSTILE_TEXTS[13],
    }
    everything = "\n".join(HOSTILE_TEXTS)
    report = sample(["ladder@0"], [SMOL, QWEN], 30)
    bench = HOSTILE_TEXTS[3]
    items = [
        replace(
            item,
            benchmark=bench,
            item=HOSTILE_TEXTS[place % len(HOSTILE_TEXTS)] + str(place),
            prompt_text=everything,
            target=HOSTILE_TEXTS[place % len(HOSTILE_TEXTS)],
            metadata={"<b>": HOSTILE_TEXTS[0], "nested": [HOSTILE_TEXTS[1]]},
            answers=tuple(
                replace(
                    answer,
                    model=bad_names[answer.model],
                    text=HOSTILE_TEXTS[place % len(HOSTILE_TEXTS)],
                    extracted=everything,
                    detail=HOSTILE_TEXTS[14],
                    finish_reason=HOSTILE_TEXTS[0],
                )
                for answer in item.answers
            ),
        )
        for place, item in enumerate(report.items)
    ]
    models = [
        replace(
            model,
            name=bad_names[model.name],
            reference=everything,
            identity={HOSTILE_TEXTS[0]: everything},
            facts={HOSTILE_TEXTS[5]: {"<i>": HOSTILE_TEXTS[9]}},
            licence=HOSTILE_TEXTS[10],
        )
        for model in report.models
    ]
    results = [
        replace(
            result,
            benchmark=bench,
            model=bad_names[result.model],
            protocol=HOSTILE_TEXTS[8],
            run_id=HOSTILE_TEXTS[1],
            scorer=ScorerIdentity(name=HOSTILE_TEXTS[0], version=HOSTILE_TEXTS[4]),
            group_kind=HOSTILE_TEXTS[4],
            groups=tuple(replace(group, name=group.name + HOSTILE_TEXTS[2]) for group in result.groups),
            unknown_because={"cost_usd": HOSTILE_TEXTS[8]},
        )
        for result in report.results
    ]
    verdicts = [
        ReportVerdict(
            verdict=replace(
                shown.verdict, benchmark=bench, a=bad_names[SMOL], b=bad_names[QWEN], method=HOSTILE_TEXTS[0]
            ),
            sentence=f"{bad_names[SMOL]} is better. {HOSTILE_TEXTS[18]}",
        )
        for shown in report.verdicts
    ]
    exams = [
        replace(
            exam,
            benchmark=bench,
            source={HOSTILE_TEXTS[4]: everything},
            decoding=replace(exam.decoding, stop=tuple(HOSTILE_TEXTS)),
        )
        for exam in report.exams
    ]
    return replace(
        report,
        title=f"Hostile {everything}",
        command=everything,
        models=tuple(models),
        results=tuple(results),
        verdicts=tuple(verdicts),
        items=tuple(items),
        exams=tuple(exams),
        environment={HOSTILE_TEXTS[0]: everything},
        notes=HOSTILE_TEXTS,
    )
