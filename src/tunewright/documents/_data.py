"""What became of the data: from what came in to what went into training, without a word of anybody's text."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

from tunewright.documents import Evidence
from tunewright.nouns import Finding


def licences(evidence: Evidence) -> list[str]:
    """Licences of the records that went into training; of all sources when nobody counted."""
    return sorted(
        {k.licence or "NOASSERTION" for k in evidence.kept} or {s.licence for s in evidence.vetted.sources}
    )


def licences_told(evidence: Evidence) -> str:
    """The licences in a sentence that says whose they are."""
    names = ", ".join(licences(evidence)) or "not recorded"
    if evidence.kept:
        return f"Licences of the records that went into training: {names}."
    return f"Licences of all sources: {names}. Whose records went into training was not counted."


def licence_note(evidence: Evidence) -> str:
    """Whether base and data have the same licence. What that means is not decided here."""
    data, base = licences(evidence), evidence.base.licence
    if data == [base]:
        return f"Base model and data have the same licence, {base}."
    return (
        f"The licences of base model ({base}) and data ({', '.join(data)}) differ. The model card "
        "names the base model's; whether both can be kept to at once was not decided here."
    )


Fate = Literal["kept", "cleaned", "dropped", "quarantined", "other"]
FATES: tuple[Fate, ...] = get_args(Fate)


class Part(NamedTuple):
    """How many records met which end, and at which step."""

    step: Literal["gather", "vet"]
    fate: Fate
    why: str
    n: int

    @property
    def label(self) -> str:
        """In a few words."""
        if self.fate in ("kept", "cleaned"):
            return {"kept": "kept as they came", "cleaned": "cleaned: what was found was replaced"}[self.fate]
        before = "set aside when read" if self.step == "gather" and self.fate == "quarantined" else self.fate
        return self.why if self.fate == "other" else f"{before}: {self.why}" if self.why else before


class Flow(NamedTuple):
    """From what came in to what went into training."""

    received: int
    parts: tuple[Part, ...]
    learnt: int

    @property
    def adds_up(self) -> bool:
        """Whether every record is accounted for."""
        kept = sum(p.n for p in self.parts if p.fate in ("kept", "cleaned"))
        return sum(p.n for p in self.parts) == self.received and kept == self.learnt


def flow(evidence: Evidence) -> Flow:
    """The fates of gather and vet in one sum: what gather kept is what vet received."""
    gathered, vetted = evidence.gathered, evidence.vetted
    parts = list(_parts("vet", vetted.fates))
    received = vetted.received
    if gathered.digest != vetted.digest and gathered.count == vetted.received:
        parts = [p for p in _parts("gather", gathered.fates) if p.fate != "kept"] + parts
        received = gathered.received
    parts.sort(key=lambda p: (p.step == "vet", -FATES.index(p.fate), -p.n))
    return Flow(received, tuple(parts), vetted.count)


def _parts(step: Literal["gather", "vet"], fates: dict[str, int]) -> Iterator[Part]:
    sums: dict[tuple[Fate, str], int] = {}
    for said, count in fates.items():
        first, _, why = said.partition(": ")
        fate: Fate = next((f for f in FATES if f == first), "other")
        key = (fate, bare(why) if fate != "other" else bare(said))
        sums[key] = sums.get(key, 0) + count
    for (fate, why), count in sums.items():
        yield Part(step, fate, why, count)


def bare(reason: str) -> str:
    """A reason without what a row may hold: quotations, places, addresses and numbers are left out."""
    reason = re.sub(r"([\"'`])(?:(?!\1).)+\1|“[^”]*”|«[^»]*»", "…", reason)
    reason = re.sub(r"evaluation case \S+", "an evaluation case", reason)
    reason = re.sub(r"repeats record .+? (?=word for word|nearly)", "repeats another record ", reason)
    reason = re.sub(r"\S+:\d+", "another row", reason)
    reason = re.sub(r"\S*@\S*", "…", reason)
    reason = re.sub(r"\d+(?:\.\d+)?", "N", reason)
    return reason if len(reason) <= 160 else f"{reason[:159]}…"


class Found(NamedTuple):
    """What a check noticed."""

    check: str
    what: str
    severity: str
    findings: int
    records: int
    done: str


def found(evidence: Evidence) -> list[Found]:
    """Findings by check and kind, and what became of the records where a reason names that kind."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in evidence.findings:
        groups.setdefault((finding.check, finding.what), []).append(finding)
    rows = [
        Found(
            check,
            what,
            ", ".join(sorted({f.severity for f in group})),
            len(group),
            len({f.record for f in group}),
            _done(evidence.vetted.fates, check, what),
        )
        for (check, what), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (row.check, -row.findings))


def _done(fates: dict[str, int], check: str, what: str) -> str:
    sums: dict[str, int] = {}
    for fate, count in fates.items():
        first, _, why = fate.partition(": ")
        if f"{check} ({what})" in why.split(", "):
            sums[first] = sums.get(first, 0) + count
    return ", ".join(f"{count} {fate}" for fate, count in sorted(sums.items())) or "cleaned or kept"


def unfound(evidence: Evidence, rows: Sequence[Found]) -> list[str]:
    """Checks that were run and noticed nothing."""
    ran = [p.partition("/")[2] for p in evidence.data_report.plugins]
    return [check for check in ran if check not in {row.check for row in rows}]
