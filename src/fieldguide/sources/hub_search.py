"""Looks models up on Hugging Face and ModelScope, now, through the hubs' own clients.

The clients set no deadline of their own and try again for minutes, so each is asked in a thread that is waited for as
long as the caller allows and then left behind.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fieldguide.errors import FieldguideError, MissingDependencyError, OfflineError
from fieldguide.sources._ask import knock

HUBS = ("hf", "modelscope")
TITLES = {"hf": "Hugging Face", "modelscope": "ModelScope"}
ADDRESSES = {"hf": "https://huggingface.co", "modelscope": "https://www.modelscope.cn"}
_LICENCE = "license:"
_EXPANDED = ["downloads", "gated", "lastModified", "pipeline_tag", "tags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """One repository as its hub lists it. Unknown is None."""

    hub: str
    id: str
    licence_tag: str | None
    """As its owner tagged it; nobody checks it."""
    downloads: int | None
    updated: date | None
    task: str | None
    gated: bool | None


def search_hub(
    hub: str, words: str, *, most: int, wait_s: float, endpoint: str | None = None, direct: bool = True
) -> tuple[HubModel, ...]:
    """Return the repositories whose names hold the words, most downloaded first.

    Args:
        hub: `hf` or `modelscope`.
        words: As typed; the hubs match them with names in their own way.
        most: How many at most.
        wait_s: Longest wait (seconds).
        endpoint: Address of the hub; None takes its client's own.
        direct: Whether the hub is reached without a proxy, so that a knock at its door tells whether it is there.

    Raises:
        MissingDependencyError: The hub's client is not installed.
        OfflineError: The hub cannot be reached, refuses, or does not answer in time.
    """
    ask = {"hf": _hugging_face, "modelscope": _modelscope}[hub]
    address = endpoint or ADDRESSES[hub]
    outcome: list[tuple[HubModel, ...] | Exception] = []

    def work() -> None:
        try:
            if direct:
                knock(TITLES[hub], address)
            outcome.append(ask(words, most, endpoint))
        except Exception as error:  # The clients raise their own, their HTTP library's and the system's errors.
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True, name=f"search-{hub}")
    thread.start()
    thread.join(wait_s)
    if not outcome:
        raise OfflineError(f"{TITLES[hub]} did not answer within {wait_s:g} s.")
    answer = outcome[0]
    if isinstance(answer, FieldguideError):
        raise answer
    if isinstance(answer, Exception):
        reason = (str(answer).strip().splitlines() or [type(answer).__name__])[0]
        raise OfflineError(f"{TITLES[hub]} could not be searched: {reason}") from answer
    return answer


def _hugging_face(words: str, most: int, endpoint: str | None) -> tuple[HubModel, ...]:
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise MissingDependencyError("Searching Hugging Face", extra="hub") from error
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)  # what matters comes as an error
    asked: dict[str, Any] = {"search": words, "sort": "downloads", "limit": most, "expand": _EXPANDED}
    return tuple(
        HubModel(
            hub="hf",
            id=info.id,
            licence_tag=next((tag[len(_LICENCE) :] for tag in info.tags or () if tag.startswith(_LICENCE)), None),
            downloads=info.downloads,
            updated=_day(info.last_modified),
            task=info.pipeline_tag,
            gated=None if info.gated is None else bool(info.gated),
        )
        for info in HfApi(endpoint=endpoint).list_models(**asked)
    )


def _modelscope(words: str, most: int, endpoint: str | None) -> tuple[HubModel, ...]:
    try:
        from modelscope_hub import HubApi
    except ImportError as error:
        raise MissingDependencyError("Searching ModelScope", extra="modelscope") from error
    logging.getLogger("modelscope_hub").setLevel(logging.CRITICAL)
    api: Any = HubApi(endpoint=endpoint)
    page = api.list_repos("model", search=words, sort="downloads", page_size=most)
    return tuple(
        HubModel(
            hub="modelscope",
            id=f"{info.owner}/{info.name}",
            licence_tag=info.license or None,
            downloads=info.downloads or None,  # the client reads a missing count as 0
            updated=_day(info.last_modified),
            task=info.tasks[0] if info.tasks else None,
            gated=info.gated,
        )
        for info in page.items
        if info.owner and info.name
    )


def _day(moment: object) -> date | None:
    if isinstance(moment, datetime):
        return moment.date()
    try:
        return datetime.fromisoformat(moment).date() if isinstance(moment, str) else None
    except ValueError:
        return None
