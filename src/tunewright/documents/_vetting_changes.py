"""The changes, grouped by kind, each with what stands around it."""

from collections import Counter, defaultdict
from typing import Literal, NamedTuple

from tunewright.documents import Vetting
from tunewright.documents._vetting_words import Look, kind, line, seen, where
from tunewright.nouns import Edit

State = Literal["made", "waiting", "accepted", "rejected"]
STATE: dict[State, tuple[str, Look]] = {
    "waiting": ("waiting for a person", "well"),
    "made": ("made", "same"),
    "accepted": ("accepted", "better"),
    "rejected": ("rejected: left as it was", "worse"),
}
LONGEST = 1200
"""Characters of a change that are shown."""


class Shown(NamedTuple):
    """One change, with every character visible."""

    id: str
    where: str
    turn: int
    note: str
    state: State
    told: str
    look: Look
    left: str
    before: str
    after: str
    right: str
    remedy: str


class Group(NamedTuple):
    """All changes of one kind."""

    id: str
    name: str
    called: str
    changes: tuple[Shown, ...]
    states: tuple[tuple[str, Look, int], ...]


def groups(evidence: Vetting) -> list[Group]:
    """By check and kind: those with most changes that wait first, then the largest."""
    kinds = defaultdict[tuple[str, str], list[Edit]](list)
    for edit in evidence.edits:
        kinds[edit.check, edit.what].append(edit)
    rows = list[tuple[int, Group]]()
    for number, ((check, what), edits) in enumerate(kinds.items(), 1):
        states = Counter(e.state for e in edits)
        told = tuple((*STATE[s], states[s]) for s in STATE if states[s])
        group = Group(
            f"kind-{number}",
            f"{line(check, 60)}.{line(what, 60)}",
            line(kind(what), 80),
            tuple(_shown(e) for e in edits),
            told,
        )
        rows.append((states["waiting"], group))
    return [g for _, g in sorted(rows, key=lambda r: (-r[0], -len(r[1].changes), r[1].name))]


def _shown(edit: Edit) -> Shown:
    told, look = STATE[edit.state]
    return Shown(
        edit.change[:10],
        where(edit.origin),
        edit.message + 1,
        line(edit.note, 300),
        edit.state,
        told,
        look,
        seen(edit.left),
        _cut(edit.before),
        _cut(edit.after),
        seen(edit.right),
        edit.remedy,
    )


def _cut(text: str) -> str:
    return seen(
        text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST:,} characters more)"
    )
