"""What to do next: whatever in the evidence asks for a person, the most pressing first."""

from typing import NamedTuple

from tunewright.documents import Vetting
from tunewright.documents._vetting_found import measured, planted
from tunewright.documents._vetting_words import SEVERITIES, SEVERITY, USE, Look, interval, join, line, many
from tunewright.nouns import Severity

WORDS: dict[Severity, str] = {"high": "before tuning", "medium": "look at", "low": "know"}


class Advice(NamedTuple):
    """One thing to do."""

    severity: Severity
    what: str
    why: str
    anchor: str = ""

    @property
    def look(self) -> Look:
        """The badge."""
        return SEVERITY[self.severity]

    @property
    def word(self) -> str:
        """How pressing it is."""
        return WORDS[self.severity]


def advice(evidence: Vetting) -> list[Advice]:
    """What a person should look at, decide or add."""
    rows = [*_changes(evidence), *_rights(evidence), *_whole(evidence), *_recall(evidence), *_facts(evidence)]
    return sorted(rows, key=lambda row: SEVERITIES.index(row.severity))


def waiting(evidence: Vetting) -> tuple[int, bool]:
    """How many listed changes wait for a person, and whether the list is complete."""
    return sum(e.state == "waiting" for e in evidence.edits), len(evidence.edits) == evidence.edited


def _changes(evidence: Vetting) -> list[Advice]:
    n, whole = waiting(evidence)
    if n:
        told = f"{many(n, 'change')} {'waits' if n == 1 else 'wait'} for a person"
        told = told if whole else f"At least {told}"
        return [
            Advice(
                "high", told, "Run tunewright review; the records stay out until somebody decided.", "found"
            )
        ]
    made = sum(e.state == "made" for e in evidence.edits)
    if made:
        return [
            Advice(
                "low",
                f"{many(evidence.edited, 'change')} can be reviewed",
                "changes.html shows each before and after; tunewright review accepts or takes back.",
                "found",
            )
        ]
    return []


def _rights(evidence: Vetting) -> list[Advice]:
    rights = evidence.rights
    if rights is None:
        return []
    rows = [
        Advice("high" if rights.verdict == "blocked" else "medium", f"{line(r.licence, 60)}: {line(r.says)}",
               f"Stands in the way ({line(r.ref, 120)}).", "rights")
        for r in rights.blocks
    ]  # fmt: skip
    open_ = [p for p in rights.permissions if p.answer in ("a person must decide", "unknown")]
    if rights.questions:
        count = many(len(rights.questions), "question")
        uses = join([USE[p.use] for p in open_])
        rows.append(
            Advice(
                "medium" if open_ else "low",
                f"{count} to a person about licences: {line(rights.questions[0], 160)}",
                f"The answer decides on {uses}." if open_ else "The answers so far rest on what is known.",
                "rights",
            )
        )
    return rows


def _whole(evidence: Vetting) -> list[Advice]:
    return [
        Advice(
            f.severity,
            line(f.note[:1].upper() + f.note[1:], 300),
            f"{f.check.replace('_', ' ')}{f'; {line(f.evidence, 160)}' if f.evidence else ''}",
            "mixture" if f.check == "representation" else "found",
        )
        for f in evidence.about
    ]


def _recall(evidence: Vetting) -> list[Advice]:
    rows = list[Advice]()
    missed = [p for p in planted(evidence) if p.found < 0.8 * p.of]
    if missed:
        kinds = join([f"{p.kind} ({p.found} of {p.of})" for p in missed[:6]])
        rows.append(
            Advice(
                "medium",
                f"Planted and often missed: {kinds}",
                "What is there of these kinds may have stayed.",
                "recall",
            )
        )
    ran = {plugin.partition("/")[2] for plugin in evidence.report.plugins}
    audits = measured(evidence, "audit")
    if "personal" in ran and not audits:
        rows.append(
            Advice(
                "low",
                "How much personal data was missed in your own records is not measured",
                "tunewright vet --audit 50 asks a person to mark 50 records, and reports the recall.",
                "recall",
            )
        )
    for m in audits:
        if m.name.endswith("recall") and m.low < 0.8:
            rows.append(
                Advice("medium", f"The check found {interval(m)} of the personal data that a person marked",
                       "The rest is still in the records.", "recall")
            )  # fmt: skip
    return rows


def _facts(evidence: Vetting) -> list[Advice]:
    lacking = [s for s in evidence.gathered.sources if s.missing]
    if not lacking:
        return []
    names = join(
        [line(s.name, 60) for s in lacking[:4]] + ([f"{len(lacking) - 4} more"] if len(lacking) > 4 else [])
    )
    return [
        Advice(
            "medium" if any("licence" in s.missing for s in lacking) else "low",
            f"Facts of provenance are missing for {names}",
            "Nobody stated them; add them to the source in tunewright.yaml.",
            "provenance",
        )
    ]
