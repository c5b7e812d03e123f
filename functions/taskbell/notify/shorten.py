"""Cuts text between what people see as characters, never within one.

In: text and a limit. Out: text. Pure. The boundaries are a conservative reading of Unicode's extended
grapheme clusters (UAX #29): where in doubt, no boundary, so that a cut may come early but never splits an
emoji, a flag, a syllable or an accent from its letter.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator

ELLIPSIS = "…"

_in_json = json.JSONEncoder(ensure_ascii=False).encode

_ZWJ = "\u200d"
_VIRAMA = 9
"""The combining class of signs that join the consonants of Indic scripts (UAX #29, rule GB9c)."""

_PREPENDED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\u1cf5\u1cf6"
    "\U000110bd\U000110cd\U000111c2\U000111c3\U000113d1\U0001193f\U00011941\U00011a3a"
    "\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
)
"""Signs that belong to what follows them (rule GB9b)."""


def graphemes(text: str) -> Iterator[str]:
    """Yield the characters of `text` as people see them; joined, they are `text`."""
    start = 0
    for at in range(1, len(text)):
        if _boundary(text, start, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def shorten(text: str, limit: int, cost: Callable[[str], int] | None = None) -> str:
    """Return `text` if its cost is at most `limit`, else as much as fits with an ellipsis.

    `cost` prices a text no higher than its parts together; without it, each grapheme costs 1. Where not even
    the ellipsis fits, nothing is left.
    """
    # Nearly every text fits as it is, and to tell that needs no look at its graphemes.
    if (cost or len)(text) <= limit:
        return text
    cost = cost or _one
    total, kept, room = 0, 0, limit - cost(ELLIPSIS)
    for grapheme in graphemes(text):
        total += cost(grapheme)
        if total > limit:
            return text[:kept].rstrip() + ELLIPSIS if room >= 0 else ""
        if total <= room:
            kept += len(grapheme)
    return text


def json_bytes(text: str) -> int:
    """Return how many bytes `text` takes within a JSON string in UTF-8."""
    return len(_in_json(text).encode("utf-8", "replace")) - 2


def one_line(text: str) -> str:
    """Return `text` in one line: white space and control characters become single spaces."""
    if text.isprintable():  # then its only white space is the plain space
        return " ".join(text.split())
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(plain.split())


def _one(_grapheme: str) -> int:
    return 1


def _boundary(text: str, start: int, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if before == "\r" and after == "\n":
        return False
    if _extends(after) or before == _ZWJ or before in _PREPENDED or _hangul(before, after):
        return False
    if unicodedata.category(after) == "Lo" and _joins_consonants(text, at):
        return False
    if _regional(before) and _regional(after):
        # Flags are pairs; `start` is where the current grapheme begins.
        return (at - start) % 2 == 0
    return True


def _extends(character: str) -> bool:
    """Whether it belongs to what stands before: accents, joiners, variation selectors, skin tones, tags."""
    return (
        # Cn: what this Python's Unicode does not know yet might be an accent.
        unicodedata.category(character) in ("Mn", "Mc", "Me", "Cn")
        or character in ("\u200c", _ZWJ, "\uff9e", "\uff9f")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or character in ("\u0e33", "\u0eb3")  # Thai and Lao AM, spacing marks by rule
    )


def _joins_consonants(text: str, at: int) -> bool:
    """Whether the marks that end before `at` hold a virama."""
    while at > 0 and _extends(text[at - 1]):
        if unicodedata.combining(text[at - 1]) == _VIRAMA:
            return True
        at -= 1
    return False


def _regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _hangul(before: str, after: str) -> bool:
    """Whether two Hangul characters form one syllable: leading, vowel and trailing jamo stay together."""
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    vowel_or_trailing = "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb"
    if leading:
        return (
            vowel_or_trailing
            or "\u1100" <= after <= "\u115f"
            or "\ua960" <= after <= "\ua97c"
            or "\uac00" <= after <= "\ud7a3"
        )
    syllable = (
        "\uac00" <= before <= "\ud7a3" or "\u1160" <= before <= "\u11ff" or "\ud7b0" <= before <= "\ud7fb"
    )
    return syllable and vowel_or_trailing
