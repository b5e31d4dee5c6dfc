"""The words of a name read one by one: family, version, size, kind, format; what is left is the variant."""

from __future__ import annotations

import re

from fieldguide.catalogue.names import _sizes as sizes
from fieldguide.catalogue.names import _words as words
from fieldguide.catalogue.names._name import Found

_BETWEEN_WORDS = re.compile(r"(?<![0-9])_|_(?![0-9])|(?<=[0-9bm])\.(?=[a-z])|[-\s/()+,:\[\]]+")
_SETTINGS = re.compile(r"\([^()]*=[^()]*\)")
_PLUS = re.compile(r"(?<=[a-z0-9])\+(?=$|[-_ :(/])")
_P_FOR_DOT = re.compile(r"^([a-z]*[0-9]{1,3})p([0-9]{1,3}[bm]?)$")
_LLAMA_IN_SHORT = re.compile(r"l(3(?:\.[0-9])?)")
_RUN_TOGETHER = re.compile(r"(gpt|qwen|claude)-?([1-9])([0-9])")
"""Azure and others leave the dot out, `gpt-35`, `qwen25`; none of these families has come to version 10."""
_LETTER_SIZE = re.compile(r"(r)([0-9]{1,3}b)")
_FUSED = re.compile(r"(rwkv|[a-z]{2,}?)[v.]?([0-9]{1,3}(?:\.[0-9]{1,3}){0,2}[a-z]?)")
_FUSED_KIND = re.compile(r"([a-z]{2,}?)([0-9]{1,2}(?:\.[0-9])?)(" + "|".join([*words.KINDS, "moe"]) + ")")
_KIND_VERSION = re.compile(r"(vl|coder|math|opus|sonnet|haiku)([0-9]{1,2}(?:\.[0-9]{1,2})?)")
_VERSION = re.compile(r"v?[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}[a-z]?")
_LETTER_VERSION = re.compile(r"[vrkmh][0-9]{1,2}(?:\.[0-9]{1,2})?")
_MINOR = {True: r"[0-9]{1,2}", False: r"[0-9]"}
_BASE_AFTER = "base "
"""`base` behind a version, until the whole name is read; no word has a space."""
_CODERS = re.compile(r"code(?!c).+|.+coder")
_REVISION = re.compile(r"0[0-9]{2}")
_LETTERED_FAMILIES = frozenset(["deepseek", "kimi", "minimax", "falcon"])


def read_words(name: str, found: Found) -> None:
    """Read what is left of a name when everything around it is gone."""
    name = _PLUS.sub("-plus", _SETTINGS.sub("", name))
    parts = [_P_FOR_DOT.sub(r"\1.\2", word.replace("_", ".").strip(".")) for word in _BETWEEN_WORDS.split(name) if word]
    parts = [part for part in parts if part]
    if tuple(parts[:2]) not in words.COMPOUNDS:
        parts = _before_family(parts, found)
    parts = _take_family(parts, found)
    at = 0
    while at < len(parts):
        at += _read_word(parts, at, found)
    _settle(found)


def _before_family(parts: list[str], found: Found) -> list[str]:
    if len(parts) > 1 and parts[0] in words.PROVIDERS - words.ALSO_FAMILIES:
        found.provider = found.provider or parts[0]
        parts = parts[1:]
    if len(parts) > 1 and parts[0] in words.LEADING_PUBLISHERS:
        found.publisher = found.publisher or parts[0]
        parts = parts[1:]
    if len(parts) > 1 and parts[0] in words.BEFORE_FAMILY:
        found.variant.append(parts[0])
        parts = parts[1:]
    return parts


def _take_family(parts: list[str], found: Found) -> list[str]:
    if not parts:
        return parts
    first, rest = parts[0], parts[1:]
    if rest and (first, rest[0]) in words.COMPOUNDS:
        found.family, rest = words.ONE_WORD.get((first, rest[0]), f"{first}-{rest[0]}"), rest[1:]
    elif rest and (match := _LLAMA_IN_SHORT.fullmatch(first)):
        found.family, rest = "llama", [match[1], *rest]
    elif match := _RUN_TOGETHER.fullmatch("-".join([first, *rest[:1]])) or _RUN_TOGETHER.fullmatch(first):
        found.family, found.version = match[1], f"{match[2]}.{match[3]}"
        rest = rest[1:] if match[0] != first else rest
    elif first not in words.UNSPLIT and (match := _FUSED.fullmatch(first)) and match[2] != "0":
        found.family, rest = match[1], [match[2], *rest]
    elif first not in words.UNSPLIT and (match := _FUSED_KIND.fullmatch(first)):
        found.family, rest = match[1], [match[2], match[3], *rest]
    elif rest and len(first) == 1 and first.isalpha() and rest[0].isalpha():
        found.family, rest = f"{first}-{rest[0]}", rest[1:]
    else:
        found.family = first
    if kind := words.FAMILY_KINDS.get(found.family) or words.KINDS.get(found.family):
        found.kinds.add(kind)
    elif _CODERS.fullmatch(found.family):
        found.kinds.add("coder")
    return rest


def _read_word(parts: list[str], at: int, found: Found) -> int:
    """Read the word at a place, and return how many words that took."""
    word, following = parts[at], parts[at + 1] if at + 1 < len(parts) else ""
    budget = following.startswith("think") and word.endswith("k")  # `32k thinking tokens` is no context
    if not budget and sizes.take_size(word, found):
        return 1
    if found.family == "command" and (match := _LETTER_SIZE.fullmatch(word)):  # Command R7B
        parts[at : at + 1] = [match[1], match[2]]
        word = match[1]
    if (match := _KIND_VERSION.fullmatch(word)) and found.version is None:
        parts[at : at + 1] = [match[1], match[2]]
        word = match[1]
    if word in {"non", "no"} and words.KINDS.get(following) == "reasoning":
        found.variant.append(f"{word}-{following}")
        return 2
    if word in words.FORMATS:
        found.format = found.format or words.FORMATS[word]
    elif word == "cpp" and found.family == "gemma":
        found.format = found.format or "gemma.cpp"
    elif _REVISION.fullmatch(word) and found.revision is None:
        found.revision = word
    elif _take_version(word, found, first=at == 0):
        # APIs that allow no dot write 3.5 as 3-5, and V3.1 as V3-1.
        if found.version is not None and "." not in word and re.fullmatch(_MINOR[word.isdigit()], following):
            found.version += f".{following}"
            return 2
    elif word in words.KINDS:
        found.kinds.add(words.KINDS[word])
    elif word == "base" and found.version is not None:
        found.variant.append(_BASE_AFTER)
    elif word == "pt" and found.family == "gemma":
        found.kinds.add("base")
    else:
        found.variant.append(word)
    return 1


def _take_version(word: str, found: Found, *, first: bool) -> bool:
    if found.version is not None:
        return False
    if found.family in _LETTERED_FAMILIES and _LETTER_VERSION.fullmatch(word):
        found.version = word
        return True
    if not _VERSION.fullmatch(word) or (word.isdigit() and int(word) > (99 if first else 9)):
        return False
    word = word.removeprefix("v")
    if word.endswith("v"):
        word = word[:-1]
        found.kinds.add("vl")
    found.version = word
    return True


def _settle(found: Found) -> None:
    after = _BASE_AFTER in found.variant
    found.variant[:] = ["base" if word == _BASE_AFTER else word for word in found.variant]
    if "base" in found.variant and _is_untuned(found, after_version=after):
        found.variant.remove("base")
        found.kinds.add("base")
    if found.version is None and found.revision is not None:
        _settle_revision(found, found.revision)
    sizes.settle_sizes(found)


def _settle_revision(found: Found, revision: str) -> None:
    """Read `claude-v2` and `embed-english-v3` of Bedrock as versions, where nothing else is one."""
    if re.fullmatch(r"v[0-9]", revision):
        found.version, found.revision = revision[1:], None
    elif found.family == "claude" and re.fullmatch(r"v[12]:[0-9]", revision):  # v2:1 is Claude 2.1
        found.version = revision[1:].replace(":", ".").removesuffix(".0")


def _is_untuned(found: Found, *, after_version: bool) -> bool:
    """Return whether `base` says what a model was trained for; of encoders and small ones it says the size.

    Where no size is given, `DeepSeek-V3-Base` is told from `mpnet-base-v2` by the order of its words.
    """
    if found.family in words.BASE_IS_A_SIZE or "embedding" in found.kinds or "reranker" in found.kinds:
        return False
    if found.parameters is None:
        return after_version or found.active_parameters is not None
    return found.parameters >= 100 * 10**6
