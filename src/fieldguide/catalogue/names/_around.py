"""What stands around a name: file ending, path, revision, tag, and the dotted prefix of Bedrock.

Each function takes away one of them, keeps in `found` what it says, and returns the rest.
"""

from __future__ import annotations

import re

from fieldguide.catalogue.names import _words as words
from fieldguide.catalogue.names._marks import is_date
from fieldguide.catalogue.names._name import Found

_SHARD = re.compile(r"-([0-9]{5})-of-([0-9]{5})$")
_FILE_PUBLISHER = re.compile(r"([a-z][a-z0-9-]{2,38})_(?=[a-z])(?!k_|m\b)")
_SIZE_WORD = re.compile(r"(?:^|-)[0-9]+(?:x[0-9]+)?[bmk](?:-|$)")


def without_file(name: str, found: Found) -> str:
    """Take away a file's ending and folder, its number among shards, and `publisher_` before the name."""
    for ending, format_ in words.FILE_ENDINGS.items():
        if name.endswith(ending):
            found.format = format_
            directory, slash, name = name.removesuffix(ending).rpartition("/")
            found.prefix = directory + slash
            break
    else:
        return name
    if match := _SHARD.search(name):
        found.shard = int(match[1]), int(match[2])
        name = name[: match.start()]
    # Quantizers write `publisher_model`; a model's own underscore follows a digit or its size.
    if (match := _FILE_PUBLISHER.match(name)) and not _SIZE_WORD.search(match[1]):
        found.publisher = match[1]
        return name[match.end() :]
    return name


_DIGIT = re.compile(r"[0-9]")
_VERSION = re.compile(r"v?[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}[a-z]?")
_VERSION_FIRST = re.compile(r"v[0-9]+(?:\.[0-9]+)*(?:-|$)")
_REGION_PART = re.compile(r"(?:us|eu|ap|ca|sa|me|af|il)-(?:gov-)?[a-z]+-[0-9]")
_PICTURE_PART = re.compile(r"[0-9]+(?:-x-[0-9]+|-steps)")
_ARN = re.compile(r"arn:aws[a-z-]*:([a-z]+):([a-z0-9-]*):[0-9]*:[a-z-]+/")


def without_path(name: str, found: Found) -> str:
    """Take away what stands before the last slash: provider, region, publisher."""
    if match := _ARN.match(name):
        found.prefix, found.provider, found.region = match[0], match[1], match[2] or None
        return name[match.end() :]
    path, slash, last = name.rpartition("/")
    if not slash:
        head, colon, rest = name.partition(":")
        if colon and rest and head == "ft":  # OpenAI's mark of a model tuned by its user
            found.prefix = head + colon
            return rest
        if colon and rest and head in words.PROVIDERS:
            found.prefix, found.provider = head + colon, head
            return rest
        return name
    parts = [part for part in path.split("/") if part]
    last = _task_last(parts, last, found)
    if _VERSION_FIRST.match(last) and parts and parts[-1] not in words.PROVIDERS:  # `flux-pro/v1.1-ultra`
        last = f"{parts.pop()}-{last}"
    found.prefix = "/".join(parts) + slash if parts else None
    unknown: list[str] = []
    for at, part in enumerate(parts):
        head, colon, rest = part.partition(":")
        if colon and rest and head in words.PROVIDERS:
            found.provider, part = found.provider or head, rest
        if part in words.REGIONS or _REGION_PART.fullmatch(part):
            found.region = found.region or part
        elif part in words.PROVIDERS or "_" in part:  # names of accounts have no underscore, routes do
            found.provider = found.provider or part
        elif not _is_filler(parts, at):
            unknown.append(part.lstrip("~"))
    if unknown:
        found.publisher = unknown[-1]
        if len(unknown) > 1 and found.provider is None:
            found.provider = unknown[0]
    return last


def _task_last(parts: list[str], last: str, found: Found) -> str:
    """Return the model where fal.ai writes it before a task, `gpt-image-2.5/flare/edit`, or before a version."""
    if "fal-ai" in parts:  # its own models: one part for the family, the others for the variant
        at = parts.index("fal-ai") + 1
        last = "-".join([*parts[at:], last])
        del parts[at:]
    while len(parts) > 1 and parts[0] == "fal_ai" and not _PICTURE_PART.fullmatch(parts[-1]):
        if _VERSION.match(last):
            if parts[-1] in words.TASKS and len(parts) > 2:
                found.variant.insert(0, parts.pop())
            return f"{parts.pop()}-{last}"
        if last not in words.TASKS and (_DIGIT.search(last) or not _DIGIT.search(parts[-1])):
            break
        found.variant.insert(0, last)
        last = parts.pop()
    return last


def _is_filler(parts: list[str], at: int) -> bool:
    part = parts[at]
    after_account = at > 0 and parts[at - 1] in {"accounts", "projects", "locations"}
    return part in words.FILLERS or _PICTURE_PART.fullmatch(part) is not None or after_account


_AT = re.compile(r"(?<=.)@([^@]+)$")
_PLAIN_REVISION = re.compile(r"-(v[0-9])$")
_BEDROCK = re.compile(r"-(v?[0-9]{1,2}:[0-9]{1,2})(?=$|:)")


def without_revision(name: str, found: Found) -> str:
    """Take away what follows an at sign, unless it is a date, and the revision that Bedrock writes as `-v1:0`."""
    if match := _AT.search(name):
        name = name[: match.start()]
        if is_date(match[1]):
            return f"{name}-{match[1]}"
        found.revision = match[1]
    elif match := _BEDROCK.search(name):
        found.revision = match[1]
        name = name[: match.start()] + name[match.end() :]
    return name


def without_tag(name: str, found: Found) -> str:
    """Keep what follows a colon as the tag, and leave its words in the name; a bare number is a budget of thinking."""
    head, colon, tag = name.partition(":")
    if not colon:
        return name
    found.tag = tag or None
    if tag.isdecimal():
        return head
    return f"{head} {tag}"


def without_dots(name: str, found: Found) -> str:
    """Take away `region.` and `publisher.` before a name of Bedrock, and the plain revision behind it."""
    head, dot, rest = name.partition(".")
    at_first = name
    if dot and rest and head in words.REGIONS:
        found.region = found.region or head
        name = rest
        head, dot, rest = name.partition(".")
    if dot and rest and head in words.DOT_PUBLISHERS:
        if found.publisher is not None and found.provider is None:
            found.provider = found.publisher
        found.publisher = head
        name = rest
        if found.revision is None and (match := _PLAIN_REVISION.search(name)):
            found.revision = match[1]
            name = name[: match.start()]
    if name != at_first:
        found.prefix = (found.prefix or "") + at_first[: len(at_first) - len(name)]
    return name
