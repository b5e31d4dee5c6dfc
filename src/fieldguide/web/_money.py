"""Cost: a form, and what a workload costs at every provider."""

from __future__ import annotations

from decimal import Decimal

from fieldguide.app.cost import Workload, price_workload
from fieldguide.app.cost_json import costs_json
from fieldguide.app.prices import moment
from fieldguide.app.references import as_decimal
from fieldguide.web._page import Asked, Page, Shown

_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "images")


def _cost(asked: Asked) -> Shown:
    models = tuple(name.strip() for text in asked.every("model") for name in text.split(",") if name.strip())
    costs = None
    if models:
        counts = {name: asked.count(name) or 0 for name in _COUNTS}
        workload = Workload(
            **counts,
            requests=asked.count("requests") or 1,
            batch=asked.one("batch") is not None,
            audio_seconds=as_decimal(asked.one("audio_seconds"), "audio_seconds") or Decimal(0),
        )
        found = price_workload(
            asked.house.settings.home,
            models,
            workload,
            provider=asked.one("provider"),
            at=moment(asked.one("at")),
        )
        costs = costs_json(found)
    names = (*_COUNTS, "audio_seconds", "requests", "provider", "at")
    return Shown(
        title="Cost",
        context={
            "search": {name: asked.text(name) for name in names}
            | {"model": ", ".join(models), "batch": asked.one("batch") is not None},
            "costs": costs,
        },
    )


COST = Page(
    name="cost",
    path="/cost",
    template="cost.html.j2",
    about="What requests cost, model by model and provider by provider, with the source and day of each price.",
    make=_cost,
    keys={
        "search": "the fields as they were filled in",
        "costs": "what `cost --json` gives; null where no model was named",
    },
    fields={
        "model": "a model; several by commas",
        "input_tokens": "tokens of one prompt, those from the cache too",
        "output_tokens": "tokens of one answer, those of reasoning too",
        "cached_tokens": "of the input: read from the cache",
        "cache_write_tokens": "of the input: written to the cache",
        "images": "images made; to other models, images sent",
        "audio_seconds": "seconds of audio, where that is charged by time",
        "requests": "how many such requests (1)",
        "batch": "any value: as a batch",
        "provider": "only there, such as `openai`",
        "at": "prices of that day, or time in UTC",
    },
    nav="Cost",
)
