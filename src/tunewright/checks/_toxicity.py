"""Hateful language: where a group or a slur stands, and what is said of it."""

import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._toxicity_signs import ARTICLES, SIZE, signs, skeleton
from tunewright.checks._toxicity_words import lexicon, mended, pieces

_WORDS = re.compile(r"[^\W\d_]+")
# A figure or sign for a letter, within a word or before it; the set of signs first, which `re` finds quickly.
_LEETED = re.compile(r"[0134578@$!|*](?:(?<=[^\W\d_].)[\w@$!|*]{0,30}[^\W\d_]|(?<!\w.)[A-Za-z@$]{2})")
_LETTERS = re.compile(r"\b[^\W\d_](?:[ .*_-][^\W\d_]\b){3,}")
_ABOUT = frozenset(("GROUP", "SLUR", "SOFT"))
_HOSTILE = frozenset(
    ("HATE", "SICKEN", "VERMIN", "CRIME", "EXPEL", "PROFANE", "SLUR", "SOFT", "KILL", "BAD", "DIE")
)
_DENIED = frozenset(("NOT", "WITHOUT"))
_OWED = frozenset(("RIGHTS", "WARM", "DESERVE", "HOME"))
_HERE = 24
_PLACES = 12


class Hateful(NamedTuple):
    """A sentence that the model takes for hateful: where, how sure it is, and what stands there."""

    start: int
    end: int
    sure: float
    slur: bool


class Model(NamedTuple):
    """One weight per hashed sign."""

    weights: NDArray[np.float32]
    bias: float


def words_of(text: str) -> list[str]:
    """The words of a text in small letters."""
    return _WORDS.findall(text.lower())


def hateful(text: str, shown: list[str], least: float = 0.5) -> list[Hateful]:
    """The sentences of a text that are hateful of a group or use a slur with at least this probability.

    `shown` is what `words_of` says of it.
    """
    found: list[Hateful] = []
    for place, sure in _judged(text, shown):
        if sure < least:
            continue
        if found and place.start < found[-1].end:
            if sure > found[-1].sure:
                found[-1] = Hateful(place.start, place.end, sure, place.slur or found[-1].slur)
            continue
        found.append(Hateful(place.start, place.end, sure, place.slur))
    return found


def hatefulness(texts: Sequence[str]) -> list[float]:
    """The highest probability of any sentence of each text; 0 when no group or slur stands in it."""
    return [max((sure for _, sure in _judged(text, words_of(text))), default=0.0) for text in texts]


def windows(text: str) -> list[list[str]]:
    """The roles around every group and slur of a text: what the model judges, and is trained on."""
    return [place.roles for place in _places(text, words_of(text))]


class _Place(NamedTuple):
    start: int
    end: int
    roles: list[str]
    slur: bool


def _judged(text: str, shown: list[str]) -> Iterator[tuple[_Place, float]]:
    weights, bias = model()
    for place in _places(text, shown):
        total = float(weights[signs(place.roles)].sum()) + bias
        sure = 1.0 / (1.0 + math.exp(-max(min(total, 50.0), -50.0)))
        yield place, sure if sure >= 0.7 or _telling(place.roles) else sure * 0.25


def _telling(roles: list[str]) -> bool:
    """Whether anything hostile is said at all, or something owed or kind is denied or asked about."""
    said = set(roles)
    return not _HOSTILE.isdisjoint(said) or (not _DENIED.isdisjoint(said) and not _OWED.isdisjoint(said))


def _places(text: str, shown: list[str]) -> list[_Place]:
    unknown = set(shown) - _seen()
    if not _plain(shown) and not _hidden(text, shown, unknown):
        return []
    words = list(pieces(text))
    if unknown or _LEETED.search(text):
        words = mended(words)
    return list(_around(skeleton(words)))[:_PLACES]


def _hidden(text: str, shown: list[str], unknown: set[str]) -> bool:
    """Whether a group or a slur stands there in letters that a plain look does not see."""
    about, lex = _anchors(), lexicon()
    if _LEETED.search(text) and any(word.read in about for word in pieces(text)):
        return True
    if not unknown:
        return False
    if any(lex.variants.get(word, "") in about for word in unknown):
        return True
    if any(len(word) >= 8 and _glued().search(word) for word in unknown):
        return True
    if any(
        _glued().search("".join(_WORDS.findall(match.group().lower()))) for match in _LETTERS.finditer(text)
    ):
        return True
    odd = [at for at, word in enumerate(shown) if word in unknown]
    pairs = {(low, low + 1) for at in odd for low in (at - 1, at) if 0 <= low < len(shown) - 1}
    return any(shown[low] + shown[high] in about for low, high in pairs)


def _around(roles: list[tuple[str, int, int]]) -> Iterator[_Place]:
    """For every sentence that names a group or a slur: itself, the one before and the one after."""
    ends = [at for at, (role, _, _) in enumerate(roles) if role in (".", "?")]
    starts = [0, *(end + 1 for end in ends)]
    bounds = [(a, b + 1) for a, b in zip(starts, ends, strict=False)]
    if starts[-1] < len(roles):
        bounds.append((starts[-1], len(roles)))
    for at, (first, last) in enumerate(bounds):
        about = [place for place in range(first, last) if roles[place][0] in _ABOUT]
        if not about:
            continue
        low, high = max(first, about[0] - _HERE), min(last, about[-1] + _HERE)
        before = bounds[at - 1][0] if at and low == first else low
        after = bounds[at + 1][1] if at + 1 < len(bounds) and high == last else high
        before, after = max(before, low - _HERE // 2), min(after, high + _HERE // 2)
        seen = [role for role, _, _ in roles[before:after]]
        slur = any(roles[place][0] != "GROUP" for place in about)
        yield _Place(roles[low][1], roles[high - 1][2], seen, slur)


def _plain(shown: list[str]) -> bool:
    """Whether a group or a slur stands there in plain letters: `gay people`, but not `a black cat`."""
    if not _nouns().isdisjoint(shown):
        return True
    adjectives = lexicon().members["IDENTITY"]
    if adjectives.isdisjoint(shown):
        return False
    people = lexicon().members["PERSON"]
    return any(
        (two in adjectives and one in ARTICLES) or (one in adjectives and two in people)
        for one, two in pairwise(shown)
    )


@cache
def _nouns() -> frozenset[str]:
    """Words for groups, slurs, and the longest word of each phrase that is one."""
    lex = lexicon()
    words = {word for word, tag in lex.tags.items() if tag in _ABOUT}
    phrases = [phrase for several in lex.phrases.values() for phrase, tag in several if tag in _ABOUT]
    covered = words | lex.members["IDENTITY"]
    return frozenset(
        words | {max(reversed(phrase), key=len) for phrase in phrases if covered.isdisjoint(phrase)}
    )


@cache
def _anchors() -> frozenset[str]:
    return _nouns() | frozenset(word for word, tag in lexicon().tags.items() if tag == "IDENTITY")


@cache
def _seen() -> frozenset[str]:
    """Words that need no second look."""
    return lexicon().known | frozenset(lexicon().tags) | frozenset(["s", "t", "d", "ll", "re", "ve", "m"])


@cache
def _glued() -> re.Pattern[str]:
    lex = lexicon()
    return re.compile(
        "|".join(sorted((w for w in _anchors() if len(w) >= 4 and w in lex.tags), key=len, reverse=True))
    )


@cache
def model() -> Model:
    """The weights, from the package; nothing is unpickled."""
    path = files("tunewright.checks") / "weights" / "toxicity.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        weights = stored["weights"].astype(np.float32)
        if len(weights) != SIZE:
            raise ValueError(f"weights/toxicity.npz holds {len(weights)} weights where {SIZE} are expected")
        return Model(weights, float(stored["bias"][0]))
