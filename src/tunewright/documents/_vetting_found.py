"""What the checks found, what became of it, and how much of what is there they find."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from markupsafe import Markup

from tunewright.documents import Found, Limit, Vetting
from tunewright.documents import _plots as plots
from tunewright.documents._data import bare
from tunewright.documents._facts import sentence
from tunewright.documents._vetting_words import (
    SEVERITIES,
    Look,
    interval,
    kind,
    line,
    many,
    seen,
    where,
)
from tunewright.nouns import Measure, Severity
from tunewright.shelf import Shelf

EXAMPLES = 3
"""Places that are named for a reason."""


class Kind(NamedTuple):
    """One kind of finding, by its check."""

    check: str
    what: str
    name: str
    worst: Severity
    severity: str
    findings: int
    records: int
    done: str
    """What became of the records, as far as their ends name this kind."""
    notes: tuple[str, ...]
    places: tuple[str, ...]


class Check(NamedTuple):
    """One check: its title, the share of records it found something in, and the kinds."""

    name: str
    title: str
    rate: str
    n: int
    kinds: tuple[Kind, ...]


class Why(NamedTuple):
    """A reason for which records were held back, and some of their places."""

    reason: str
    n: int
    places: tuple[str, ...]


def checks(evidence: Vetting) -> list[Check]:
    """Every check that was run, those with findings first."""
    titles = {limit.plugin.partition("/")[2]: limit.title for limit in evidence.limits}
    rates = {m.name.partition(".")[2]: m for m in evidence.report.measures if m.name.startswith("vet.")}
    kinds = defaultdict[str, list[Kind]](list)
    for one in _kinds(evidence):
        kinds[one.check].append(one)
    rows = [
        Check(
            name,
            line(titles.get(name, ""), 300),
            interval(rates[name]) if name in rates else "",
            sum(k.findings for k in kinds[name]),
            tuple(kinds[name]),
        )
        for name in dict.fromkeys((*rates, *titles, *kinds))
    ]
    return sorted(rows, key=lambda row: (not row.kinds, _worst(row.kinds), -row.n, row.name))


def _worst(kinds: Iterable[Kind]) -> int:
    return min((SEVERITIES.index(k.worst) for k in kinds), default=9)


def _kinds(evidence: Vetting) -> list[Kind]:
    groups = defaultdict[tuple[str, str], list[Found]](list)
    for found in evidence.found:
        groups[found.check, found.what].append(found)
    edits = defaultdict[tuple[str, str], list[tuple[str, str]]](list)
    for edit in evidence.edits:
        edits[edit.check, edit.what].append((edit.note, where(edit.origin)))
    about = {(f.check, f.what) for f in evidence.about if not f.record}
    rows = list[Kind]()
    for (check, what), group in groups.items():
        if (check, what) in about and all(g.records <= 1 for g in group):
            continue  # of the whole, not of a record: it has a place of its own
        tiers = sorted({g.severity for g in group}, key=SEVERITIES.index)
        places = [*(one for g in group for one in g.examples), *edits[check, what]]
        rows.append(
            Kind(
                check,
                line(what, 60),
                line(kind(what), 80),
                tiers[0],
                ", ".join(tiers),
                sum(g.findings for g in group),
                max(sum(g.records for g in group), 0) if len(group) == 1 else _at_most(group, evidence),
                _done(evidence, check, what),
                tuple(dict.fromkeys(line(note, 160) for note, _ in places))[:EXAMPLES],
                tuple(dict.fromkeys(place for _, place in places))[:EXAMPLES],
            )
        )
    return sorted(rows, key=lambda k: (SEVERITIES.index(k.worst), -k.findings, k.what))


def _at_most(group: list[Found], evidence: Vetting) -> int:
    """Records with several severities of one kind are counted for each: never more than there are."""
    return min(sum(g.records for g in group), evidence.vetted.received)


def _done(evidence: Vetting, check: str, what: str) -> str:
    sums = dict[str, int]()
    for fate, n in evidence.vetted.fates.items():
        end, _, why = fate.partition(": ")
        if f"{check} ({what})" in why.removeprefix("waits for a person: ").split(", "):
            end = "waiting for a person" if why.startswith("waits for a person") else end
            sums[end] = sums.get(end, 0) + n
    states = dict[str, int]()
    for edit in evidence.edits:
        if (edit.check, edit.what) == (check, what) and edit.state in ("made", "accepted"):
            states["replaced"] = states.get("replaced", 0) + 1
        elif (edit.check, edit.what) == (check, what) and edit.state == "rejected":
            states["left, as a person said"] = states.get("left, as a person said", 0) + 1
    listed = (
        "" if len(evidence.edits) == evidence.edited else f" among the first {len(evidence.edits):,} changes"
    )
    told = [f"{many(n, 'record')} {'held back' if end == 'quarantined' else end}" for end, n in sums.items()]
    told += [f"{many(n, 'place')} {state}{listed}" for state, n in states.items()]
    return "; ".join(told) or "noticed only"


def plot(rows: list[Check]) -> Markup | None:
    """The most frequent kinds."""
    kinds = sorted((k for row in rows for k in row.kinds), key=lambda k: -k.findings)[:16]
    if not kinds:
        return None
    bars = [plots.Bar(f"{k.check}: {k.name}".replace("_", " "), k.findings, f"sev-{k.worst}") for k in kinds]
    says = "Findings by kind: " + ", ".join(
        f"{b.label} {b.n:,} ({k.worst})" for b, k in zip(bars, kinds, strict=True)
    )
    return plots.bars(bars, says=says)


def held(evidence: Vetting) -> list[Why]:
    """Why records were dropped or held back by vet, with places to look at. Only reasons, never words.

    Reasons that differ in a number or a place only are one; the first of them is shown.
    """
    groups = defaultdict[str, list[tuple[str, str]]](list)
    for reject in evidence.rejects:
        end, _, why = reject.reason.partition(": ")
        groups[f"{end}: {bare(why)}"].append((seen(reject.reason), where(reject.origin)))
    rows = [
        Why(line(rows[0][0], 220), len(rows), tuple(place for _, place in rows[:EXAMPLES]))
        for rows in groups.values()
    ]
    return sorted(rows, key=lambda row: -row.n)[:40]


class Planted(NamedTuple):
    """How many of one planted kind were found."""

    check: str
    kind: str
    found: int
    of: int

    @property
    def all_found(self) -> bool:
        """Whether none was missed."""
        return self.found == self.of


CANARY = {
    "personal": "personal data",
    "secrets": "secrets",
    "duplicates": "copies, changed a little",
}
AUDIT = {
    "audit.personal.recall": "personal data found of what a person marked",
    "audit.personal.precision": "finds that a person calls right",
}


def recall(evidence: Vetting) -> Markup | None:
    """Canaries and audit as intervals on one axis."""
    spans = list[plots.Span]()
    for m in evidence.report.measures:
        first, _, name = m.name.partition(".")
        label = AUDIT.get(m.name) or f"planted {CANARY.get(name, name.replace('_', ' '))}"
        if first in ("canary", "audit") and m.n:
            look: Look = "same" if first == "canary" else "better"
            spans.append(plots.Span(line(label, 60), m.value, m.low, m.high, look, f"{interval(m)}"))
    if not spans:
        return None
    says = "Share found, with 95% intervals: " + "; ".join(f"{s.label} {s.told}" for s in spans)
    return plots.intervals(
        spans, says=says, axis="share found, %", tick=lambda v: f"{100 * v:.0f}%", bounds=(0.0, 1.0)
    )


def measured(evidence: Vetting, first: str) -> list[Measure]:
    """Measures whose names begin so, and that measured something."""
    return [m for m in evidence.report.measures if m.name.partition(".")[0] == first and m.n]


def planted(evidence: Vetting) -> list[Planted]:
    """Kind by kind, the worst first."""
    found, of = dict[tuple[str, str], int](), dict[tuple[str, str], int]()
    for tally in evidence.tallies:
        if tally.check == "canary":
            for said, n in tally.counts.items():
                what, _, hit = said.rpartition(", ")
                key = tally.name, what
                of[key] = of.get(key, 0) + n
                found[key] = found.get(key, 0) + (n if hit == "found" else 0)
    rows = [
        Planted(CANARY.get(check, line(check, 40)), line(kind(what), 60), found[check, what], n)
        for (check, what), n in of.items()
    ]
    return sorted(rows, key=lambda row: (row.found / max(1, row.of), row.check, row.kind))


class Other(NamedTuple):
    """A measure without a plot of its own."""

    name: str
    told: str
    n: int
    method: str


def others(evidence: Vetting) -> list[Other]:
    """Everything else that was measured."""
    return [
        Other(
            line(m.name.replace("_", " ").replace(".", ": ", 1), 80),
            interval(m),
            m.n,
            line(m.method, 200),
        )
        for m in evidence.report.measures
        if m.name.partition(".")[0] not in ("vet", "canary", "audit")
    ]


def not_looked(evidence: Vetting) -> list[tuple[str, str]]:
    """Checks that the policy does not name, and what they would look at."""
    shelf: Shelf[Callable[..., object]] = Shelf("tunewright.checks")
    ran = {plugin.partition("/")[2] for plugin in evidence.report.plugins}
    return [(name, shelf.about(name)[0]) for name in shelf if name not in ran]


def limits(evidence: Vetting) -> tuple[Limit, ...]:
    """What each check that was used says it cannot see."""
    return tuple(
        limit._replace(limits=sentence(line(limit.limits, 2000).replace("`", "")))
        for limit in evidence.limits
    )
