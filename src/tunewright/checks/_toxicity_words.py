"""Words that tell of toxic language, and what a text looks like through them.

`weights/toxicity_words.txt` holds them by what they do in a sentence (it is an offensive read):

    GROUP     people of a protected group              IDENTITY  its adjective, a group only before PERSON
    SLUR      a slur (`~` in the file: SOFT, a slur only beside a person)
    HATE SICKEN BAD VERMIN CRIME KILL DIE EXPEL        what is done to or said of people in hate
    RIGHTS WARM                                        what people are owed, and kind words
    CONDEMN SAY PEER                                   counter-speech, reported speech, speech about oneself
    PROFANE INSULT SEXUAL                              used by the rules for the other kinds
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np


class Word(NamedTuple):
    """One word as it is read, and where it stands in the text."""

    start: int
    end: int
    read: str


class Lexicon(NamedTuple):
    """Phrases by their first word, longest first; single words; misspellings; ordinary words."""

    phrases: dict[str, list[tuple[tuple[str, ...], str]]]
    tags: dict[str, str]
    variants: dict[str, str]
    known: frozenset[str]
    members: dict[str, frozenset[str]]


_ORDER = (
    "SLUR SOFT GROUP IDENTITY PERSON SICKEN HATE KILL EXPEL VERMIN CRIME BAD DIE CONDEMN RIGHTS WARM PEER "
    "SAY PROFANE INSULT SEXUAL"
)
PIECE = re.compile(r"\w(?:[\w@$*'’|!-]*\w)?|[.?!]+|[\"“”«»„]|\n+")
_SECTION = re.compile(r"^\[", re.MULTILINE)
_LEET = str.maketrans("0134578@$!|", "oieastbasil")
_LEAST = {
    "SLUR": 6,
    "SOFT": 99,
    "PROFANE": 99,
    "INSULT": 99,
    "SEXUAL": 99,
    "SAY": 99,
    "PEER": 99,
    "HATE": 4,
    "KILL": 4,
}
"""From how many letters on a word's misspellings are known: short ones are other words and names."""
_TELLING = frozenset("GROUP SLUR SOFT IDENTITY HATE BAD VERMIN CRIME KILL EXPEL DIE".split())  # noqa: SIM905
_ENDINGS = ("n't", "'s", "'re", "'m", "'ll", "'d", "'ve")


@cache
def lexicon() -> Lexicon:
    """The words, read once."""
    folder = files("tunewright.checks") / "weights"
    text = (folder / "toxicity_words.txt").read_text("utf-8")
    members: dict[str, set[str]] = {name: set() for name in _ORDER.split()}
    for section in _SECTION.split(text)[1:]:
        tag, _, listed = section.partition("]")
        for phrase in filter(None, (" ".join(part.split()) for part in listed.split(","))):
            soft = phrase.endswith("~")
            members["SOFT" if soft and tag == "SLUR" else tag].add(phrase.rstrip("~"))
    tags: dict[str, str] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name in _ORDER.split():
        for phrase in sorted(members[name]):
            words = tuple(word.read for word in pieces(phrase))
            if len(words) == 1:
                tags.setdefault(words[0], name)
            else:
                phrases.setdefault(words[0], []).append((words, name))
    for several in phrases.values():
        several.sort(key=lambda item: -len(item[0]))
    known = _ordinary()
    variants: dict[str, str] = {}
    for word, name in tags.items():
        if len(word) >= _LEAST.get(name, 5):
            for wrong in _misspelt(word):
                if wrong not in known and wrong not in tags:
                    variants.setdefault(wrong, word)
    return Lexicon(phrases, tags, variants, known, {k: frozenset(v) for k, v in members.items()})


def pieces(text: str) -> Iterator[Word]:
    """Words, ends of sentences and quotation marks in small letters; figures read as letters."""
    for match in PIECE.finditer(text):
        start, end = match.span()
        word = match.group().lower().replace("’", "'")
        if word.isalpha() or not word[0].isalnum():
            yield Word(start, end, word)
        elif "'" in word or "-" in word:
            yield from _parted(word, start)
        elif any(sign.isalpha() for sign in word):
            yield Word(start, end, word.translate(_LEET) if "_" not in word else word)
        else:
            yield Word(start, end, "0")


def _parted(word: str, start: int) -> Iterator[Word]:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            cut = start + len(word) - len(ending)
            yield Word(start, cut, word[: -len(ending)])
            yield Word(cut, start + len(word), ending)
            return
    at = start
    for part in re.split(r"(['-])", word):
        if part and part not in "'-":
            yield Word(at, at + len(part), part.translate(_LEET) if not part.isdigit() else "0")
        at += len(part)


def mended(words: list[Word]) -> list[Word]:
    """Words with letters left out or swapped, spaces put in or left out, as they were meant.

    Only where the outcome is a word of the lexicon and what stands there is no ordinary word.
    """
    lex = lexicon()
    out: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        joined = _joined(words, at, lex)
        if joined:
            out.append(joined[0])
            at += joined[1]
            continue
        if not word.read.isalpha() or word.read in lex.tags or word.read in lex.known:
            out.append(word)
        elif word.read in lex.variants:
            out.append(word._replace(read=lex.variants[word.read]))
        elif 8 <= len(word.read) <= 80 and (parts := _apart(word.read, lex)):
            place = word.start
            for part in parts:
                out.append(Word(min(place, word.end), min(place + len(part), word.end), part))
                place += len(part)
        else:
            out.append(word)
        at += 1
    return out


def _joined(words: list[Word], at: int, lex: Lexicon) -> tuple[Word, int] | None:
    """A word of the lexicon with spaces in it, and over how many pieces it goes."""
    first = words[at]
    if not first.read.isalpha() or len(first.read) > 8:
        return None
    text, odd = first.read, first.read not in lex.known or len(first.read) == 1
    best = None
    for count, word in enumerate(words[at + 1 : at + 12], 2):
        if (
            not word.read.isalpha()
            or len(text) + len(word.read) > 16
            or word.start - words[at + count - 2].end > 2
        ):
            break
        text += word.read
        odd = odd or word.read not in lex.known or len(word.read) == 1
        if (
            odd
            and len(text) >= 4
            and lex.tags.get(text) in _TELLING
            and (count == 2 or len(text) <= count * 3)
        ):
            best = (Word(first.start, word.end, text), count)
    if best and best[1] == 2 and first.read in ("a", "i") and words[at + 1].read in lex.known:
        return None
    return best


def _apart(text: str, lex: Lexicon) -> list[str]:
    """Words written without spaces, fewest first, when one of them is a person's group or a slur."""
    length = len(text)
    cost = [0.0] + [1e9] * length
    back = [0] * (length + 1)
    for end in range(1, length + 1):
        for start in range(max(0, end - 14), end):
            part = text[start:end]
            price = 1.0 if part in lex.tags else 1.4 if part in lex.known else 1e9
            if len(part) == 1 and part not in ("a", "i"):
                price = 1e9
            if len(part) == 2 and part not in _SHORT:
                price = 1e9
            if cost[start] + price < cost[end]:
                cost[end], back[end] = cost[start] + price, start
    if cost[length] >= 1e9 or cost[length] > length / 2.2:
        return []
    parts: list[str] = []
    at = length
    while at:
        parts.append(text[back[at] : at])
        at = back[at]
    parts.reverse()
    return parts if any(lex.tags.get(part) in _TELLING for part in parts) else []


_SHORT = frozenset(
    "am an as at be by do go he if in is it me my no of on or so to up us we ok".split()  # noqa: SIM905
)


def _misspelt(word: str) -> Iterator[str]:
    """One letter left out (not the first), or two neighbours swapped."""
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]
    for at in range(len(word) - 1):
        if word[at] != word[at + 1]:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


@cache
def _ordinary() -> frozenset[str]:
    """Words that ordinary texts hold, so that none of them is taken for a misspelt slur."""
    path = files("tunewright.checks") / "weights" / "toxicity.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return frozenset(stored["words"].tobytes().decode("utf-8").split("\n"))
    except FileNotFoundError:  # while it is being trained
        return frozenset()
