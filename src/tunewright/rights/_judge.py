"""One answer for each use of a tuned model, from everything that went into it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from tunewright.packs import Licence, datasets, licences, terms
from tunewright.rights._known import writers
from tunewright.rights._meaning import (
    USES,
    Intent,
    Reason,
    Role,
    Row,
    Side,
    both,
)
from tunewright.rights._reading import leaves, read
from tunewright.rights._shapes import Branch, Data, Permission, Rights, Teacher
from tunewright.rights._sides import side_of_data, side_of_generator, side_of_licence

MEANT = Intent()
"""Commercial own use, which is what is asked when nothing is said."""

CONFLICT: Row = ("allowed", "allowed", "allowed", "a person must decide")
CARRIED = (
    "attribution",
    "notices",
    "licence_text",
    "state_changes",
    "share_alike",
    "copyleft",
    "non_commercial",
    "use_restrictions",
    "naming",
    "display",
    "output_naming",
    "output_display",
    "output_derivative",
    "user_threshold",
    "revenue_threshold",
    "registration",
    "region",
    "disagreement",
)
"""Flags of clauses that ask something of whoever passes the model on."""


def judge(
    data: Iterable[Data],
    *,
    base: str | None = None,
    teachers: Iterable[Teacher] = (),
    intent: Intent = MEANT,
) -> Rights:
    """What a model that is tuned from `base` on `data` may be used for, and what it must carry.

    `base` is the licence of the base model; None leaves it out, an empty text means that it is not known.
    `teachers` are models whose outputs are learnt from, or facts about the generators that `data` names.
    Licences joined by OR are read as the one that suits `intent` best, those joined by AND all hold. The
    order does not matter, a further licence never makes more allowed, and what is unknown allows nothing.
    """
    taught = sorted(teachers)
    facts = _facts(taught)
    tree = read(base).tree if base is not None else None
    family = frozenset(leaves(tree)) if tree is not None else frozenset[str]()
    branches, sides = list[Branch](), list[Side]()
    for part, sources in _grouped(data):
        side = side_of_data(part, intent, facts, family)
        sides.append(side)
        name = read(part.licence).expression or part.licence.strip() or "NOASSERTION"
        branches.append(_branch(name, "data", sources, side))
    for teacher in taught:
        side = side_of_generator(teacher.name, facts, family, intent)
        sides.append(side)
        branches.append(_branch(teacher.name, "teacher", Counter({teacher.source: teacher.records}), side))
    if base is not None:
        side = side_of_licence(base, "base", intent)
        sides.append(side)
        branches.append(_branch(read(base).expression or base or "NOASSERTION", "base", Counter(), side))
    whole = both(sides)
    clashes = _clashes(whole.used)
    whole = both([whole, *(Side(clash.row, (clash,)) for clash in clashes)])
    freest, why = _freest(whole, bool(clashes), base)
    reasons = whole.reasons
    return Rights(
        verdict=whole.on(intent.uses) if sides else "unknown",
        permissions=tuple(_permission(whole, at) for at in range(len(USES))) if sides else _nothing(),
        carries=_carried(reasons),
        reasons=reasons,
        credits=_credits(branches),
        texts=tuple(sorted({r.licence for r in reasons if r.flag in ("licence_text", "notices")})),
        prefix=next((r.text for r in reasons if r.flag in ("naming", "output_naming")), ""),
        blocks=tuple(r for r in reasons if any(r.on(use) == "blocked" for use in intent.uses)),
        tree=tuple(sorted(branches)),
        freest=freest,
        freest_why=why,
        questions=_questions(whole, branches, base),
        looked_at=min(licences().looked_at, terms().looked_at, datasets().looked_at),
    )


def _carried(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """One reason for each licence, flag and wording, whatever the part in which the licence occurs."""
    found = dict[tuple[str, str, str], Reason]()
    for reason in reasons:
        if reason.flag in CARRIED:
            found.setdefault((reason.licence, reason.flag, reason.text), reason)
    return tuple(found.values())


def _nothing() -> tuple[Permission, ...]:
    return tuple(Permission(use, "unknown", ()) for use in USES)


def _facts(teachers: Sequence[Teacher]) -> dict[str, Teacher]:
    """Facts by what binds the outputs; of two statements the less comfortable one counts."""
    found = dict[str, Teacher]()
    for teacher in teachers:
        for writer in writers(teacher.name):
            if writer.id:
                other = found.get(writer.id, teacher)
                found[writer.id] = teacher._replace(
                    accepted=_worse(teacher.accepted, other.accepted),
                    competing=_worse(teacher.competing, other.competing),
                )
    return found


def _worse(one: bool | None, other: bool | None) -> bool | None:
    """True before not stated before False."""
    return True if True in (one, other) else None if None in (one, other) else False


def _grouped(data: Iterable[Data]) -> list[tuple[Data, Counter[str]]]:
    groups = defaultdict[Data, Counter[str]](Counter)
    for part in data:
        key = part._replace(records=0, source="", upstream=tuple(sorted(set(part.upstream))))
        groups[key][part.source] += part.records
    return sorted(groups.items(), key=lambda item: item[0])


def _branch(name: str, role: Role, sources: Counter[str], side: Side) -> Branch:
    ordered = tuple(
        sorted(((s, n) for s, n in sources.items() if s or n), key=lambda item: (-item[1], item[0]))
    )
    return Branch(name, role, sum(sources.values()), ordered, side.row, side.reasons)


def _permission(whole: Side, at: int) -> Permission:
    answer = whole.row[at]
    because = () if answer == "allowed" else tuple(r for r in whole.reasons if r.row[at] == answer)
    return Permission(USES[at], answer, because)


def _credits(branches: Sequence[Branch]) -> tuple[tuple[str, str], ...]:
    found = {
        (source, reason.licence)
        for branch in branches
        for reason in branch.reasons
        if reason.flag == "attribution"
        for source, _ in branch.sources or (("", 0),)
    }
    return tuple(sorted(found))


# ── licences that do not go together ────────────────────────────────────────────────────────────


def _demands(used: Iterable[tuple[Role, str]]) -> dict[str, Licence]:
    """Licences that limit under which licence the tuned model can be passed on."""
    found = dict[str, Licence]()
    for role, name in used:
        licence = licences().licences[name]
        strict = licence.has("share_alike", "copyleft", "non_commercial", "no_derivatives")
        if role == "base":
            strict += licence.has("use_restrictions", "naming", "user_threshold", "revenue_threshold")
        if role != "teacher" and strict:
            found[name] = licence
    return found


def _clashes(used: Iterable[tuple[Role, str]]) -> list[Reason]:
    found = list[Reason]()
    for one, other in combinations(sorted(_demands(used).values(), key=lambda licence: licence.id), 2):
        said = _clash(one, other) or _clash(other, one)
        if said:
            name = f"{one.id} and {other.id}"
            found.append(Reason(name, "conflict", said, "", "data", CONFLICT, rule="cautious"))
    return found


def _clash(one: Licence, other: Licence) -> str:
    """Why a model cannot be passed on under both, when the first asks for itself alone."""
    alike = one.has("share_alike", "copyleft")
    if not alike:
        return ""
    if other.has("share_alike", "copyleft"):
        if _ends(one.id) & _ends(other.id):
            return ""
        return f"{one.id} ({alike[0].ref}) and {other.id} each ask that the whole comes under themselves"
    if other.has("non_commercial") and not one.has("non_commercial"):
        return f"{one.id} ({alike[0].ref}) forbids further conditions, {other.id} asks for non-commercial use"
    if other.has("use_restrictions", "naming", "user_threshold", "revenue_threshold"):
        return f"{one.id} ({alike[0].ref}) forbids further conditions, {other.id} asks that its own go along"
    return ""


def _ends(name: str) -> set[str]:
    """The licences under which an adaptation of what is under one may be passed on."""
    return {name} | _later(name)


def _later(name: str) -> set[str]:
    """The licences into which one may be changed, over several steps."""
    found, todo = set[str](), [name]
    while todo:
        for other in licences().later.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _freest(whole: Side, clash: bool, base: str | None) -> tuple[str, str]:
    unknown = sorted({r.licence for r in whole.reasons if r.flag == "unknown"})
    if unknown:
        return "", f"not known, because of {', '.join(unknown)}"
    demands = _demands(whole.used)
    shut = sorted(name for name, licence in demands.items() if licence.has("no_derivatives"))
    if shut:
        return "", f"none: {', '.join(shut)} does not let adaptations be shared"
    if clash:
        return "", f"none: {', '.join(sorted(demands))} do not go together"
    open_ends = sorted({r.licence for r in whole.reasons if r.row[3] in ("blocked",) and r.role == "teacher"})
    if open_ends:
        return "", f"none: {', '.join(open_ends)} forbids to learn from its outputs"
    kept = sorted(name for name in demands if not _later(name) & set(demands))
    alike = [name for name in kept if demands[name].has("share_alike", "copyleft")]
    if len(alike) > 1:
        shared = set.intersection(*(_ends(name) for name in alike))
        if not shared:
            return "", f"none: {', '.join(alike)} do not go together"
        nearest = min(shared, key=lambda name: (-len(_ends(name)), name))
        kept = sorted({*kept, nearest} - (set(alike) - {nearest}))
    if kept:
        return " AND ".join(kept), "what is tuned cannot be freer than what it is made from"
    if base is None:
        return "", "the licence of the base model was not stated"
    names = sorted({name for role, name in whole.used if role == "base"})
    return " AND ".join(names), "that of the base model; nothing in the data asks for a stricter one"


def _questions(whole: Side, branches: Sequence[Branch], base: str | None) -> tuple[str, ...]:
    asked = set[str]()
    if base is None:
        asked.add("Which licence has the base model?")
    for reason in whole.reasons:
        if reason.flag == "output_competing" and reason.row[0] == "a person must decide":
            name = terms().providers[reason.licence].name
            asked.add(f"Did you accept the terms of {name}, and does your model compete with theirs?")
        elif reason.flag == "unknown":
            asked.add(
                f"What does {reason.licence} allow?" if reason.licence != "NOASSERTION" else "Which licence?"
            )
        elif reason.flag == "permission":
            asked.add(f"Which permission do you have for what is under {reason.licence}?")
        elif reason.flag in ("user_threshold", "revenue_threshold", "region") and "duties" in " ".join(
            reason.row
        ):
            asked.add(f"{reason.licence}: does this apply to you? {reason.says}")
        elif reason.flag == "conflict":
            asked.add(f"Which of them holds? {reason.says}.")
        elif reason.flag in ("share_alike", "copyleft") and reason.row[3] == "a person must decide":
            asked.add(f"Does {reason.licence} reach the tuned model? {reason.says}")
    return tuple(sorted(asked))
