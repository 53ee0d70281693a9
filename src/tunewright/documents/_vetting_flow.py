"""From what came in to what may be tuned on, step by step, in sums that can be checked."""

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup

from tunewright.documents import Vetting
from tunewright.documents import _plots as plots
from tunewright.documents._data import FATES, Fate, bare
from tunewright.documents._vetting_words import line, many, seen
from tunewright.nouns import Dataset

PAST = {
    "kept": "kept as they came",
    "cleaned": "cleaned: what was found was replaced",
    "dropped": "dropped",
    "quarantined": "held back",
    "other": "other",
}
FIRST = 14
"""Reasons that the plot shows; the table has all."""


class Part(NamedTuple):
    """How many records met which end, and why."""

    fate: Fate
    why: str
    n: int

    @property
    def label(self) -> str:
        """In a few words."""
        return f"{PAST[self.fate]}: {self.why}" if self.why else PAST[self.fate]


class Stage(NamedTuple):
    """One step: what went into it, what became of it, what came out."""

    name: str
    received: int
    parts: tuple[Part, ...]
    out: int

    @property
    def adds_up(self) -> bool:
        """Whether every record is accounted for."""
        through = sum(p.n for p in self.parts if p.fate in ("kept", "cleaned"))
        return sum(p.n for p in self.parts) == self.received and through == self.out

    def of(self, *fates: Fate) -> int:
        """How many met one of these ends."""
        return sum(p.n for p in self.parts if p.fate in fates)


class Flow(NamedTuple):
    """Both steps: what gather kept is what vet received."""

    gather: Stage
    vet: Stage

    @property
    def adds_up(self) -> bool:
        """Whether both sums hold, and the second begins where the first ends."""
        return self.gather.adds_up and self.vet.adds_up and self.gather.out == self.vet.received


def flow(evidence: Vetting) -> Flow:
    """The fates of both steps, with the reasons."""
    return Flow(_stage("gather", evidence.gathered), _stage("vet", evidence.vetted))


def _stage(name: str, dataset: Dataset) -> Stage:
    sums = dict[tuple[Fate, str], int]()
    for said, n in dataset.fates.items():
        first, _, why = said.partition(": ")
        fate: Fate = next((f for f in FATES if f == first), "other")
        key = fate, line(bare(seen(why if fate != "other" else said)))
        sums[key] = sums.get(key, 0) + n
    parts = (Part(fate, why, n) for (fate, why), n in sums.items())
    ordered = sorted(parts, key=lambda p: (FATES.index(p.fate), -p.n, p.why))
    return Stage(name, dataset.received, tuple(ordered), dataset.count)


def cascade(whole: Flow) -> Markup:
    """Each end of both steps as a piece of what came in."""
    pieces = [p for p in reversed(whole.gather.parts) if p.fate != "kept"] + list(reversed(whole.vet.parts))
    shown = [plots.Bar(p.label, p.n, p.fate) for p in _few(pieces)]
    says = f"{many(whole.gather.received, 'record')} came in: " + "; ".join(
        f"{b.n:,} {b.label}" for b in shown
    )
    return plots.cascade(shown, says=says, whole="came in")


def _few(parts: Iterable[Part]) -> list[Part]:
    """The most frequent reasons; of each end the rest in one."""
    given = list(parts)
    if len(given) <= FIRST:
        return given
    large = sorted((p for p in given if p.fate not in ("kept", "cleaned")), key=lambda p: -p.n)[: FIRST - 4]
    kept = list[Part]()
    for part in given:
        if part in large or part.fate in ("kept", "cleaned"):
            kept.append(part)
        elif (
            rest := next((n for n, p in enumerate(kept) if (p.fate, p.why) == (part.fate, _REST)), None)
        ) is None:
            kept.append(Part(part.fate, _REST, part.n))
        else:
            kept[rest] = Part(part.fate, _REST, kept[rest].n + part.n)
    return kept


_REST = "for other reasons"
