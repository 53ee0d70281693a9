"""Threats, harassment, self-harm, sexual content and profanity: patterns behind a gate of words."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tunewright.checks._toxicity_words import lexicon
from tunewright.nouns import Severity


class Rule(NamedTuple):
    """A pattern, what it finds, how grave that is, and words one of which has to be in the text for it."""

    what: str
    severity: Severity
    sure: float
    note: str
    needs: frozenset[str]
    pattern: re.Pattern[str]


class Hit(NamedTuple):
    """What a rule found, and where."""

    start: int
    end: int
    what: str
    severity: Severity
    sure: float
    note: str
    rule: str


def _read() -> tuple[Rule, ...]:
    """The rules of `weights/toxicity_rules.txt`."""
    text = (files("tunewright.checks") / "weights" / "toxicity_rules.txt").read_text("utf-8")
    head, *blocks = ("\n" + text).split("\n[")[1:]
    fragments = [line.split(" ", 1) for line in head.splitlines()[1:] if line]
    rules = []
    for block in blocks:
        title, note, needs, *alternatives = (line for line in block.splitlines() if line)
        what, severity, sure = title.rstrip("]").split()
        pattern = "|".join(alternatives)
        for name, fragment in fragments:
            pattern = pattern.replace(f"<{name}>", fragment)
        words = frozenset(needs.split()[1:])
        known: Severity = "high" if severity == "high" else "medium"
        rules.append(Rule(what, known, float(sure), note.partition(" ")[2], words, re.compile(pattern)))
    return tuple(rules)


RULES = _read()

_STRONG_SEXUAL = """porn porno pornographic pornhub blowjob blowjobs handjob deepthroat gangbang cumshot
creampie bukkake hentai milf dildo dildos masturbate masturbating rimjob fellatio cunnilingus camgirl
onlyfans upskirt nsfw bestiality erotica horny nudes sexting"""
_WORD = re.compile(r"[^\W\d_]+(?:[*@$!][^\W\d_]+)?(?:'\w+)?")


def hits(text: str, shown: Iterable[str]) -> Iterator[Hit]:
    """What the rules find in one turn, in the order of the rules; then sexual words and profanity.

    `shown` are the words of the text in small letters.
    """
    present, words = frozenset(shown), _rude()
    if _needed().isdisjoint(present):
        return
    lower = text.lower().replace("’", "'")
    if len(lower) != len(text):  # a capital letter that has two small ones: places would shift
        lower = "".join(small if len(small := sign.lower()) == 1 else sign for sign in text)
    for number, rule in enumerate(RULES):
        if not rule.needs.isdisjoint(present):
            for _, match in zip(range(5), rule.pattern.finditer(lower), strict=False):
                yield Hit(*match.span(), rule.what, rule.severity, rule.sure, rule.note, f"rule {number + 1}")
    seen: dict[str, int] = {}
    if not words.isdisjoint(present):
        for match in _WORD.finditer(lower):
            kind = "sexual" if match.group() in _EXPLICIT else "profanity" if match.group() in words else ""
            if kind:
                seen[kind] = seen.get(kind, 0) + 1
                if seen[kind] <= 5:
                    note = "a word for sexual acts or content" if kind == "sexual" else "a swear word"
                    yield Hit(*match.span(), kind, "low", 0.6 if kind == "sexual" else 0.9, note, "word list")


@cache
def _rude() -> frozenset[str]:
    """Swear words, slurs and words for sexual acts that mean nothing else."""
    members = lexicon().members
    listed = members["PROFANE"] - _MILD - members["SOFT"]
    return frozenset(word for word in listed if " " not in word) | _EXPLICIT


@cache
def _needed() -> frozenset[str]:
    return _rude().union(*(rule.needs for rule in RULES))


_EXPLICIT = frozenset(_STRONG_SEXUAL.split())
_MILD_WORDS = (
    "crap damn prick pricks bugger bloody cock dick freaking effing tits con bordel verga hostia nique"
)
_MILD = frozenset(_MILD_WORDS.split())
