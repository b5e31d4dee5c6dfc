"""The pages that an answer rests on, out of what each provider says of it in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fieldguide.domain import Completion, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page, and the words of the answer that rest on it."""

    provider: str
    """Who says so."""
    url: str
    title: str | None
    start: int
    """First character of these words in the answer's text, from 0."""
    end: int
    block: int | None = None
    """Place of their block in the answer's message; None where it is told of the answer as a whole."""
    quoted: str | None = None
    """What the page says, where that is told."""


def sources_of(completion: Completion) -> list[Source]:
    """Return all pages that an answer names, each with the words that rest on it."""
    found: list[Source] = []
    passed = 0
    for place, block in enumerate(completion.reply.blocks):
        if isinstance(block, Text):
            found += [
                replace(source, start=source.start + passed, end=source.end + passed, block=place)
                for source in sources_in(block)
            ]
            passed += len(block.text)
    return [*found, *sources_of_the_whole(completion)]


def sources_in(block: Text) -> list[Source]:
    """Return the pages that are named with one block; places are those in its own text."""
    found: list[Source] = []
    for data in block.provider_data:
        for each in _objects(data.fields.get("citations")):  # Anthropic
            found += _made(data.provider, each, each.get("url") or each.get("source"), 0, len(block.text), each)
        for each in _objects(data.fields.get("annotations")):  # OpenAI's Responses API
            if each.get("type") == "url_citation":
                found += _made(data.provider, each, each.get("url"), each.get("start_index"), each.get("end_index"))
        for content in _objects(data.fields.get("citationsContent")):  # Bedrock
            for each in _objects(content.get("citations")):
                location = _object(_object(each.get("location")).get("web"))
                found += _made(data.provider, each, location.get("url"), 0, len(block.text))
    return found


def sources_of_the_whole(completion: Completion) -> list[Source]:
    """Return the pages that are named with the answer as a whole."""
    found: list[Source] = []
    for data in completion.reply.provider_data:
        for each in _objects(data.fields.get("annotations")):  # OpenAI's chat completions
            inner = _object(each.get("url_citation"))
            found += _made(data.provider, inner, inner.get("url"), inner.get("start_index"), inner.get("end_index"))
        for each in _objects(data.fields.get("citations")):  # Cohere
            for source in _objects(each.get("sources")):
                for page in _pages(source):
                    found += _made(data.provider, page, page.get("url"), each.get("start"), each.get("end"))
    return [*found, *_grounded(completion)]


def _pages(source: Any, depth: int = 4) -> Iterator[Mapping[str, Any]]:
    """Yield the objects with an address in what a tool gave, or in a document."""
    if isinstance(source, dict) and "url" in source:
        yield source
    elif isinstance(source, dict | list) and depth:
        for inner in source.values() if isinstance(source, dict) else source:
            yield from _pages(inner, depth - 1)


def _grounded(completion: Completion) -> Iterator[Source]:
    """Yield the pages of Google's grounding, whose places are counted in bytes."""
    grounding = _object(_object(completion.metadata.get("candidate")).get("groundingMetadata"))
    pages = [_object(each.get("web")) for each in _objects(grounding.get("groundingChunks"))]
    written, named = completion.text.encode(), set[int]()
    for support in _objects(grounding.get("groundingSupports")):
        segment = _object(support.get("segment"))
        ends = [_place(segment.get("startIndex")), _place(segment.get("endIndex"))]
        start, end = (len(written[:each].decode("utf-8", "ignore")) for each in ends)
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if isinstance(index, int) and 0 <= index < len(pages):
                named.add(index)
                yield from _made("google", pages[index], pages[index].get("uri"), start, end)
    for index, page in enumerate(pages):
        if index not in named:
            yield from _made("google", page, page.get("uri"), 0, len(completion.text))


def _made(
    provider: str, about: Mapping[str, Any], url: Any, start: Any, end: Any, quoting: Mapping[str, Any] | None = None
) -> list[Source]:
    """Return a page in a list; an empty one where what is named is no page."""
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return []
    title, quoted = about.get("title"), (quoting or {}).get("cited_text")
    return [
        Source(
            provider=provider,
            url=url,
            title=title if isinstance(title, str) else None,
            start=_place(start),
            end=max(_place(end), _place(start)),
            quoted=quoted if isinstance(quoted, str) else None,
        )
    ]


def _place(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list, or the one object that stands in place of a list."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
