"""Canaries: known defects planted in copies of a sample, to see how many of them are found.

What is planted is made afresh for each dataset (seeded by its digest) and never enters it. Keys and tokens
are put together at run time, so that nobody's scanner mistakes this file for a leak.
"""

import random
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from tunewright.checks import checks
from tunewright.nouns import Finding, Measure, Message, Policy, Record, Tally
from tunewright.project import Records
from tunewright.stats import rate
from tunewright.verbs._pseudonyms import FAMILY, GIVEN, STREETS
from tunewright.verbs._worker import as_told

SAMPLE = 120
"""Records that something is planted in, for each check."""
LOOKED_THROUGH = 20_000
"""The sample is drawn from the first so many records."""
COVERED = 0.9
"""Share of a planted span that must be found."""

Make = Callable[[random.Random], str]


class Planted(NamedTuple):
    """A record with something in it, and where."""

    record: Record
    kind: str
    message: int
    start: int
    end: int


def canaries(policy: Policy, records: Records, names: Sequence[str]) -> tuple[list[Measure], list[Tally]]:
    """The share of planted personal data, secrets and duplicates that was found, with 95% intervals (Wilson).

    Limits: what is planted follows common forms; what people write does so less often. The recall on real
    data is lower: `tunewright vet --audit 50` measures it.
    """
    draw = random.Random(records.path.name)
    pool = list(islice(records, LOOKED_THROUGH))
    sample = draw.sample(pool, min(SAMPLE, len(pool)))
    measures, tallies = list[Measure](), list[Tally]()
    for name, makers in (("personal", PERSONAL), ("secrets", SECRETS)):
        if name in names and sample:
            planted = list(_planted(draw, sample, makers, policy, name))
            hits = _found(name, planted, policy)
            measures.append(rate(f"canary.{name}", sum(hits), len(hits)))
            counts = Counter(
                f"{one.kind}, {'found' if hit else 'missed'}" for one, hit in zip(planted, hits, strict=True)
            )
            tallies.append(Tally(check="canary", name=name, counts=dict(sorted(counts.items()))))
    if "duplicates" in names and sample:
        hits = _copies_found(draw, sample, policy)
        if hits:
            measures.append(rate("canary.duplicates", sum(hits), len(hits)))
    return measures, tallies


def _planted(
    draw: random.Random, sample: Sequence[Record], makers: dict[str, Make], policy: Policy, name: str
) -> Iterator[Planted]:
    """One planted thing in each record, in a turn of the user or the assistant, between two sentences."""
    wanted = policy.options.get(name, {}).get("kinds")
    kinds = [kind for kind in makers if not isinstance(wanted, list) or kind in wanted] or list(makers)
    for number, record in enumerate(sample):
        kind = kinds[number % len(kinds)]
        spoken = [n for n, m in enumerate(record.messages) if m.role in ("user", "assistant")]
        index = draw.choice(spoken or [0])
        words = makers[kind](draw)
        front, back = draw.choice(FRAMES[kind] if kind in FRAMES else FRAMES["secret"])
        content = record.messages[index].content
        ends = [at + 2 for at in range(len(content)) if content.startswith((". ", "? ", "! "), at)]
        at = draw.choice([*ends, len(content)])
        before = content[:at] + ("" if not at or content[at - 1].isspace() else " ") + front
        messages = list(record.messages)
        messages[index] = Message(role=messages[index].role, content=f"{before}{words}{back} {content[at:]}")
        copy = record.model_copy(update={"id": f"canary-{number}", "messages": tuple(messages)})
        yield Planted(copy, kind, index, len(before), len(before) + len(words))


def _found(name: str, planted: Sequence[Planted], policy: Policy) -> list[bool]:
    """Which planted things are covered by what the check found."""
    spans: dict[tuple[str, int], list[tuple[int, int]]] = {}
    options = as_told(policy.options.get(name, {}))
    for seen in checks[name]([one.record for one in planted], **options):
        if isinstance(seen, Finding):
            spans.setdefault((seen.record, seen.message), []).append((seen.start, seen.end))
    return [
        covered(one.start, one.end, spans.get((one.record.id, one.message), ())) >= COVERED for one in planted
    ]


def covered(start: int, end: int, spans: Sequence[tuple[int, int]]) -> float:
    """The share of the characters from `start` to `end` that lie in any of these spans."""
    inside = {at for low, high in spans for at in range(max(start, low), min(end, high))}
    return len(inside) / max(1, end - start)


def _copies_found(draw: random.Random, sample: Sequence[Record], policy: Policy) -> list[bool]:
    """Copies with other case and spacing, or with one word in twenty changed: which are found?"""
    copies = list[Record]()
    for number, record in enumerate(sample[: SAMPLE // 2]):
        exact = number % 2 == 0
        if len(record.text.split()) < 15 and not exact:
            continue
        messages = [
            m
            if m.role == "system"
            else Message(role=m.role, content=m.content.upper() + " " if exact else _edited(draw, m.content))
            for m in record.messages
        ]
        copies.append(record.model_copy(update={"id": f"canary-{number}", "messages": tuple(messages)}))
    options = as_told(policy.options.get("duplicates", {}))
    both = [*sample, *copies]
    seen = {f.record for f in checks["duplicates"](both, **options) if isinstance(f, Finding)}
    return [copy.id in seen for copy in copies]


def _edited(draw: random.Random, text: str) -> str:
    words = text.split(" ")
    for at in draw.sample(range(len(words)), max(1, len(words) // 20)) if len(words) >= 10 else ():
        words[at] = draw.choice(("indeed", "perhaps", "surely", "again", "today"))
    return " ".join(words)


# ── what is planted ─────────────────────────────────────────────────────────────────────────────


def _digits(draw: random.Random, n: int) -> str:
    return "".join(draw.choices(string.digits, k=n))


def _letters(draw: random.Random, n: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(draw.choices(alphabet, k=n))


def _email(draw: random.Random) -> str:
    name = f"{draw.choice(GIVEN)}{draw.choice(('.', '_', ''))}{draw.choice(FAMILY)}".lower()
    host, end = draw.choice(("mail", "post", "inbox")), draw.choice(("example", "org", "net", "de"))
    return f"{name}{draw.choice(('', _digits(draw, 2)))}@{host}.{end}"


def _phone(draw: random.Random) -> str:
    return draw.choice(
        (
            f"+1 ({draw.randint(201, 989)}) 555-0{_digits(draw, 3)}",
            f"{draw.randint(201, 989)}-555-0{_digits(draw, 3)}",
            f"+44 7{_digits(draw, 3)} {_digits(draw, 6)}",
            f"+49 30 {_digits(draw, 7)}",
            f"+33 6 {_digits(draw, 2)} {_digits(draw, 2)} {_digits(draw, 2)} {_digits(draw, 2)}",
        )
    )


def _card(draw: random.Random) -> str:
    body = draw.choice(("4", "51", "34"))
    body += _digits(draw, (14 if body == "34" else 15) - len(body))
    return f"{body}{_luhn(body)}"


def _luhn(body: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def _iban(draw: random.Random) -> str:
    country, account = "DE", _digits(draw, 18)
    rest = int(account + "".join(str(ord(c) - 55) for c in country) + "00") % 97
    return f"{country}{98 - rest:02d}{account}"


def _name(draw: random.Random) -> str:
    return f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}"


def _address(draw: random.Random) -> str:
    return (
        f"{draw.randint(2, 190)} {draw.choice(STREETS)} {draw.choice(('Street', 'Road', 'Avenue', 'Lane'))}"
    )


def _birth_date(draw: random.Random) -> str:
    day, month, year = draw.randint(13, 28), draw.randint(1, 12), draw.randint(1945, 2004)
    return draw.choice((f"{day}/{month:02d}/{year}", f"{year}-{month:02d}-{day}"))


def _ssn(draw: random.Random) -> str:
    return f"{draw.randint(100, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}"


def _ip(draw: random.Random) -> str:
    return ".".join(str(draw.randint(11, 220)) for _ in range(4))


PERSONAL: dict[str, Make] = {
    "email": _email,
    "phone": _phone,
    "name": _name,
    "address": _address,
    "card": _card,
    "iban": _iban,
    "birth_date": _birth_date,
    "national_id": _ssn,
    "ip": _ip,
}
SECRETS: dict[str, Make] = {
    "cloud key": lambda draw: "AKI" + "A" + _letters(draw, 16, string.ascii_uppercase + "234567"),
    "repository token": lambda draw: "gh" + "p_" + _letters(draw, 36),
    "chat token": lambda draw: f"xo{'x'}b-{_digits(draw, 12)}-{_digits(draw, 12)}-{_letters(draw, 24)}",
    "payment key": lambda draw: "sk" + "_live_" + _letters(draw, 24),
    "web token": lambda draw: f"ey{'J'}{_letters(draw, 30)}.ey{'J'}{_letters(draw, 60)}.{_letters(draw, 43)}",
    "password in a URL": lambda draw: _letters(draw, 14),
    "assigned key": lambda draw: _letters(draw, 32),
}
FRAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "email": (("Write to ", "."), ("My e-mail is ", ", thanks."), ("(", ")")),
    "phone": (("Call me on ", "."), ("My number is ", "."), ("Tel. ", ".")),
    "name": (
        ("My name is ", "."),
        ("Regards, ", "."),
        ("I spoke with ", " yesterday."),
        ("", " has not answered yet."),
    ),
    "address": (("I live at ", "."), ("Please send it to ", "."), ("The flat is ", ", second floor.")),
    "card": (("My card is ", "."), ("I paid with ", " last week.")),
    "iban": (("Refund it to ", "."), ("IBAN ", ".")),
    "birth_date": (("I was born on ", "."), ("Date of birth: ", ".")),
    "national_id": (("My social security number is ", "."), ("SSN ", ".")),
    "ip": (("It came from ", "."), ("My IP is ", ".")),
    "assigned key": (('It says api_key = "', '" there.'),),
    "password in a URL": (("It is postgres://app:", "@db.internal:5432/shop, I think."),),
    "secret": (("I used ", " there."), ("", " is what the log says."), ("Here: ", "")),
}
