"""Instructions to a model that are hidden in data."""

import binascii
import codecs
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote

from tunewright.checks._engine import Engine, Prefilter
from tunewright.checks._orders import ORDERS
from tunewright.checks._orders_grammar import TRIGGER, planted, sentences
from tunewright.checks._patterns import Span, apart, find, report
from tunewright.nouns import Finding, Record, Severity

# Letters of other alphabets, and digits and signs, that stand for Latin letters (Unicode TR 39, a selection).
_LOOKALIKES = str.maketrans(
    "асеорхуѕіјԁһԛԝвнкмтαεορτυικνАВЕКМНОРСТХαΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aceopxysijdhqwbhkmtaeoptuiknABEKMHOPCTXaABEZHIKMNOPTYX",
)
_LIKE = re.compile(f"[{''.join(map(chr, _LOOKALIKES))}]")
_LEET = str.maketrans("013457@$!€", "oieastasie")
_LEETED = re.compile(r"[A-Za-z][013457@$!€]{1,3}[A-Za-z]")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,4000}={0,2}(?![A-Za-z0-9+/=])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:\\x|0x)?[0-9A-Fa-f]{2}[ ,:]{0,2}){14,2000}(?![0-9A-Za-z])")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){4}[^\s]{0,2000}")
_ROT13 = re.compile(r"\b(?:vtaber|qvfertneq|sbetrg|ercrny|erirny|bireevqr)\b[^\n]{0,400}")
_BACKWARDS = re.compile(r"\b(?:erongi|drageresid|tegrof|laever|edirrevo)\b")
_SPREAD = re.compile(r"(?<!\w)\w(?:[ ._*-]{1,3}\w){9,400}(?!\w)")
_RUN_TOGETHER = re.compile(
    r"(?:ignore|disregard|forget|override)(?:all)?(?:the|your|my)?(?:previous|prior|above|instructions|rules)"
    r"|(?:reveal|show|print)(?:me)?(?:the|your)?(?:system|hidden|initial)?prompt"
)
_SUSPECT = re.compile(
    r"[A-Za-z0-9+/]{24}|[0-9A-Fa-f]{2}[ ,:][0-9A-Fa-f]{2}[ ,:][0-9A-Fa-f]{2}[ ,:]|\\x[0-9A-Fa-f]{2}"
    r"|%[0-9A-Fa-f]{2}%|(?i:vtaber|qvfertneq|sbetrg|erirny|bireevqr|erongi|drageresid|tegrof|laever|edirrevo)"
    r"|\b\w[ ._*-]\w[ ._*-]\w[ ._*-]|(?i:your (?:\w{1,12} )?(?:response|reply|answer|output))"
)
"""What makes a text worth decoding, or looking at for an order at its edge."""
BATCH = 256 * 1024
"""Characters that are looked at together."""
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u034f"
_STRIP = re.compile(rf"[{_UNSEEN}\u202a-\u202e\u2066-\u2069\ufe00-\ufe0f\U000e0000-\U000e01ef]")

_INVISIBLE: tuple[tuple[re.Pattern[str], Severity, str], ...] = (
    (  # a subdivision flag (black flag, tags, end tag) is what these characters are for
        re.compile(r"(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0000-\U000e007f]{1,5000}"),
        "high",
        "invisible tag characters, which a model can read",
    ),
    (
        re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,5000}"),
        "high",
        "data hidden in variation selectors",
    ),
    (re.compile(r"[\u202d\u202e]"), "high", "characters that turn the reading direction around"),
    (
        re.compile(r"(?<=[A-Za-z])[\u200b-\u200d\u2060-\u2064\ufeff\u180e\u034f]{1,5000}(?=[A-Za-z])"),
        "medium",
        "invisible characters inside a word",
    ),
    (re.compile(r"[\u200b\u200c\u200d\u2060-\u2064\ufeff]{4,5000}"), "high", "a run of invisible characters"),
)
_EMBEDDINGS = re.compile(r"[\u202a-\u202c\u2066-\u2069]")


def injection(records: Iterable[Record]) -> Iterator[Finding]:
    """Prompt injection: instructions in data that are meant for the model that reads it.

    Looks in every turn for orders to set aside instructions (`override`), requests for the system prompt
    (`prompt_leak`), takeovers of the model's role (`role`), a feigned authority (`authority`), control tokens
    of chat templates (`template`), words hidden in comments or styles (`hidden`), words addressed to a model
    that reads (`addressed`), sending data elsewhere (`exfiltration`), and `invisible` Unicode: tags,
    bidirectional overrides, zero-width characters within words. Sees through look-alike letters, full-width
    letters, zero-width characters, digits for letters and base64 (`encoded`). Categories follow OWASP
    LLM01:2025 and the attack collections of garak and BIPIA.

    Limits: patterns, written mainly for English, with override and leak also in other languages: an attack in
    fresh words passes, and so does one told as a story or one that is simply a task. A first sieve, not a
    safeguard to rely on alone.
    """
    batch, size = list[Record](), 0
    for record in records:
        batch.append(record)
        for message in record.messages:
            size += len(message.content)
        if size >= BATCH:
            yield from _batch(batch)
            batch, size = [], 0
    yield from _batch(batch)


class _Text(NamedTuple):
    """One message as it stands, as a model reads it, with digits read as letters, and the way back."""

    text: str
    seen: str
    plain: str
    places: Sequence[int]


def _batch(records: Sequence[Record]) -> Iterator[Finding]:
    turns = [(r, n, _read(m.content)) for r in records for n, m in enumerate(r.messages)]
    wanted = [t.seen for _, _, t in turns] + [t.plain for _, _, t in turns if t.plain]
    found = iter(zip(wanted, _filter("auto").candidates(wanted), strict=True))
    first = [next(found) for _ in turns]
    for (record, number, turn), (_, some) in zip(turns, first, strict=True):
        more = next(found)[1] if turn.plain else set[int]()
        odd = _ODD in some
        if some or more or not turn.text.isascii():
            yield from report("injection", record, number, _spans(turn, some, more, odd))
    assert next(found, None) is None


def _read(text: str) -> _Text:
    if text.isascii():
        seen: str = text
        places: Sequence[int] = range(len(text) + 1)
    else:
        seen, places = _folded(text)
    return _Text(text, seen, seen.translate(_LEET) if _LEETED.search(seen) else "", places)


def _spans(turn: _Text, some: set[int], more: set[int], odd: bool) -> list[Span]:
    text, places = turn.text, turn.places
    found = list(_orders(turn.seen, some))
    if turn.plain:
        found += _orders(turn.plain, more)
    spans = [span._replace(start=places[span.start], end=places[span.end - 1] + 1) for span in found]
    if odd or turn.seen is not text:
        spans += planted(text)
        spans += _encoded(text)
    if not text.isascii():
        spans += _unseen(text)
    return apart(_first_of_each(spans))


def _orders(text: str, some: set[int]) -> Iterator[Span]:
    for n in sorted(some):
        if n < len(ORDERS):
            yield from find(ORDERS[n : n + 1], text)
        elif n == len(ORDERS):
            low = text.lower()
            yield from sentences(low if len(low) == len(text) else text)


def _any(text: str) -> bool:
    """Whether a text that was decoded holds an order."""
    return any(find(ORDERS, text)) or any(sentences(text.lower()))


@cache
def _filter(engine: Engine) -> Prefilter:
    return Prefilter([*(order.regex for order in ORDERS), TRIGGER, _SUSPECT], engine=engine)


_ODD = len(ORDERS) + 1


def _first_of_each(spans: Iterable[Span]) -> list[Span]:
    """At most twenty of each kind: one hostile text needs no ten thousand findings."""
    counts: dict[str, int] = {}
    kept = []
    for span in spans:
        counts[span.what] = counts.get(span.what, 0) + 1
        if counts[span.what] <= 20:
            kept.append(span)
    return kept


def _unseen(text: str) -> Iterator[Span]:
    for pattern, severity, note in _INVISIBLE:
        for match in pattern.finditer(text):
            yield Span(*match.span(), "invisible", severity, note)
    mark = _EMBEDDINGS.search(text)
    if mark and not any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        yield Span(*mark.span(), "invisible", "medium", "directional marks in a text that needs none")


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text as a model reads it, in Latin letters, and where each character came from."""
    if not _STRIP.search(text) and unicodedata.is_normalized("NFKC", text):
        return _latin(text), range(len(text) + 1)
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if sign < "\u0080":
            signs.append(sign)
            places.append(place)
        elif not _STRIP.match(sign):
            plain = unicodedata.normalize("NFKC", sign)
            signs.append(plain)
            places.extend([place] * len(plain))
    places.append(len(text))
    return _latin("".join(signs)), places


def _latin(text: str) -> str:
    """With look-alikes as the Latin letters they stand for; Russian and Greek prose is left as it is."""
    if not _LIKE.search(text):
        return text
    latin = sum(c.isascii() and c.isalpha() for c in text)
    return text.translate(_LOOKALIKES) if latin * 2 > sum(c.isalpha() for c in text) else text


def _encoded(text: str) -> Iterator[Span]:
    """Orders in base64, hexadecimal, percent signs, rot13, backwards, or with a space after each letter."""
    for _, match in zip(range(20), _BASE64.finditer(text), strict=False):
        try:
            plain = b64decode(match.group() + "=" * (-len(match.group()) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        if _any(plain):
            yield _hiding(match.span(), "base64")
    for _, match in zip(range(20), _HEX.finditer(text), strict=False):
        digits = re.sub(r"\\x|0x|[^0-9A-Fa-f]", "", match.group())
        plain = bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1")
        if _any(plain):
            yield _hiding(match.span(), "hexadecimal")
    if _PERCENT.search(text) and _any(unquote(text)):
        yield from (_hiding(match.span(), "percent signs") for match in _PERCENT.finditer(text))
    low = text.lower()
    if _ROT13.search(low) and _any(codecs.encode(text, "rot13")):
        yield from (_hiding(match.span(), "rot13") for match in _ROT13.finditer(low) if len(low) == len(text))
    if _BACKWARDS.search(low) and _any(text[::-1]):
        yield from (
            _hiding(match.span(), "letters in reverse")
            for match in _BACKWARDS.finditer(low)
            if len(low) == len(text)
        )
    for _, match in zip(range(20), _SPREAD.finditer(text), strict=False):
        words = re.split(r" {2,}|[/|]", match.group())
        plain = " ".join(re.sub(r"[ ._*-]", "", word) for word in words)
        run = plain.replace(" ", "").lower()
        if _any(plain) or _RUN_TOGETHER.search(run):
            yield _hiding(match.span(), "letters that stand apart")


def _hiding(place: tuple[int, int], how: str) -> Span:
    return Span(
        *place, "encoded", "high", f"{how} that hold instructions to a model", "decoded and read", 0.9
    )
