"""Recognises well-known datasets and the models that write data."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from tunewright.packs import Generator, Known, datasets, licences, terms

APART = re.compile(r"[,;+&|\n]|\s/\s|(?<!\w)(?:and|or)(?!\w)", re.IGNORECASE)
"""What stands between two generators in one field."""

LONGEST = 400
"""Characters of a generator field that are read."""


class Writer(NamedTuple):
    """A model that wrote data, and what binds what it writes."""

    said: str
    """As it was named."""
    kind: Literal["terms", "licence", "none", "unknown"]
    id: str = ""
    """A provider or a licence of the packs."""
    name: str = ""
    """Of that provider or licence."""


@lru_cache(maxsize=4096)
def writers(generator: str) -> tuple[Writer, ...]:
    """The models that a `generator` field names, and whose terms or licence bind their outputs.

    A name that the pack does not know gives a writer of the kind `unknown`; it is never guessed.
    """
    if len(generator) > LONGEST:
        return (Writer(f"{generator[:40]}…", "unknown"),)
    parts = [" ".join(part.split()) for part in APART.split(generator)]
    return tuple(dict.fromkeys(writer for said in parts if said for writer in _writers(said)))


def _writers(said: str) -> list[Writer]:
    """Everything that one part names; what binds nobody counts only when nothing else is named."""
    found, rest = list[Writer](), said.lower()
    for generator in terms().generators:
        for name in sorted(generator.match, key=len, reverse=True):
            at = _place(name, rest)
            if at < 0 or (generator.terms == "none" and found):
                continue
            rest = f"{rest[:at]} {rest[at + len(name) :]}"
            found.append(_writer(said, generator))
    return list(dict.fromkeys(found)) or [Writer(said, "unknown")]


def _writer(said: str, generator: Generator) -> Writer:
    if generator.licence:
        return Writer(said, "licence", generator.licence, licences().licences[generator.licence].name)
    if generator.terms in ("none", "unknown"):
        return Writer(said, "none" if generator.terms == "none" else "unknown")
    return Writer(said, "terms", generator.terms, terms().providers[generator.terms].name)


def _place(name: str, text: str) -> int:
    """Where a name stands in a text on its own, not within a longer word or version; -1 when nowhere."""
    at = text.find(name)
    while at >= 0:
        before, after = text[:at][-1:], text[at + len(name) :]
        inside = name[-1].isdigit() and re.match(r"\d|\.\d", after)
        if not (before.isalnum() or (after[:1].isalpha() and name[-1].isalpha()) or inside):
            return at
        at = text.find(name, at + 1)
    return -1


@lru_cache(maxsize=4096)
def recognise(text: str) -> tuple[Known, ...]:
    """Well-known datasets that a name, an address or a sentence speaks of."""
    lower = " ".join(text[:LONGEST].lower().split())
    return tuple(
        known for known in datasets().datasets if any(_place(name, lower) >= 0 for name in known.match)
    )
