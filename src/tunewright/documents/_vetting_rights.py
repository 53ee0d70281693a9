"""What the licences allow, seen from the tuned model: uses, duties, obstacles, and where each comes from."""

from typing import NamedTuple

from tunewright.documents import Vetting
from tunewright.documents._vetting_words import ANSWER, SIGNS, USE, Look, join, line, share
from tunewright.rights import Answer, Permission, Reason, Rights


class Clause(NamedTuple):
    """A clause and its place."""

    licence: str
    says: str
    ref: str
    url: str
    careful: str
    """How sure the reading is, where that is worth a word."""


class Use(NamedTuple):
    """One use and its answer."""

    name: str
    answer: Answer
    look: Look
    sign: str
    because: tuple[Clause, ...]
    duties: str
    """Whose duties go with it, when that is all: they are listed once."""


class Twig(NamedTuple):
    """A source below a licence."""

    name: str
    n: int
    share: str


class Branch(NamedTuple):
    """A licence, its records, and what it means for each use."""

    licence: str
    role: str
    n: int
    share: str
    wide: float
    sources: tuple[Twig, ...]
    more: int
    answers: tuple[tuple[str, Answer, Look, str], ...]


class Told(NamedTuple):
    """The whole answer, arranged."""

    verdict: Answer
    look: Look
    sentence: str
    uses: tuple[Use, ...]
    tree: tuple[Branch, ...]
    carries: tuple[Clause, ...]
    blocks: tuple[Clause, ...]
    rights: Rights


SOURCES = 12


def told(evidence: Vetting) -> Told | None:
    """None when licences could not be judged."""
    rights = evidence.rights
    if rights is None:
        return None
    data = sum(b.records for b in rights.tree if b.role == "data")
    return Told(
        rights.verdict,
        ANSWER[rights.verdict],
        sentence(rights),
        tuple(_use(p) for p in rights.permissions),
        tuple(
            Branch(
                line(b.licence, 80) or "none stated",
                b.role,
                b.records,
                share(b.records, data) if b.role == "data" else "",
                100 * b.records / data if data and b.role == "data" else 0,
                tuple(Twig(line(s, 80), n, share(n, data)) for s, n in b.sources[:SOURCES]),
                max(0, len(b.sources) - SOURCES),
                tuple((name, a, ANSWER[a], SIGNS[a]) for name, a in zip(USE.values(), b.row, strict=True)),
            )
            for b in sorted(rights.tree, key=lambda b: (b.role != "data", -b.records, b.licence))
        ),
        clauses(rights.carries),
        clauses(rights.blocks),
        rights,
    )


def _use(permission: Permission) -> Use:
    duties = permission.answer == "allowed with duties"
    return Use(
        USE[permission.use],
        permission.answer,
        ANSWER[permission.answer],
        SIGNS[permission.answer],
        () if duties else clauses(permission.because),
        join(list(dict.fromkeys(line(r.licence, 80) for r in permission.because))) if duties else "",
    )


def sentence(rights: Rights) -> str:
    """The answer for each use, in one sentence."""
    groups = dict[Answer, list[str]]()
    for p in rights.permissions:
        groups.setdefault(p.answer, []).append(USE[p.use])
    return "; ".join(f"{', '.join(uses)}: {answer}" for answer, uses in groups.items())


def clauses(reasons: tuple[Reason, ...]) -> tuple[Clause, ...]:
    """Reasons as clauses, each once."""
    rows = [
        Clause(
            line(r.licence, 80),
            line(r.says, 400),
            line(r.ref, 160),
            r.url if r.url.startswith("https://") else "",
            "careful reading"
            if r.rule == "cautious"
            else ""
            if r.certainty == "read"
            else f"from {_sure(r)}",
        )
        for r in reasons
    ]
    return tuple(dict.fromkeys(rows))


def _sure(reason: Reason) -> str:
    return "a secondary source" if reason.certainty == "secondary" else "memory: read the text"
