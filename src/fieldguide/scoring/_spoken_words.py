"""A text as the words that are compared when transcripts are judged, by the usual normalisation."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

from fieldguide.scoring._spoken_numbers import numbers_in_figures

_UNPARTED = frozenset({"zh", "yue", "ja", "th", "lo", "my"})
"""Languages that do not part words: their characters are compared instead."""
_BRACKETED = (re.compile(r"[<\[][^>\]]*[>\]]"), re.compile(r"\(([^)]+?)\)"))
_FILLERS = re.compile(r"\b(hmm|mm|mhm|mmm|uh|um)\b")
_APOSTROPHE_APART = re.compile(r"\s+'")
_WRITTEN_OUT = tuple(
    (re.compile(pattern), spoken)
    for pattern, spoken in (
        (r"\bwon't\b", "will not"),
        (r"\bcan't\b", "can not"),
        (r"\blet's\b", "let us"),
        (r"\bain't\b", "aint"),
        (r"\by'all\b", "you all"),
        (r"\bwanna\b", "want to"),
        (r"\bgotta\b", "got to"),
        (r"\bgonna\b", "going to"),
        (r"\bi'ma\b", "i am going to"),
        (r"\bimma\b", "i am going to"),
        (r"\bwoulda\b", "would have"),
        (r"\bcoulda\b", "could have"),
        (r"\bshoulda\b", "should have"),
        (r"\bma'am\b", "madam"),
        (r"\bmr\b", "mister "),
        (r"\bmrs\b", "missus "),
        (r"\bst\b", "saint "),
        (r"\bdr\b", "doctor "),
        (r"\bprof\b", "professor "),
        (r"\bcapt\b", "captain "),
        (r"\bgov\b", "governor "),
        (r"\bald\b", "alderman "),
        (r"\bgen\b", "general "),
        (r"\bsen\b", "senator "),
        (r"\brep\b", "representative "),
        (r"\bpres\b", "president "),
        (r"\brev\b", "reverend "),
        (r"\bhon\b", "honorable "),
        (r"\basst\b", "assistant "),
        (r"\bassoc\b", "associate "),
        (r"\blt\b", "lieutenant "),
        (r"\bcol\b", "colonel "),
        (r"\bjr\b", "junior "),
        (r"\bsr\b", "senior "),
        (r"\besq\b", "esquire "),
        (r"'d been\b", " had been"),
        (r"'s been\b", " has been"),
        (r"'d gone\b", " had gone"),
        (r"'s gone\b", " has gone"),
        (r"'d done\b", " had done"),
        (r"'s got\b", " has got"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'s\b", " is"),
        (r"'d\b", " would"),
        (r"'ll\b", " will"),
        (r"'t\b", " not"),
        (r"'ve\b", " have"),
        (r"'m\b", " am"),
    )
)
_LETTERS = {
    "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "th", "ł": "l", "Ł": "L",
}  # fmt: skip
"""Letters that do not come apart into a plain one and a mark."""
_OF_NUMBERS = ".%$¢€£"
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")


def spoken_words(text: str, *, language: str | None = "en") -> list[str]:
    """Return the words of a text as they are compared, after the normalisation of Whisper's authors.

    Small letters; what stands in brackets is left out; marks, symbols and punctuation part words. In English, fillers
    go, contractions and titles are written out, numbers become figures, British spelling American. Languages that do
    not part words come in characters. Unlike there, a curly apostrophe is the straight one.

    Args:
        text: What was said, or a transcript of it.
        language: ISO 639-1 code; None is any language but English.

    References:
        Radford et al. 2022, arXiv:2212.04356, appendix C; openai/whisper, whisper/normalizers (MIT).
    """
    text = text.translate(_APOSTROPHES).lower()
    for pattern in _BRACKETED:
        text = pattern.sub("", text)
    if language == "en":
        return _english(text).split()
    plain = "".join(" " if _is_sign(char) else char for char in unicodedata.normalize("NFKC", text)).lower()
    return [*"".join(plain.split())] if language in _UNPARTED else plain.split()


def _english(text: str) -> str:
    text = _APOSTROPHE_APART.sub("'", _FILLERS.sub("", text))
    for pattern, spoken in _WRITTEN_OUT:
        text = pattern.sub(spoken, text)
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    text = re.sub(r"\.([^0-9]|$)", r" \1", text)
    text = numbers_in_figures("".join(map(_plain, unicodedata.normalize("NFKD", text))))
    text = " ".join(_american().get(word, word) for word in text.split())
    text = re.sub(r"[.$¢€£]([^0-9])", r" \1", text)
    return re.sub(r"([^0-9])%", r"\1 ", text)


def _plain(char: str) -> str:
    """Return a letter without its mark, and a blank for a sign that belongs to no number."""
    if char in _OF_NUMBERS:
        return char
    if char in _LETTERS:
        return _LETTERS[char]
    return "" if unicodedata.category(char) == "Mn" else " " if _is_sign(char) else char


def _is_sign(char: str) -> bool:
    """Whether it is a mark, a symbol or punctuation."""
    return unicodedata.category(char)[0] in "MSP"


@cache
def _american() -> dict[str, str]:
    """Return the American spelling of British words."""
    lines = files("fieldguide.scoring").joinpath("british_spellings.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {british: american for british, _, american in pairs}
