"""Names, places and organisations: what the tagger says, brought together with what patterns say."""

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from tunewright.checks._patterns import Span
from tunewright.checks._personal_dates import is_date
from tunewright.checks._places import NOT_NAMES
from tunewright.nouns import Severity


class Entity(Protocol):
    """What a tagger found in a text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def score(self) -> float: ...


class Seen(NamedTuple):
    """An entity by our own name of its kind."""

    start: int
    end: int
    kind: str
    score: float


_NOTES: dict[str, tuple[Severity, str]] = {
    "name": ("medium", "a person's name"),
    "place": ("low", "a place"),
    "address": ("medium", "a street address"),
    "organisation": ("low", "an organisation"),
    "nationality": ("low", "a nationality, a language or a religious or political group"),
    "date": ("low", "a date"),
}


def merged(text: str, spans: list[Span], entities: Iterable[Seen], evidence: str) -> list[Span]:
    """Pattern spans (apart, in order) and entities, apart again.

    An entity that overlaps nothing is added; a name or an address grows by what the tagger saw of it; of
    any other entity what no pattern covers is kept.
    """
    kept = list(spans)
    for entity in entities:
        start, end = _trimmed(text, entity.start, entity.end)
        if entity.kind == "name":
            if text[start:end].partition(" ")[0].lower() in _THINGS or not _sure(
                text, start, end, entity.score
            ):
                continue
            start = _greeted(text, start, end)
        clash = _clash(kept, start, end)
        alike = [n for n in clash if _alike(kept[n].what, entity.kind)]
        if entity.kind == "date" and not is_date(text[start:end]):
            continue
        if entity.kind == "date" and any("date" in kept[n].what for n in clash):
            continue
        if alike and len(clash) == len(alike) == 1:
            old = kept[alike[0]]
            kept[alike[0]] = old._replace(start=min(start, old.start), end=max(end, old.end))
            continue
        for n in clash:
            one = kept[n]
            if one.start <= start:
                start = max(start, one.end)
            elif one.end >= end or one.start - start >= end - one.end:
                end = min(end, one.start)
            else:
                start = one.end
        start, end = _trimmed(text, start, end)
        if clash and not text[start : start + 1].isupper():
            continue
        if end - start > 1 or (end > start and text[start:end].isalpha() and not clash):
            severity, note = _NOTES[entity.kind]
            insort(kept, Span(start, end, entity.kind, severity, note, evidence, round(entity.score, 3)))
    return kept


def _sure(text: str, start: int, end: int, score: float) -> bool:
    """Whether the tagger is sure enough of a name, given how it is written.

    Capitals mean little at the beginning of a sentence and in acronyms, and a name without any is rare.
    Bounds chosen on the synthetic set: names without capitals and single words at F2 .88 for .90, with a
    third of the false alarms on intents.
    """
    words = text[start:end].split()
    if not any(word[:1].isupper() for word in words):
        return score >= 0.95
    if len(words) > 1:
        return True
    if words and words[0].isupper() and len(words[0]) <= 5:
        return score >= 0.9
    before = text[:start].rstrip()
    return score >= (0.6 if not before or before[-1] in ".!?:;\n" else 0.5)


def _clash(spans: Sequence[Span], start: int, end: int) -> range:
    """Places of the spans (apart, in order) that overlap."""
    first = bisect_left(spans, (start,))
    if first and spans[first - 1].end > start:
        first -= 1
    last = first
    while last < len(spans) and spans[last].start < end:
        last += 1
    return range(first, last)


_THINGS = frozenset(
    [
        "project",
        "operation",
        "team",
        "class",
        "chapter",
        "model",
        "room",
        "planet",
        "mount",
        "lake",
        "hotel",
        "cafe",
        "team",
        "group",
        "program",
        "programme",
        "plan",
        "league",
        "club",
        "bridge",
        "tower",
        "castle",
        "museum",
        "university",
        "school",
        "hospital",
        "airport",
        "station",
        "mission",
        "agent",
    ]
)
"""What a name of several words may begin with when it is a thing's."""
_WORD = re.compile(r"[^\W\d_]+[.,]?\s+")


def _greeted(text: str, start: int, end: int) -> int:
    """Where a name begins when a greeting or another word that names nobody was taken for a part of it."""
    while (word := _WORD.match(text, start, end)) and word.group().strip(" .,\n").lower() in NOT_NAMES:
        start = word.end()
    return start


def _alike(pattern: str, entity: str) -> bool:
    return pattern == entity or (pattern == "address" and entity == "place")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not (text[start].isalnum() or text[start] in '\u201c"('):
        start += 1
    while start < end and not (text[end - 1].isalnum() or text[end - 1] in ".)\u201d"):
        end -= 1
    if (
        start < end
        and text[end - 1] == "."
        and not re.search(r"\b\w\.$|\b(?:Jr|Sr|Inc|Ltd|Co|Corp|St)\.$", text[start:end])
    ):
        end -= 1
    return start, end


# ── the rest of the record ──────────────────────────────────────────────────────────────────────

_GAP = re.compile(r"[,\s>?]{1,8}(?:(?:[A-Z]{2,3}|nan)[,\s>]{1,6})?")
_CODE = re.compile(r"[ ,]{1,2}(?:[A-Z]{2} )?(?:\d{4,6}(?:-\d{3,4})?|\d{3} \d\d|\d\d-\d{3})(?![\w-])")


def whole_addresses(text: str, spans: list[Span]) -> list[Span]:
    """Addresses together with the town, the country and the postcode that follow them, on the same line or
    on the next ones (then as further parts)."""
    out = list[Span]()
    for span in spans:
        before = out[-1] if out else None
        gap = text[before.end : span.start] if before and before.what == "address" else "#"
        if before and span.what in ("place", "postcode", "address") and _GAP.fullmatch(gap):
            if span.what == "place" and (code := _CODE.match(text, span.end)):
                span = span._replace(end=code.end())
            if "\n" in gap:
                out.append(span._replace(what="address", severity=before.severity, note=before.note))
            else:
                out[-1] = before._replace(end=span.end)
        elif not before or before.end <= span.start:
            out.append(span)
        elif span.end > before.end:
            out.append(span._replace(start=before.end))
    return out


_REPEATED = frozenset(
    [
        "identifier",
        "national_id",
        "medical_id",
        "phone",
        "iban",
        "card",
        "email",
        "wallet",
        "vehicle",
        "device",
        "handle",
        "ip",
        "address",
    ]
)
_COMMON = NOT_NAMES | frozenset(
    [
        "mark",
        "will",
        "may",
        "rose",
        "grace",
        "hope",
        "faith",
        "joy",
        "bill",
        "pat",
        "art",
        "frank",
        "grant",
        "chase",
        "crystal",
        "jordan",
        "august",
        "summer",
        "king",
        "young",
        "long",
        "white",
        "black",
        "brown",
        "green",
        "gray",
        "short",
        "rich",
        "price",
        "day",
        "bush",
        "wood",
        "stone",
        "park",
        "lake",
        "hill",
        "field",
        "rivers",
        "church",
        "bishop",
        "law",
        "case",
        "order",
        "state",
        "court",
        "court's",
        "union",
        "street",
    ]
)


def again(texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[list[Span]]:
    """Every other mention, in the same record, of a name or a number that was found once.

    A name of several words is looked for whole and by each of its words that is no ordinary one; the case of
    the letters counts.
    """
    wanted: dict[str, Span] = {}
    for text, found in zip(texts, spans, strict=True):
        for span in found:
            words = text[span.start : span.end]
            if span.what in _REPEATED and len(words) >= 5:
                wanted.setdefault(words, span)
            elif span.what == "name" and span.confidence >= 0.5:
                for word in _known_by(words):
                    wanted.setdefault(word, span)
    return [_more(text, found, wanted) for text, found in zip(texts, spans, strict=True)]


def _known_by(name: str) -> Iterator[str]:
    parts = name.split()
    if len(parts) > 1:
        yield name
    for part in parts:
        word = part.strip(".,'\u2019\u2018\"()").removesuffix("'s").removesuffix("\u2019s")
        if len(word) >= 3 and word[0].isupper() and not word.isupper() and word.lower() not in _COMMON:
            yield word


def _more(text: str, found: Sequence[Span], wanted: dict[str, Span]) -> list[Span]:
    kept = list(found)
    new = list[Span]()
    for word, first in wanted.items():
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            inside = (at and text[at - 1].isalnum()) or text[end : end + 1].isalnum()
            if not inside and not _clash(found, at, end):
                new.append(first._replace(start=at, end=end, evidence="found elsewhere in the record"))
            at = text.find(word, end)
    for span in sorted(new, key=lambda s: (s.start - s.end, s.start)):
        if not _clash(kept, span.start, span.end):
            insort(kept, span)
    return kept
