"""Instructions to a model that are hidden in data."""

import binascii
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Iterator

from tunewright.checks._orders import ORDERS
from tunewright.checks._patterns import Span, apart, find, report
from tunewright.nouns import Finding, Record, Severity

# Letters of other alphabets, and digits and signs, that stand for Latin letters (Unicode TR 39, a selection).
_LOOKALIKES = str.maketrans(
    "асеорхуѕіјԁһԛԝвнкмтαεορτυικνАВЕКМНОРСТХαΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aceopxysijdhqwbhkmtaeoptuiknABEKMHOPCTXaABEZHIKMNOPTYX",
)
_LEET = str.maketrans("013457@$!€", "oieastasie")
_LEETED = re.compile(r"[A-Za-z][013457@$!€]{1,3}[A-Za-z]")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,4000}={0,2}(?![A-Za-z0-9+/=])")
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
    for record in records:
        for number, message in enumerate(record.messages):
            yield from report("injection", record, number, _spans(message.content))


def _spans(text: str) -> list[Span]:
    spans: list[Span] = []
    seen, places = text, list(range(len(text) + 1))
    if not text.isascii():
        seen, places = _folded(text)
    for span in find(ORDERS, seen):
        spans.append(span._replace(start=places[span.start], end=places[span.end - 1] + 1))
    if _LEETED.search(seen):
        for span in find(ORDERS, seen.translate(_LEET)):
            spans.append(span._replace(start=places[span.start], end=places[span.end - 1] + 1))
    spans += _encoded(text)
    if not text.isascii():
        spans += _unseen(text)
    return apart(_first_of_each(spans))


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


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as a model reads it, in Latin letters, and where each character came from."""
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
    folded = "".join(signs)
    latin = sum(c.isascii() and c.isalpha() for c in folded)
    mixed = latin * 2 > sum(c.isalpha() for c in folded)  # leave Russian and Greek prose as it is
    return (folded.translate(_LOOKALIKES) if mixed else folded), places


def _encoded(text: str) -> Iterator[Span]:
    for _, match in zip(range(20), _BASE64.finditer(text), strict=False):
        try:
            plain = b64decode(match.group() + "=" * (-len(match.group()) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        if any(find(ORDERS, plain)):
            yield Span(*match.span(), "encoded", "high", "base64 that holds instructions to a model")
