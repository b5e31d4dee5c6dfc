"""Plans: what a model needs and how fast it is on hardware, and what training takes, term by term."""

from __future__ import annotations

from typing import Any

from fieldguide.app import plan_json as plans
from fieldguide.app import train_plan as training
from fieldguide.app.plan import PlanOptions, plan
from fieldguide.app.plan_page import memory_figure
from fieldguide.app.train_plan_page import training_figures
from fieldguide.catalogue import amount, hardware_table
from fieldguide.errors import UsageError
from fieldguide.reporting import draw_curves
from fieldguide.web._page import Asked, Page, Shown

_PLAN_FIELDS = {
    "model": "a name as on its page, also `NAME:Q4_K_M`, or the path of a model file",
    "quantization": "such as `Q4_K_M`, `BF16`, `FP8`",
    "on": "hardware, such as `rtx4090` or `2xh100`; `here` is this machine, which is timed once",
    "context": "tokens of prompt and answer, per sequence (4096)",
    "answer": "tokens of them that are generated (2048)",
    "sequences": "sequences held at once (1)",
    "kv_dtype": "of the cache: `f16`, `q8_0`, ... (`f16`)",
    "engine": "`llama.cpp`, `vllm`, `transformers` or `sglang`",
    "devices": "devices it is split over",
}
_TRAIN_FIELDS = {
    "model": "a model of the catalogue; or give `parameters`",
    "parameters": "such as `7B`",
    "active_parameters": "of a mixture of experts, such as `37B`",
    "tokens": "trained on, such as `1.5T`",
    "unique_tokens": "different ones, where some are repeated",
    "on": "hardware, such as `1024xh100`",
}
_NO_FIGURES: tuple[list[Any], None] = ([], None)


def _plan(asked: Asked) -> Shown:
    name, made = asked.one("model"), None
    if name is not None:
        asked.visitor.check_name(name)
        options = PlanOptions(
            quantization=asked.one("quantization"),
            context_tokens=asked.count("context"),
            answer_tokens=asked.count("answer"),
            sequences=asked.count("sequences") or 1,
            kv_type=asked.one("kv_dtype") or "f16",
            engine=asked.one("engine"),
            on=asked.one("on"),
            devices=asked.count("devices"),
        )
        made = plan(asked.house, name, options)
    figures, missing = _NO_FIGURES if made is None else draw_curves((memory_figure(made),))
    return Shown(
        title="Plan" if made is None else f"Plan: {made.memory.network.name}",
        context={
            "search": {field: asked.text(field) for field in _PLAN_FIELDS},
            "devices": sorted(device.name for device in hardware_table().devices),
            "plan": None if made is None else plans.plan_json(made),
        },
        drawn={"figures": figures, "charts_missing": missing},
    )


def _train(asked: Asked) -> Shown:
    made = None
    if asked.query:
        if asked.one("model") is None and asked.one("parameters") is None:
            raise UsageError("Name a model, or give its parameters.", hint="Such as 7B.")
        asked.visitor.check_name(asked.one("model") or "any")
        made = training.plan_training(
            asked.house,
            training.TrainingRequest(
                model=asked.one("model"),
                on=asked.one("on"),
                parameters=_amount(asked, "parameters"),
                active_parameters=_amount(asked, "active_parameters"),
                tokens=_amount(asked, "tokens"),
                unique_tokens=_amount(asked, "unique_tokens"),
            ),
        )
    figures, missing = _NO_FIGURES if made is None else draw_curves(training_figures(made))
    return Shown(
        title="Training" if made is None else f"Training: {made.name}",
        context={
            "search": {field: asked.text(field) for field in _TRAIN_FIELDS},
            "plan": None if made is None else training.plan_json(made),
        },
        drawn={"figures": figures, "charts_missing": missing},
    )


def _amount(asked: Asked, field: str) -> float | None:
    text = asked.one(field)
    return None if text is None else amount(text, field)


PLAN = Page(
    name="plan",
    path="/plan",
    template="plan.html.j2",
    about="What a model needs before it is fetched: memory term by term, whether it fits hardware, and its speed.",
    make=_plan,
    keys={
        "search": "the fields as they were filled in",
        "devices": "names of the hardware that is known",
        "plan": "what `plan --json` gives; null where no model was named",
    },
    fields=_PLAN_FIELDS,
    slow=True,
    nav="Plan",
)
TRAIN_PLAN = Page(
    name="train-plan",
    path="/train-plan",
    template="train_plan.html.j2",
    about="What training a model takes, costs and reaches.",
    make=_train,
    keys={
        "search": "the fields as they were filled in",
        "plan": "what `train-plan --json` gives; null where nothing was asked",
    },
    fields=_TRAIN_FIELDS,
    slow=True,
)
