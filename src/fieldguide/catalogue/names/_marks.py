"""Marks that are known by their form wherever they stand: quantizations and dates."""

from __future__ import annotations

import re

from fieldguide.catalogue.names._name import Found

_BETWEEN = r"(?:(?<=[-_. :(])|^)"
_END = r"(?=$|[-_. :),])"
_QUANTIZATION = re.compile(
    _BETWEEN + r"(?:(bnb|gptq|awq|mlx|gguf)[-_])?((?:ud-)?(?:iq[1-4]_(?:xxs|xs|nl|s|m)|q[2-8]_k(?:_(?:xs|xl|s|m|l|p))?"
    r"|q[2-8]_[01](?:_[0-9]_[0-9])?|q[2-8]k[sml]?|q[0-9]f[0-9]{2}(?:_[0-9])?|tq[12]_0|mxfp4(?:[-_]moe)?|nvfp4|nf4|fp4"
    r"|w[0-9]{1,2}a[0-9]{1,2}|int[48]|fp8|bf16|bfloat16|fp16|f16|fp32|f32|sfp|[2-8](?:\.[0-9]{1,2})?bpw"
    r"|[2-8]-?bits?|q[2-8]))" + _END
)


def without_quantization(name: str, found: Found) -> str:
    """Take away every mark of a quantization and keep the first."""
    matches = list(_QUANTIZATION.finditer(name))
    for match in reversed(matches):
        name = f"{name[: match.start()]} {match[1] or ''} {name[match.end() :]}"
    if matches:
        written = matches[0][2]
        if "bit" in written or "bpw" in written or written == "nf4":
            found.quantization = written.replace("-", "").replace("bits", "bit")
        else:
            found.quantization = {"bfloat16": "BF16", "q2k": "Q2_K"}.get(written, written.upper())
        for short in ("FP8", "MXFP4", "NVFP4"):
            if found.quantization.startswith(short):
                found.format = found.format or short
    return name


_ISO = re.compile(r"(?<![0-9.])(20[12][0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?![0-9.])")
_EIGHT = re.compile(r"(?<![0-9.])(20[12][0-9])(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(?![0-9.])")
_SIX = re.compile(r"(?<=[-_ (])(2[3-9])(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(?=$|[-_ )])")
_MONTH_YEAR = re.compile(r"(?<=[-_ (])(0[1-9]|1[0-2])-(20[12][0-9])(?=$|[-_ )])")
_YEAR_MONTH = re.compile(r"(?<=[-_ (])(2[3-9])\.?(0[1-9]|1[0-2])(?=$|[-_ )])")
_MONTH_DAY = re.compile(r"(?<=[-_ (])(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])(?=$|[-_ )])")
_SHORT_MONTH_YEAR = re.compile(r"(?<=[-_ (])(0[1-9]|1[0-2])-?(2[3-9])(?=$|[-_ )])")
_MONTH_FIRST = re.compile(r"(?:olmo|tulu|molmo|command)")
"""Families of Ai2 and Cohere, which write `0425` for April 2025; everybody else means a day of April."""
_DATES = (
    (_ISO, r"\1-\2-\3"),
    (_EIGHT, r"\1-\2-\3"),
    (_SIX, r"20\1-\2-\3"),
    (_MONTH_YEAR, r"\2-\1"),
    (_YEAR_MONTH, r"20\1-\2"),
    (_MONTH_DAY, r"\1-\2"),
)


def is_date(text: str) -> bool:
    """Return whether a text is a whole date: `20241022`, `2024-10-22`."""
    return bool(_EIGHT.fullmatch(text) or _ISO.fullmatch(text))


def without_dates(name: str, found: Found) -> str:
    """Take away the first date, of the most telling form that is there."""
    dates = _DATES if not _MONTH_FIRST.match(name) else ((_SHORT_MONTH_YEAR, r"20\2-\1"), *_DATES)
    for pattern, template in dates:
        if match := pattern.search(name):
            found.snapshot = match.expand(template)
            return f"{name[: match.start()]} {name[match.end() :]}"
    return name
