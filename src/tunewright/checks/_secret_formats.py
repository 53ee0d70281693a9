"""The table of key formats, and how a line of it becomes an expression."""

import re
from collections import Counter
from functools import cache
from importlib.resources import files
from math import log2
from typing import NamedTuple

_CLASSES = {
    "w": "A-Za-z0-9",
    "W": "A-Za-z0-9_-",
    "v": "A-Za-z0-9_",
    "l": "a-z0-9",
    "L": "a-z0-9_-",
    "m": "a-z0-9-",
    "U": "A-Z0-9",
    "M": "A-Z0-9-",
    "D": "A-Za-z0-9-",
    "h": "0-9a-f",
    "x": "0-9A-Fa-f",
    "d": "0-9",
    "a": "A-Za-z",
    "c": "a-z",
    "b": "A-Za-z0-9+/",
    "t": "A-Za-z0-9._-",
    "A": "A-Za-z0-9_.",
    "e": "A-Za-z0-9_.~-",
    "s": "A-Za-z0-9+/_=.%~-",
    "p": "A-Za-z0-9./",
    "P": "A-Za-z0-9%",
}
_UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_PART = re.compile(r"\{(\w)(\d+)?(?:,(\d+))?\}|\(([^)]+)\)|([^{(]+)")
HEX = frozenset("0123456789abcdefABCDEF")


class Format(NamedTuple):
    """How the keys of one service look. `sure` when the written-out part alone tells; `begins` when only the
    beginning is asked for, because services lengthen their keys."""

    service: str
    shape: str
    words: str
    regex: str
    sure: bool
    begins: bool = False


@cache
def formats() -> tuple[Format, ...]:
    """Every line of the table; those that tell by themselves first, the longest written-out part first."""
    table = (files("tunewright.checks") / "formats" / "keys.tsv").read_text("utf-8")
    made = []
    for line in table.splitlines():
        if line and not line.startswith("#"):
            service, shape, words = [*line.split("\t"), ""][:3]
            made.append((_written(shape), Format(service, shape, words, *_expression(shape, words))))
    made.sort(key=lambda one: (bool(one[1].words), -one[0], one[1].service))
    return tuple(one for _, one in made)


@cache
def beginnings() -> tuple[Format, ...]:
    """The same services less strictly: a telling beginning before sixteen random signs or more, and the name
    of a service that something random is assigned to."""
    made = dict[str, Format]()
    for one in formats():
        plain = re.split(r"[{(]", one.shape)[0]
        telling = len(plain) >= 3 and plain[-1] in "_-." and "/" not in plain
        telling = telling and not _COMMON.fullmatch(plain[:-1])
        if one.words:
            shape, regex = "assigned", _names(one.words) + _ASSIGNED
            made.setdefault(one.words, Format(one.service, shape, one.words, regex, False, True))
        elif telling and plain not in made:
            edge = "(?<![A-Za-z0-9_-])" if plain[0].isalnum() else ""
            regex = f"{edge}({re.escape(plain)}[A-Za-z0-9_.-]{{16,400}}={{0,2}})"
            made[plain] = Format(one.service, f"{plain}…", "", regex, False, True)
    return tuple(made.values())


_COMMON = re.compile(
    "api|access|test|live|key|secret|app|web|server|mobile|sdk|mob|rel|st|v1|console|dataset|project|sandbox"
    "|cal|sub-c|pub-c|act|cus"
)
_ASSIGNED = (
    r"[\w .-]{0,24}[\"']?\]?[ \t]{0,3}(?::{1,3}=|=>|\?=|\|\||[:=>,])[\"'` \t=]{0,5}"
    r"([A-Za-z0-9_-]{16,120}={0,2})"
)


def near(words: str) -> str:
    """What every expression with these words needs: one of them and, on its line, something like a key. One
    such pattern instead of all of them keeps what is looked for in the first pass small."""
    shapes = [one.shape for one in formats() if one.words == words]
    plain = all(re.fullmatch(r"(?:\{[wWvlLmUMDhxdacg][\d,]*\}|[\w=-])+", shape) for shape in shapes)
    signs = "A-Za-z0-9_-" if plain else "A-Za-z0-9_./+=|:$@~%-"
    return rf"{_names(words)}[^\n]{{0,90}}?[{signs}]{{15}}"


def _names(words: str) -> str:
    each = "|".join(re.escape(w) if len(w) > 6 else f"(?<![A-Za-z]){re.escape(w)}" for w in words.split("|"))
    return f"(?i:{each})"


def _written(shape: str) -> int:
    """How many letters and digits of a shape are written out."""
    return sum(len(re.sub(r"[\W_]", "", m[4] or (m[3] or "").split("|")[0])) for m in _parts(shape))


def _parts(shape: str) -> list[tuple[str, str, str, str, str]]:
    return [tuple(p) for p in _PART.findall(shape)]


def _expression(shape: str, words: str) -> tuple[str, bool]:
    body = ""
    for kind, least, most, either, plain in _parts(shape):
        if kind == "g":
            body += _UUID
        elif kind:
            body += f"[{_CLASSES[kind]}]{{{least}{',' + most if most else ''}}}"
        elif either:
            body += f"(?:{'|'.join(map(re.escape, either.split('|')))})"
        else:
            body += re.escape(plain)
    first = _parts(shape)[0]
    edge = "(?<![A-Za-z0-9_-])" if first[0] or first[3] or first[4][0].isalnum() else ""
    body = f"{edge}({body})(?![A-Za-z0-9_-])"
    if not words:
        return body, _written(shape) + ("_" in shape) >= 3 + ("{h" in shape or "{l" in shape)
    return rf"{_names(words)}[^\n]{{0,40}}?{body}", False


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


_RUN = re.compile(r"(.)\1{4}|x{4}|\*{3}|\.{3}|…|0123456789|12345678|abcdefgh", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{3,}|[A-Z][a-z]{2,}")


def random(text: str) -> bool:
    """Random enough to be a key: letters and digits, no runs, few words, and enough entropy per character.

    The floor is 2.8 bits for hexadecimal and 3.2 for the rest; a string of n signs cannot have more than
    log2(n), so that short ones need nearly as much as they can have.
    """
    if _RUN.search(text) or not any(c.isdigit() for c in text) or not any(c.isalpha() for c in text):
        return False
    floor = 2.8 if set(text) - {"-"} <= HEX else 3.2
    return entropy(text) >= min(floor, 0.85 * log2(len(text)))


def wordy(text: str) -> bool:
    """Made of words, such as `my-long-branch-name-2` or `TableOfContents12`: most letters are in runs that
    hold vowels as words do."""
    letters = sum(c.isalpha() for c in text)
    if letters * 10 < len(text) * 6:
        return False
    inside = sum(len(m) for m in _WORD.findall(text) if 0.2 <= _vowels(m) <= 0.7)
    return inside * 4 >= letters * 3


def _vowels(word: str) -> float:
    return sum(c in "aeiouyAEIOUY" for c in word) / len(word)
