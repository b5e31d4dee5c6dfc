"""Numbers of parameters, of experts and of tokens of context, as names write them."""

from __future__ import annotations

import re

from fieldguide.catalogue.names._name import Found

_EXPERTS_TIMES = re.compile(r"([0-9]{1,3})x([0-9]{1,4}(?:\.[0-9]{1,3})?)([bm])")
_SIZE = re.compile(r"([ae]?)([0-9]{1,4}(?:\.[0-9]{1,3})?)([bmt])([0-9]?)")
_EXPERTS = re.compile(r"([0-9]{1,3})e")
_CONTEXT = re.compile(r"[0-9]{1,4}[km]|2048|4096|8192|16384|32768|65536|131072")
_UNITS = {"m": 10**6, "b": 10**9, "t": 10**12}


def take_size(word: str, found: Found) -> bool:
    """Keep what a word says about a size; return whether it says anything."""
    if match := _EXPERTS_TIMES.fullmatch(word):
        found.experts, found.expert_parameters = int(match[1]), _count(match[2], match[3])
        return True
    if (match := _SIZE.fullmatch(word)) and _take_count(match, found):
        return True
    if match := _EXPERTS.fullmatch(word):
        found.experts = int(match[1])
        return True
    if _CONTEXT.fullmatch(word):
        found.context = word
        return True
    return False


def settle_sizes(found: Found) -> None:
    """Tell the total from what is active, once the whole name has been read."""
    if found.parameters is None:
        return
    # Llama 4 and others that count experts as `128E` give what is active per word, not the total.
    counts_active = found.experts is not None or (found.family == "llama" and (found.version or "").startswith("4"))
    if counts_active and found.active_parameters is None:
        found.active_parameters, found.parameters = found.parameters, None
    elif found.active_parameters is not None and found.active_parameters > found.parameters:
        found.active_parameters = None


def _take_count(match: re.Match[str], found: Found) -> bool:
    number = match[2]
    if match[4]:  # `7b1` is 7.1 billion
        if "." in number:
            return False
        number = f"{number}.{match[4]}"
    count = _count(number, match[3])
    if match[1] == "a":
        found.active_parameters = count
    elif match[1] == "e":
        found.effective_parameters = count
    elif found.parameters is None and found.expert_parameters is None:
        found.parameters = count
    elif match[3] == "m" and not match[4]:
        found.context = match[0]
    else:
        return False
    return True


def _count(number: str, unit: str) -> int | None:
    whole, _, fraction = number.partition(".")
    return int(whole + fraction.ljust(3, "0")) * _UNITS[unit] // 1000 or None
