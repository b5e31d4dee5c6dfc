"""The checks of a model, on runners that are well and on runners that are broken in one known way each."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from fieldguide.app.probe import Finding, compare, examine_model, forecast, longest_prompt
from fieldguide.app.probe._arrival import lengths
from fieldguide.app.probe._same import fisher_less, lower_bound
from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    FinishReason,
    Message,
    TokenLogprob,
    ToolCall,
    Usage,
)
from fieldguide.testing import FakeRunner

CAN = Capabilities(text=False, chat=True, structured_output=True, tools=True, logprobs=True)
Change = Callable[[CompletionRequest, str], tuple[str, str, str]]


class Model:
    """A small model of a model: it obeys, repeats codes, counts, and calls tools; `change` breaks what comes before."""

    def __init__(
        self,
        *,
        window: int | None = None,
        drops_system: bool = False,
        counts: bool = True,
        recalls: bool = True,
        leak: str = "",
        obeys: bool = True,
        ignores_stop: bool = False,
        ignores_schema: bool = False,
        calls_in_words: bool = False,
        never_ends: bool = False,
        noise: random.Random | None = None,
    ) -> None:
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})
        self.window, self.drops_system, self.counts = window, drops_system, counts
        self.recalls, self.leak, self.obeys = recalls, leak, obeys
        self.ignores_stop, self.ignores_schema = ignores_stop, ignores_schema
        self.calls_in_words, self.never_ends, self.noise = calls_in_words, never_ends, noise

    def __call__(self, request: CompletionRequest) -> Completion:
        messages = request.messages or ()
        if self.drops_system:
            messages = tuple(message for message in messages if message.role != "system")
        prompt = "\n".join(message.text for message in messages)
        tokens = len(prompt) // 4 + 10
        if self.window is not None and tokens > self.window:
            prompt, tokens = prompt[-4 * self.window :], self.window
        text = self._text(request, prompt, any(message.role == "system" for message in messages))
        calls: tuple[ToolCall, ...] = ()
        if request.tools and not self.calls_in_words:
            calls, text = (ToolCall(name="get_weather", call_id="1", arguments={"city": "Paris"}),), ""
        for stop in () if self.ignores_stop else request.stop:
            text = text.split(stop)[0]
        reason = FinishReason.LENGTH if self.never_ends else FinishReason.STOP
        usage = Usage(input_tokens=tokens, output_tokens=max(1, len(text) // 4)) if self.counts else Usage()
        return Completion(
            text=text,
            finish_reason=FinishReason.TOOL_CALL if calls else reason,
            usage=usage,
            message=Message(role="assistant", content=calls) if calls else None,
        )

    def _text(self, request: CompletionRequest, prompt: str, has_system: bool) -> str:
        if request.tools:
            return '<tool_call>{"name": "get_weather"}</tool_call>'
        if request.response_schema is not None:
            return "Paris is a city." if self.ignores_schema else '{"city": "Paris", "inhabitants": 2100000}'
        if "secret codes" in prompt:
            codes = re.findall(r"code at the \w+ is (\w+)\.", prompt)
            return ", ".join(codes) if self.recalls else "I cannot say."
        if has_system and self.obeys:
            return "BANANA"
        if "Count from one" in prompt:
            extra = f" {self.noise.random()}" if self.noise else ""
            return f"one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve{extra}{self.leak}"
        return f"It is Paris.{self.leak}"


async def findings_of(model: Model, *, longest: int = 4_000, can: Capabilities = CAN) -> dict[str, Finding]:
    found = await examine_model(FakeRunner(model, capabilities=can), longest_tokens=longest, tell=lambda text: None)
    return {finding.check: finding for finding in found}


async def test_a_model_that_is_well_passes_every_check() -> None:
    """And each finding says how sure it is."""
    found = await findings_of(Model())
    assert {check: finding.state for check, finding in found.items()} == dict.fromkeys(found, "ok")
    assert len(found) == 11
    assert all(finding.certainty for finding in found.values())


ARRIVES, SYSTEM = "the whole prompt arrives", "the system message arrives"


@pytest.mark.parametrize(
    ("model", "check", "state", "certainty"),
    [
        (Model(window=2048), ARRIVES, "failed", "certain"),
        (Model(window=2048, recalls=False), ARRIVES, "failed", "certain"),
        (Model(window=2048, counts=False), ARRIVES, "failed", "likely"),
        (Model(recalls=False), ARRIVES, "ok", "likely"),
        (Model(recalls=False, counts=False), ARRIVES, "could_not_tell", None),
        (Model(drops_system=True), SYSTEM, "failed", "certain"),
        (Model(obeys=False), SYSTEM, "ok", "likely"),
        (Model(obeys=False, counts=False), SYSTEM, "could_not_tell", None),
        (Model(leak="<|im_end|>"), "answers are free of template marks", "failed", "certain"),
        (Model(leak="\nUser: and then?"), "answers are free of template marks", "failed", "likely"),
        (Model(leak="</think>"), "thoughts stand apart", "failed", "certain"),
        (Model(ignores_stop=True), "stop texts are honoured", "failed", "certain"),
        (Model(ignores_schema=True), "answers keep to a schema", "failed", "certain"),
        (Model(calls_in_words=True), "tools are called", "failed", "likely"),
        (Model(never_ends=True), "answers end by themselves", "warning", "certain"),
        (Model(counts=False), "token counts are plausible", "could_not_tell", None),
        (Model(noise=random.Random(1)), "temperature 0 repeats itself", "warning", "certain"),
    ],
)
async def test_each_fault_is_found_and_none_is_made_up(
    model: Model, check: str, state: str, certainty: str | None
) -> None:
    """A weak model, or one of which nothing is counted, is not called broken."""
    found = await findings_of(model)
    assert (found[check].state, found[check].certainty) == (state, certainty), found[check]
    assert all(finding.hint for finding in found.values() if finding.state == "failed")


@pytest.mark.parametrize("window", [600, 1000, 2048, 3000, 4096, 6000])
async def test_a_cut_is_found_wherever_it_lies(window: int) -> None:
    """Ollama's 2,048 and 4,096 among them; without a cut the same lengths pass."""
    assert (await findings_of(Model(window=window), longest=8_000))[ARRIVES].state == "failed"
    assert (await findings_of(Model(window=12_000), longest=8_000))[ARRIVES].state == "ok"


async def test_what_a_runner_does_not_offer_is_not_checked() -> None:
    """Fewer capabilities, fewer requests."""
    found = await findings_of(Model(), can=Capabilities(text=False, chat=True, stop=False, streaming=False))
    assert not {"stop texts are honoured", "tools are called", "answers keep to a schema"} & set(found)


async def test_the_forecast_is_kept() -> None:
    """No more requests and tokens than were foreseen."""
    runner = FakeRunner(Model(), capabilities=CAN)
    await examine_model(runner, longest_tokens=5_000, tell=lambda text: None)
    foreseen = forecast(5_000)
    assert len(runner.requests) <= foreseen.requests
    sent = sum(len(message.text) for request in runner.requests for message in request.messages or ())
    assert sent / 4 <= foreseen.input_tokens
    assert sum(request.max_output_tokens or 0 for request in runner.requests) <= foreseen.output_tokens


def test_a_declared_context_bounds_the_longest_prompt() -> None:
    """Whatever was wished for; where none is declared the wish, or 8,000."""
    runner = FakeRunner("x")
    assert longest_prompt(runner, None) == 8_000
    assert longest_prompt(runner, 500) == 500
    runner._model = replace(runner.model, facts={"context_tokens": 1_000})
    assert longest_prompt(runner, None) == 750
    assert lengths(750) == [300, 750]


class Endpoint:
    """Answers open questions from a seed; another tokenizer, template, drift of probabilities or chance can be had."""

    def __init__(
        self, seed: int = 0, *, tokenizer: int = 4, template: int = 10, drift: float = 0.0, changes: float = 0.0,
        chance: float = 0.0, counts: bool = True,
    ) -> None:  # fmt: skip
        self.seed, self.tokenizer, self.template, self.drift = seed, tokenizer, template, drift
        self.changes, self.chance, self.counts, self.rng = changes, chance, counts, random.Random(seed)

    def __call__(self, request: CompletionRequest) -> Completion:
        prompt = (request.messages or ())[-1].text
        rng = random.Random(f"{self.seed}/{prompt}")
        words = [f"w{rng.randrange(1000)}" for _ in range(12)]
        if random.Random(f"{prompt}").random() < self.changes or self.rng.random() < self.chance:
            words[-1] = f"x{self.rng.random()}" if self.chance else "other"
        logprobs = tuple(
            TokenLogprob(token=word, logprob=-0.5 - self.drift * (1 + place % 3)) for place, word in enumerate(words)
        )
        tokens = len(prompt.encode()) // self.tokenizer + self.template
        return Completion(
            text=" ".join(words),
            finish_reason=FinishReason.LENGTH,
            usage=Usage(input_tokens=tokens, output_tokens=12) if self.counts else Usage(),
            logprobs=logprobs if request.logprobs is not None else None,
        )


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (Endpoint(), "same"),
        (Endpoint(template=14), "same"),
        (Endpoint(counts=False), "same"),
        (Endpoint(drift=0.005), "same"),
        (Endpoint(1), "different"),
        (Endpoint(tokenizer=3), "different"),
        (Endpoint(drift=0.1), "different"),
        (Endpoint(changes=0.2), "cannot_tell"),
        (Endpoint(chance=0.6), "cannot_tell"),
    ],
)
async def test_two_endpoints_are_told_apart_and_no_more_is_claimed_than_was_seen(other: Endpoint, verdict: str) -> None:
    """Same weights, another model, another tokenizer, a quantization, and noise that allows no verdict."""
    made = await compare(
        FakeRunner(Endpoint(), capabilities=CAN), FakeRunner(other, capabilities=CAN), tell=lambda text: None
    )
    assert made.verdict == verdict, made
    assert made.reasons


def test_the_bounds_are_those_of_the_textbook() -> None:
    """Clopper-Pearson by the beta distribution and Fisher's exact test by scipy."""
    stats = pytest.importorskip("scipy.stats")
    for successes, trials in ((16, 16), (12, 16), (1, 16)):
        assert lower_bound(successes, trials) == pytest.approx(
            stats.beta.ppf(0.05, successes, trials - successes + 1), abs=1e-9
        )
    assert lower_bound(0, 16) == 0
    for row in ((9, 16, 32, 32), (0, 16, 30, 32), (16, 16, 32, 32)):
        table = [[row[0], row[1] - row[0]], [row[2], row[3] - row[2]]]
        assert fisher_less(*row) == pytest.approx(stats.fisher_exact(table, alternative="less")[1])
