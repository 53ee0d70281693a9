"""Personal data: what tells who somebody is, or how to reach them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Literal, get_args

from tunewright.checks._engine import Prefilter, Safe, safe
from tunewright.checks._numbers import digits
from tunewright.checks._patterns import Span, apart, report
from tunewright.checks._personal_people import Seen, again, merged, whole_addresses
from tunewright.checks._personal_rules import FIGURELESS, FIGURES, RULES
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Record

Kind = Literal[
    "all",
    "email",
    "phone",
    "iban",
    "card",
    "wallet",
    "national_id",
    "medical_id",
    "identifier",
    "vehicle",
    "device",
    "ip",
    "handle",
    "url",
    "address",
    "postcode",
    "place",
    "name",
    "title",
    "birth_date",
    "date",
    "age",
    "organisation",
    "nationality",
    "special_category",
]
UNUSUAL = frozenset({"url", "place", "title", "date", "age", "organisation", "nationality"})
"""Kinds that do not by themselves say who somebody is: they are reported only where they are asked for."""
USUAL = frozenset(get_args(Kind)) - UNUSUAL - {"all"}

_GATED = [n for n in range(len(RULES)) if n not in FIGURES]
_BLANKS = re.compile(r"[^\S\n]{40,}")
"""Runs of blanks end a sentence for the tagger, which takes long over them."""
_LEAST = 0.35
"""How sure the tagger must be."""
_FIGURE = re.compile(r"\d")
BATCH = 64
"""Messages that are looked at together."""


def personal(
    records: Iterable[Record],
    *,
    kinds: tuple[Kind, ...] = (),
    allow: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
    patterns: dict[str, str] | None = None,
    depth: Literal["fast", "deep"] = "fast",
    model: str = "",
) -> Iterator[Finding]:
    """Personal data: what tells who somebody is, or how to reach them.

    Looks in every turn for `email`, `phone`, `iban` (ISO 13616), `card` (ISO/IEC 7812), `wallet` (Bitcoin and
    Ethereum), `national_id` (some thirty countries' numbers, with their check digits where they have any;
    passports and driving licences where they are named), `medical_id` (patient, NHS, NPI, Medicare numbers),
    `identifier` (account, customer, case, file and court numbers), `vehicle`, `device`, `ip`, `handle` (a
    person's page on a platform), `address`, `postcode`, `birth_date`, `name`, and `special_category` (GDPR
    Articles 9 and 10: health, belief, politics, union, orientation, ethnic origin, genetic and biometric
    data, convictions, where they are said of somebody). Only on request: `place`, `organisation`,
    `nationality`, `date`, `age`, `title`, `url`: they seldom say who somebody is, and a corpus without them
    teaches little. What was found once is found wherever else it stands in the record. High severity for
    bank, card, national and medical numbers and special categories, low for what is weak.

    Options:
    kinds: the kinds to report instead of the usual ones; `all` for every one
    allow: what is no secret, such as the shop's own address, or `@shop.example` for all of a domain
    deny: words that are always found, as `denied`
    patterns: kinds of your own, each a regular expression that RE2 reads, such as `staff_id: "S-[0-9]{6}"`
    depth: `deep` asks a spaCy model as well, at about Presidio's speed
    model: the spaCy model for that, a package's name or a folder; the best one installed if left out

    Errors: `BadInput` for an unknown kind, a pattern that cannot be read, a model that is not there;
    `Missing` when `deep` has no model.

    Limits: tuned on English, then German, French and Spanish; other languages have numbers, e-mail and some
    addresses only. Names in small letters, single first names, towns after an address and words of
    everyday use that are also names are missed or taken for something else; what is said between the lines
    (a job and a village that fit one person) is never seen. A number of a registry that nobody names
    passes, and so does a birthday without a word such as "born". What is not found may still be there:
    measure it on your own records with `tunewright vet --audit 50`.
    """
    wanted = _wanted(kinds)
    allowed = frozenset(_plain(word) for word in ((allow,) if isinstance(allow, str) else allow))
    denied = _words((deny,) if isinstance(deny, str) else tuple(deny))
    own = [(kind, _own(kind, pattern)) for kind, pattern in (patterns or {}).items()]
    for batch in _batches(records):
        texts = [message.content for record in batch for message in record.messages]
        found = iter(_look(texts, allowed, denied, own, depth, model))
        for record in batch:
            mine = [next(found) for _ in record.messages]
            said = again([message.content for message in record.messages], mine) if any(mine) else mine
            for number, spans in enumerate(said):
                keep = (s for s in spans if s.what in wanted or s.what not in UNUSUAL | USUAL)
                yield from report("personal", record, number, keep)


def _own(kind: str, pattern: str) -> Safe:
    """A pattern of the project's own.

    Errors: `BadInput` names the kind and says what is wrong.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", kind):
        raise BadInput(
            f"checks/personal: {kind!r} cannot be the name of a kind",
            hint="small letters, figures and _, such as staff_id",
        )
    try:
        return safe(pattern)
    except BadInput as error:
        raise BadInput(f"checks/personal: pattern {kind!r}: {error}", hint=error.hint) from None


def _wanted(kinds: Sequence[str]) -> frozenset[str]:
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    known = get_args(Kind)
    for kind in kinds:
        if kind not in known:
            near = get_close_matches(kind, known, 1)
            raise BadInput(
                f"checks/personal knows no kind {kind!r}",
                hint=f"did you mean {near[0]}?" if near else f"it knows: {', '.join(known)}",
            )
    return USUAL if not kinds else frozenset(known if "all" in kinds else kinds)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch, size = list[Record](), 0
    for record in records:
        batch.append(record)
        size += len(record.messages)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _look(
    texts: Sequence[str],
    allowed: frozenset[str],
    denied: re.Pattern[str] | None,
    own: Sequence[tuple[str, Safe]],
    depth: str,
    model: str,
) -> Iterator[list[Span]]:
    """What is in each text."""
    entities = _entities(texts, depth, model)
    for text, candidates, seen in zip(texts, _prefilter().candidates(texts), entities, strict=True):
        first = list[Span]()
        if denied:
            note = "a word that this project always keeps out"
            first = [
                Span(*m.span(), "denied", "medium", note, "the list `deny`") for m in denied.finditer(text)
            ]
        for kind, pattern in own:
            note = "a pattern of this project"
            first += [
                Span(*place, kind, "medium", note, "the option `patterns`") for place in pattern.spans(text)
            ]
        some = {_GATED[n] for n in candidates}
        some = some | FIGURES if _FIGURE.search(text) else some & FIGURELESS
        spans = apart([*first, *(span for n in sorted(some) for span in RULES[n].spans(text))])
        spans = whole_addresses(text, merged(text, spans, seen, "a tagger of words in their context"))
        yield [s for s in spans if not _let_through(text, s, allowed)] if allowed else spans


def _entities(texts: Sequence[str], depth: str, model: str) -> list[list[Seen]]:
    from tunewright.checks._tagger import entities

    even = [_BLANKS.sub(lambda m: "." * len(m.group()), text) for text in texts]
    tagged = [[Seen(*e) for e in found if e.score >= _LEAST] for found in entities(even)]
    if depth == "fast":
        return tagged
    from tunewright.checks._personal_deep import both, named

    return [both(deep, quick) for deep, quick in zip(named(texts, model), tagged, strict=True)]


def _let_through(text: str, span: Span, allowed: frozenset[str]) -> bool:
    if span.what == "denied":
        return False
    found = _plain(text[span.start : span.end])
    return (
        found in allowed
        or (span.what == "email" and found[found.find("@") :] in allowed)
        or (span.what == "phone" and digits(found) in allowed)
    )


@cache
def _prefilter() -> Prefilter:
    return Prefilter([RULES[n].gate or RULES[n].regex for n in _GATED])


def _plain(text: str) -> str:
    return text.strip().casefold()


def _words(deny: tuple[str, ...]) -> re.Pattern[str] | None:
    words = [re.escape(word.strip()) for word in sorted(deny, key=len, reverse=True) if word.strip()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE) if words else None
