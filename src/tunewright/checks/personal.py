"""Personal data: what tells who somebody is, or how to reach them."""

import re
from collections.abc import Iterable, Iterator

from tunewright.checks._numbers import (
    ID_BEFORE,
    NATIONAL_IDS,
    PHONE,
    digits,
    iban_length,
    is_card,
    is_ip,
    is_phone,
)
from tunewright.checks._patterns import Span, apart, report
from tunewright.checks._places import ADDRESSES, BIRTH, BIRTH_ANCHORS, NAMES, name_end
from tunewright.nouns import Finding, Record

_EMAIL = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.){1,6}[^\W\d_]{2,24}(?![\w@])"
)
_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z\d])")
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){11,18}(?![\w]|[.,-]\d)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[\da-fA-F]{0,4}(?::[\da-fA-F]{0,4}){2,7}(?![\w:])")
_DIGIT = re.compile(r"[0-9]")
_VERSION = re.compile(r"(?:version|release|\bver|\bv|build|firmware|section|§)\W{0,2}$", re.IGNORECASE)


def personal(
    records: Iterable[Record], *, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """Personal data: what tells who somebody is, or how to reach them.

    Looks in every turn for `email`, `phone`, `iban` (ISO 13616 with its check digits), `card` (ISO/IEC 7812
    with the Luhn digit), `ip`, `address` (English, German, French, Spanish, in part Italian and Dutch),
    `birth_date` (with a word that says so), `national_id` (US, UK, ES, FR, IT, BR, CH, DE, PL with their
    check digits where they have any; passports and driving licences where they are named) and `name`
    (where it is introduced or signed). `allow` holds what is no secret, such as the shop's own address, or
    `@shop.example` for all of a domain; `deny` holds words that are always found, as `denied`. High
    severity for bank accounts, cards and national ids, medium for the rest.

    Limits: patterns, no model of language: names are only seen where the text introduces them, addresses
    only with a street and a number, telephone numbers without a country code only in common groupings or
    beside a word such as "call"; health, belief and other special categories are not recognised at all. What
    is not found may still be there.
    """
    allowed = frozenset(_plain(word) for word in ((allow,) if isinstance(allow, str) else allow))
    denied = _words((deny,) if isinstance(deny, str) else tuple(deny))
    for record in records:
        for number, message in enumerate(record.messages):
            yield from report("personal", record, number, _spans(message.content, allowed, denied))


def _spans(text: str, allowed: frozenset[str], denied: re.Pattern[str] | None) -> list[Span]:
    spans = [
        span
        for span in _all(text)
        if not allowed
        or not (
            (found := _plain(text[span.start : span.end])) in allowed
            or (span.what == "email" and found[found.find("@") :] in allowed)
            or (span.what == "phone" and digits(found) in allowed)
        )
    ]
    if denied:
        note = "a word that this project always keeps out"
        spans = [Span(*m.span(), "denied", "medium", note) for m in denied.finditer(text)] + spans
    return apart(spans)


def _all(text: str) -> Iterator[Span]:
    """Everything found, most certain first: of what overlaps, the first is kept."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            start = match.start() + len(match.group()) - len(match.group().lstrip(".'-"))
            yield Span(start, match.end(), "email", "medium", "an e-mail address")
    low = text.lower()
    if there := len(_DIGIT.findall(text)):
        yield from _numbers(text, low, there)
        yield from _places(text, low, there)
        if there >= 7:
            yield from _phones(text)
    for anchors, pattern in NAMES:
        if any(anchor in low for anchor in anchors):
            for match in pattern.finditer(text):
                if size := name_end(match.group(1), text[match.start() : match.start(1)]):
                    yield Span(match.start(1), match.start(1) + size, "name", "medium", "a person's name")


def _numbers(text: str, low: str, there: int) -> Iterator[Span]:
    """Numbers that prove themselves, given how many digits there are."""
    if there >= 8:
        for match in _IBAN.finditer(text):
            if size := iban_length(text[match.start() : match.start() + 50]):
                yield Span(
                    match.start(), match.start() + size, "iban", "high", "a bank account number (IBAN)"
                )
    if there >= 12:
        for match in _CARD.finditer(text):
            if is_card(match.group()):
                yield Span(*match.span(), "card", "high", "a payment card number")
    for pattern, check, named in NATIONAL_IDS if there >= 5 else ():
        if named and not any(word in low for word in named):
            continue
        for match in pattern.finditer(text):
            before = text[max(match.start() - ID_BEFORE, 0) : match.start()].lower()
            if check(match.group()) and (not named or any(word in before for word in named)):
                yield Span(*match.span(), "national_id", "high", "a national identity number")
    for pattern, sign in ((_IPV4, "."), (_IPV6, ":")):
        for match in pattern.finditer(text) if text.count(sign) >= 2 else ():
            before = text[max(match.start() - 12, 0) : match.start()]
            if is_ip(match.group()) and not _VERSION.search(before):
                yield Span(*match.span(), "ip", "medium", "an IP address")


def _places(text: str, low: str, there: int) -> Iterator[Span]:
    if there >= 4 and any(anchor in low for anchor in BIRTH_ANCHORS):
        for match in BIRTH.finditer(text):
            yield Span(*match.span(1), "birth_date", "medium", "a date of birth")
    for anchors, pattern in ADDRESSES:
        if any(anchor in low for anchor in anchors):
            for match in pattern.finditer(text):
                yield Span(*match.span(), "address", "medium", "a street address")


def _phones(text: str) -> Iterator[Span]:
    for match in PHONE.finditer(text):
        found, start = match.group(), match.start()
        if "(" in found and ")" not in found:
            start += len(found) - len(found.lstrip("( "))
        before, after = text[max(start - 60, 0) : start], text[match.end() : match.end() + 12]
        if is_phone(text[start : match.end()], before, after):
            yield Span(start, match.end(), "phone", "medium", "a telephone number")


def _plain(text: str) -> str:
    return text.strip().casefold()


def _words(deny: tuple[str, ...]) -> re.Pattern[str] | None:
    words = [re.escape(word.strip()) for word in sorted(deny, key=len, reverse=True) if word.strip()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE) if words else None
