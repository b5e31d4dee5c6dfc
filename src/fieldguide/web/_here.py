"""Models here: what is on this machine, and what is asked before something is fetched, loaded or removed."""

from __future__ import annotations

from typing import Any

from fieldguide.app.fetch_work import asked_json as fetch_asked
from fieldguide.app.models_here import load_plan, models_here_json, stored_model
from fieldguide.app.pull import preview_pull
from fieldguide.app.verify_work import asked_json as verify_asked
from fieldguide.app.wiring import House
from fieldguide.app.works import WorkState, progress_of, view_json, view_work
from fieldguide.errors import FieldguideError, LicenceNotAcceptedError, UsageError
from fieldguide.web._comparing import Start
from fieldguide.web._errors import error_json
from fieldguide.web._page import Asked, Page, Shown

_MOST_WORKS = 10


def _here(asked: Asked) -> Shown:
    fault = None
    try:
        found = models_here_json(asked.house)
    except FieldguideError as error:
        fault, found = error_json(error)["error"], {"models": [], "unfinished": [], "free_bytes": None}
    asked_for = [work for work in asked.house.works.every() if work.kind in ("fetch", "verify")]
    works = [
        _work_json(asked.house, work)
        for place, work in enumerate(asked_for)
        if place < _MOST_WORKS or asked.house.works.is_held(work.work_id)
    ]
    fetched = {each["name"] for each in works if each["state"] == WorkState.RUNNING and each["name"]}
    if not asked.visitor.is_admin:  # where files lie is nobody's business elsewhere
        found["models"] = [each | {"path": None, "files": None} for each in found["models"]]
    found["unfinished"] = [each for each in found["unfinished"] if each["name"] not in fetched]
    return Shown(
        title="Models here",
        context={
            "models": [each | {"loaded": asked.loaded.get(each["name"])} for each in found["models"]],
            "unfinished": found["unfinished"],
            "works": works,
            "free_bytes": found["free_bytes"],
            "fault": fault,
        },
        drawn={"removed": asked.one("removed")},
    )


def _work_json(house: House, work: Any) -> dict[str, Any]:
    view = view_work(house, work.work_id)
    (block,) = progress_of(view.work, view.events)
    whole = view_json(view)
    kept = {key: whole[key] for key in ("work_id", "kind", "title", "created_at", "state", "reason", "error")}
    name = (block.get("preview") or {}).get("name")
    return kept | {"name": name, "progress": block["progress"]}


def _fetch(asked: Asked) -> Shown:
    asked.visitor.check_admin()
    wanted, preview = asked.one("model"), None
    if wanted is not None:
        preview = preview_pull(asked.house, wanted.strip()).as_json()
        licence = preview["licence"]
        accepted = asked.house.settings.accept_licences
        preview["must_accept"] = bool(licence and licence["needs_acceptance"] and licence["id"] not in accepted)
    return Shown(
        title="Fetch a model" if wanted is None else f"Fetch {wanted[:100]}",
        context={"search": {"model": wanted or ""}, "preview": preview},
    )


def _load(asked: Asked) -> Shown:
    asked.visitor.check_admin()
    made = load_plan(asked.house, asked.text("model"))
    return Shown(title=f"Load {made.model.name}", context={"load": made.as_json()})


def _remove(asked: Asked) -> Shown:
    asked.visitor.check_admin()
    name = asked.text("model")
    unfinished = {each.name: each for each in asked.house.models.unfinished()}
    if name in unfinished and asked.house.models.find(name) is None:
        size = unfinished[name].here_bytes
    else:
        size = stored_model(asked.house, name).size_bytes
    return Shown(
        title=f"Remove {name}",
        context={"model": name, "size_bytes": size, "loaded": asked.loaded.get(name)},
    )


def fetch_start(house: House, reference: str, *, accepted: str | None) -> Start:
    """Return the fetching of a model as work that can be started.

    Raises:
        UsageError: No model is named.
        LicenceNotAcceptedError: Its terms hold conditions and were not accepted.
        SourceError: The source does not have it, or cannot be asked.
    """
    reference = reference.strip()
    if not reference:
        raise UsageError("No model is named.", hint="Such as smollm2-135m-instruct, or hf:OWNER/NAME#*q4_k_m.gguf.")
    licence = preview_pull(house, reference).licence
    known = house.settings.accept_licences
    if licence is not None and licence.needs_acceptance and licence.id not in known and accepted != licence.id:
        raise LicenceNotAcceptedError(reference, licence.id, licence.terms_url or "see its publisher")
    return Start(kind="fetch", title=f"Fetch {reference}", asked=fetch_asked(reference, [accepted] if accepted else []))


def verify_start(house: House, name: str) -> Start:
    """Return the checking of a model, or of all, as work that can be started.

    Raises:
        NotFoundError: The model is not here, or no longer.
    """
    if name:
        stored_model(house, name)
    return Start(kind="verify", title=f"Check {name or 'every model'}", asked=verify_asked(name or None))


HERE = Page(
    name="here",
    path="/here",
    template="here.html.j2",
    about="The models on this machine: what, where from, under which licence; fetched, checked, loaded, removed.",
    make=_here,
    keys={
        "models": "what `list --json` gives of each, with its quantization and whether it is in memory",
        "unfinished": "pulls that were interrupted and can go on",
        "works": "the newest fetchings and checks, and those that go on, with their states",
        "free_bytes": "what may still be written to the disk of the models",
        "fault": "why models cannot be listed; null where they can",
    },
    nav="Models",
    slow=True,
)
FETCH = Page(
    name="fetch",
    path="/here/fetch",
    template="fetch.html.j2",
    about="What fetching a model would bring, before the first byte: files, size, licence and duties, whether it fits.",
    make=_fetch,
    keys={
        "search": "the field as it was filled in",
        "preview": "what `pull --dry-run --json` gives, and whether terms must be accepted; null before",
    },
    fields={"model": "a model, as `fieldguide pull` takes it"},
    slow=True,
)
LOAD = Page(
    name="load",
    path="/here/load",
    template="load.html.j2",
    about="What loading a model takes, beside the memory that is free now; a POST loads it.",
    make=_load,
    keys={"load": "bytes with one slot and with several, what is free, whether it fits"},
    fields={"model": "a model that is here"},
    slow=True,
)
REMOVE = Page(
    name="remove",
    path="/here/remove",
    template="remove.html.j2",
    about="Asks again before a model is removed; a POST removes it.",
    make=_remove,
    keys={
        "model": "its name",
        "size_bytes": "of its files; those that another model needs stay",
        "loaded": "how it stands in memory; null where it is not there",
    },
    fields={"model": "a model that is here, or a pull that was not finished"},
    slow=True,
)
