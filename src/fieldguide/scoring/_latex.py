r"""Rewrites of a written answer that keep its meaning: wrappers, spacing and spellings go, the mathematics stays.

Units stay recognisable: what stood in `\text{…}` is kept between two private characters until `without_unit` has
looked at it.
"""

from __future__ import annotations

import re

from fieldguide.scoring.boxed import closing_brace

_TEXT_OPEN, _TEXT_CLOSE = "\ue000", "\ue001"

_SPELLINGS: dict[str, str] = {
    **dict.fromkeys("−–—﹣‐‑", "-"),
    **dict.fromkeys("\u00a0\u2009\u202f\u2002\u2003\u2007\u200b\t\r\n", " "),
    **{digit: f"^{{{power}}}" for power, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{digit: f"_{{{index}}}" for index, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{chr(full_width): chr(full_width - 0xFEE0) for full_width in range(0xFF01, 0xFF5F)},
    **{sign: rf"\frac{{{top}}}{{{bottom}}}" for sign, top, bottom in zip("½⅓⅔¼¾⅕⅙⅛", "11213111", "23344568")},
    **dict.fromkeys("÷⁄∕", "/"),
    **dict.fromkeys("·⋅∙", r"\cdot "),
    **dict.fromkeys("€£", ""),
    **dict.fromkeys("′’", "'"),
    "×": r"\times ",
    "±": r"\pm ",
    "∞": r"\infty ",
    "π": r"\pi ",
    "θ": r"\theta ",
    "α": r"\alpha ",
    "β": r"\beta ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "≠": r"\ne ",
    "∪": r"\cup ",
    "∩": r"\cap ",
    "∈": r"\in ",
    "∅": r"\emptyset ",
    "°": r"^\circ",
}
_CHARACTERS = str.maketrans(_SPELLINGS)
_ROOT_SIGN = re.compile(r"√\s*(?:\((?P<group>[^()]*)\)|(?P<one>\d+(?:\.\d+)?|[a-zA-Z]))")
_TEXT_COMMAND = re.compile(r"\\(?:text|mbox|mathrm|textbf|textrm|textit|mathbf|operatorname|rm)\s*\{")
_PLAIN_ROOT = re.compile(r"(?<![\\a-zA-Z])sqrt\s*\((?P<group>[^()]*)\)")
_DROPPED = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|nolimits|bf|rm)(?![a-zA-Z])\.?"
    r"|(?<!\\)\\!\s*|(?<!\\)\\[()\[\]$]|\$|\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})|\\degrees?(?![a-zA-Z])"
    r"|\\phantom\{[^{}]*\}"
)
_SPACES = re.compile(r"(?<!\\)\\(?:[,;:> ]|q?quad(?![a-zA-Z]))|~")
_SPELLING = re.compile(
    r"\\(?:(?P<fraction>[dtc]frac)|(?P<relation>[lgn]e)q|(?P<strict>[lg]t)|(?P<brace>[lr])brace)(?![a-zA-Z])"
)
_ESCAPED_TWICE = re.compile(r"\\\\(?=[a-zA-Z]{2})")
_GROUPED_DIGITS = re.compile(r"(?<=\d) (?=\d{3}(?:\D|$))(?!\d{3}\s*/)")
_ARGUMENT = r"\d|[a-zA-Z]|\\pi(?![a-zA-Z])|\{[^{}]*\}"
_FRACTION_ARGUMENTS = re.compile(rf"\\frac\s*(?P<top>{_ARGUMENT})\s*(?P<bottom>{_ARGUMENT})")
_ROOT_ARGUMENT = re.compile(r"\\sqrt\s*(?P<one>\d|[a-zA-Z])")
_LONE_BRACES = re.compile(r"(?<=[\^_])\{(\w)\}")
_RELATIONS = ((">=", r"\ge "), ("<=", r"\le "), ("!=", r"\ne "))
_STARTS, _ENDS = " ;:,\n", " .;:,\n"


def cleaned(text: str) -> str:
    r"""Return the answer in one spelling: no `$`, `\left`, spacing or degrees, `\frac` for its kin, ASCII signs."""
    if not text.isascii():
        text = _ROOT_SIGN.sub(lambda root: rf"\sqrt{{{root['group'] or root['one']}}}", text).translate(_CHARACTERS)
    text = _stripped(text)
    if "\\" in text:
        text = _cleaned_latex(text)
    text = text.replace("$", "").replace("**", "").replace("`", "").replace("{,}", ",")
    for sign, spelling in _RELATIONS:
        if sign in text:
            text = text.replace(sign, spelling)
    if "sqrt(" in text or "sqrt (" in text:
        text = _PLAIN_ROOT.sub(lambda root: rf"\sqrt{{{root['group']}}}", text)
    if " " in text or "\n" in text or "\t" in text:
        text = _GROUPED_DIGITS.sub("", " ".join(text.split()))
    return _stripped(text)


def _cleaned_latex(text: str) -> str:
    if r"\begin" not in text:
        text = _ESCAPED_TWICE.sub(r"\\", text)
    text = _marked_text(_without_box(text))
    text = _SPACES.sub(" ", _DROPPED.sub("", text)).replace(r"\%", "%")
    text = _SPELLING.sub(_one_spelling, text)
    text = _FRACTION_ARGUMENTS.sub(_braced_fraction, text)
    return _ROOT_ARGUMENT.sub(lambda root: rf"\sqrt{{{root['one']}}}", text)


def compact(text: str) -> str:
    r"""Return a cleaned answer as a key for comparison: no spaces, no text marks, `x^{2}` as `x^2`."""
    text = re.sub(r"(\\[a-zA-Z]+) (?=[a-zA-Z])", "\\1\ue002", unmarked(text))
    return _LONE_BRACES.sub(r"\1", text.replace(" ", "").replace("\ue002", " "))


def unmarked(text: str) -> str:
    r"""Return a cleaned answer with the words of its `\text{…}` as plain words."""
    return _stripped(text.replace(_TEXT_OPEN, "").replace(_TEXT_CLOSE, ""))


def split_top(text: str, separator: str = ",") -> list[str]:
    """Return the parts of `text` between separators that stand outside all brackets, stripped."""
    parts, depth, start, index = [], 0, 0, 0
    while index < len(text):
        character = text[index]
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif character == separator and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
        index += 1
    parts.append(text[start:].strip())
    return parts


_WORD_ABBREVIATIONS = "cm|mm|km|dm|nm|ft|in|yd|mi|kg|mg|lb|lbs|oz|ml|hr|hrs|min|mins|sec|mph|kph|sq|cu|rad|rads|deg"
_NO_UNIT = "and|or|base|mod|sin|cos|tan|cot|sec|csc|log|exp|sqrt|frac|cdot|times|div|inf|infty|max|min|gcd|lcm|arc\\w+"
_UNIT_WORD = rf"(?:(?:{_WORD_ABBREVIATIONS})\b\.?|(?!(?:{_NO_UNIT})\b)(?=[b-z]*[aeiou])[a-zA-Z]{{3,}}\.?)"
_UNIT = re.compile(
    rf"(?P<value>.*[\d)}}%])\s*(?:"
    rf"{_TEXT_OPEN}\s*-?(?!(?:{_NO_UNIT})\b)[a-zA-Z][^{_TEXT_OPEN}{_TEXT_CLOSE}\d]*[23]?{_TEXT_CLOSE}"
    rf"|[ -]\s*{_UNIT_WORD}(?:(?:\s*/\s*|\s+)(?:{_UNIT_WORD}|per|of|a))*"
    rf")\s*(?:\^\s*\{{?-?[23]\}}?)?\s*$",
    re.DOTALL,
)


def without_unit(text: str) -> tuple[str, str]:
    r"""Return a cleaned answer without the unit behind it, and the unit (empty where there is none).

    A unit is `\text{…}` or plain words after a number or a closing bracket: `15\text{ cm}^2`, `40 daps`, `3\sqrt{2}
    inches`. Names of functions and joining words are none.
    """
    found = _UNIT.match(text) if len(text) < 300 else None
    if found is None:
        return text, ""
    return found["value"].strip(), unmarked(text[found.end("value") :]).strip()


def _without_box(text: str) -> str:
    for command in (r"\boxed", r"\fbox"):
        inner = text.strip("$ ")
        opening = len(command)
        if inner.startswith(command + "{") and closing_brace(inner, opening) == len(inner) - 1:
            return _stripped(inner[opening + 1 : -1])
    return text


def _stripped(text: str) -> str:
    return text.lstrip(_STARTS).rstrip(_ENDS)


def _marked_text(text: str) -> str:
    """Put the contents of text commands between the private marks, so that words stay apart from symbols."""
    pieces, position = [], 0
    for command in _TEXT_COMMAND.finditer(text):
        if command.start() < position:
            continue
        end = closing_brace(text, command.end() - 1)
        if end is None:
            break
        pieces += [text[position : command.start()], _TEXT_OPEN, text[command.end() : end], _TEXT_CLOSE]
        position = end + 1
    return "".join([*pieces, text[position:]])


def _one_spelling(command: re.Match[str]) -> str:
    if command["fraction"]:
        return r"\frac"
    if command["relation"]:
        return rf"\{command['relation']} "
    if command["strict"]:
        return "<" if command["strict"] == "lt" else ">"
    return r"\{" if command["brace"] == "l" else r"\}"


def _braced_fraction(fraction: re.Match[str]) -> str:
    top, bottom = (part if part.startswith("{") else f"{{{part}}}" for part in (fraction["top"], fraction["bottom"]))
    return rf"\frac{top}{bottom}"
