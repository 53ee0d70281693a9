"""Credentials that a model would learn by heart and tell to whoever asks."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from tunewright.checks._engine import Engine, Prefilter, Safe, safe
from tunewright.checks._patterns import Span, apart, report
from tunewright.checks._secret_formats import Format, beginnings, formats, near, random, wordy
from tunewright.checks._secret_rules import LOOSE, PLACEHOLDER, RULES, Rule
from tunewright.nouns import Finding, Record, Severity

BATCH = 256 * 1024
"""Characters that are looked at together."""

_EXAMPLES = (
    "0011cc25eb43 1a5d44a2dca1 2037abcaffb2 2cafc0970149 2ddc147f3a3b 2f3227eccce1 3543c50b0cb9 3f370c9dd822"
    " 78314b11be2e 7f75367e7881 ac9265e56c79 c6ea27c534f9 da816f9f2c16 e4a5542bb7fd f2d6ca165150 f56e323494a6"
)
"""First 12 digits of the SHA-256 of keys that the documentation of AWS, Stripe, Google, GitHub, Azure, Slack
and jwt.io prints: their own digits would set off everybody's scanners."""


class _Look(NamedTuple):
    what: str
    severity: Severity
    note: str
    evidence: str
    regex: str
    rule: Rule | None
    format: Format | None


def secrets(
    records: Iterable[Record], *, patterns: dict[str, str] | None = None, allow: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """Credentials: keys, tokens, passwords and private keys that a model would learn by heart.

    Looks in every turn for more than 1,200 formats of keys and tokens (`checks/formats/keys.tsv`: half known
    by their prefix, half by the name of the service before a string of the right length), for JSON web
    tokens, blocks of private keys, connection strings and addresses with a password, headers, netrc, npm and
    registry files, command lines, passwords after a word that says so, and random-looking values (Shannon
    entropy) assigned to names like `api_key`. High severity; medium where the surroundings or entropy speak;
    low where it is a key that documentation shows as an example.

    Formats are facts from the providers' documentation and from the rules of gitleaks, Nosey Parker,
    Kingfisher, detect-secrets and Secrets-Patterns-DB. All are looked for in one pass (Hyperscan, when it is
    installed), then confirmed one by one.

    Parameters:
    patterns: formats of your own: a name and an RE2 expression each; what group 1 holds is the secret
    allow: beginnings of keys that are never reported, such as those of a test environment

    Errors: `BadInput` for an expression that cannot be searched in linear time; `Missing` when there are
    `patterns` and google-re2 is not installed.

    Limits: whether a key is still valid is not tried. A password that is an ordinary word, a key of a format
    not listed that nothing introduces, and a key split over several lines are not seen. A hash or an
    identifier that stands beside the name of a service is taken for its key.
    """
    own = {name: safe(pattern) for name, pattern in (patterns or {}).items()}
    batch, size = list[Record](), 0
    for record in records:
        batch.append(record)
        for message in record.messages:
            size += len(message.content)
        if size >= BATCH:
            yield from _batch(batch, own, allow)
            batch, size = [], 0
    yield from _batch(batch, own, allow)


def _batch(records: Sequence[Record], own: dict[str, Safe], allow: tuple[str, ...]) -> Iterator[Finding]:
    places = [(r, n, m.content) for r in records for n, m in enumerate(r.messages)]
    candidates = _filter("auto").candidates([text for _, _, text in places])
    follow = _follow()
    for (record, number, text), some in zip(places, candidates, strict=True):
        if not some and not own:
            continue
        looks = [n for first in some for n in follow[first]]
        yield from report("secrets", record, number, _spans(text, looks, own, allow))


def _spans(text: str, some: Iterable[int], own: dict[str, Safe], allow: tuple[str, ...]) -> list[Span]:
    spans = [
        Span(*place, name, "high", "a format that was given to the check", "given pattern")
        for name, pattern in own.items()
        for place in pattern.spans(text)
    ]
    for n in sorted(some):
        look, regex = _looks()[n], _compiled(n)
        group = 1 if regex.groups else 0
        for match in regex.finditer(text):
            words = match.group(group)
            if _counts(look, words):
                known = _digest(words) in _EXAMPLES
                severity: Severity = "low" if known else look.severity
                note = "a key that documentation shows as an example" if known else look.note
                sure = {"high": 0.95, "medium": 0.7, "low": 0.95}[severity]
                spans.append(Span(*match.span(group), look.what, severity, note, look.evidence, sure))
    kept = apart(spans)
    return [s for s in kept if not text.startswith(allow, s.start)] if allow else kept


def _counts(look: _Look, words: str) -> bool:
    if look.rule:
        return look.rule.accept(words)
    if PLACEHOLDER.search(words) and not words.startswith("$"):
        return False
    if look.format and look.format.sure:
        return len(set(words)) > 7 and not (words.count("-") + words.count("_") > 2 and wordy(words))
    return random(words) and not wordy(words)


@cache
def _looks() -> tuple[_Look, ...]:
    """Everything that is looked for; what comes first keeps its place in the text."""
    table = [
        _Look(
            f.service,
            "medium" if f.words or f.begins else "high",
            f"{'shaped like a key of' if f.words or f.begins else 'a key or token of'} "
            f"{f.service.replace('_', ' ')}",
            "the form of its keys, after a word that names it" if f.words else "the form of its keys",
            f.regex,
            None,
            f,
        )
        for f in (*formats(), *beginnings())
    ]
    sure = [one for one in table if one.format and not (one.format.words or one.format.begins)]
    long = [one for one in table if one.format and one.format.begins]
    rest = [one for one in table if one.format and one.format.words and not one.format.begins]
    rules = [_Look(r.what, r.severity, r.note, f"rule {r.name}", r.regex, r, None) for r in RULES]
    loose = [_Look(r.what, r.severity, r.note, f"rule {r.name}", r.regex, r, None) for r in LOOSE]
    return (*sure, *rules, *loose[:2], *rest, *long, *loose[2:])


@cache
def _compiled(n: int) -> re.Pattern[str]:
    return re.compile(_looks()[n].regex)


@cache
def _shared() -> dict[str, list[int]]:
    """What the first pass looks for, and which looks each stands for."""
    shared: dict[str, list[int]] = {}
    for n, look in enumerate(_looks()):
        words = look.format.words if look.format else ""
        shared.setdefault(near(words) if words else look.regex, []).append(n)
    return shared


@cache
def _follow() -> list[list[int]]:
    return list(_shared().values())


@cache
def _filter(engine: Engine) -> Prefilter:
    return Prefilter(list(_shared()), engine=engine)


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:12]
