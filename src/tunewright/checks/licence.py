from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tunewright.checks import Whole
from tunewright.nouns import Finding, Severity, Source, Tally
from tunewright.packs import Known, licences
from tunewright.rights import (
    Answer,
    Data,
    Intent,
    Reason,
    Rights,
    Side,
    judge,
    nearest,
    part_of,
    read,
    recognise,
    side_of_data,
    worst,
    writers,
)

SERIOUS: dict[str, tuple[str, Severity]] = {
    "blocked": ("blocked", "high"),
    "unknown": ("unknown", "high"),
    "a person must decide": ("decide", "medium"),
}
"""Answers that speak against a record: the kind of the finding, and how bad it is."""

SURE = {"read": "text read", "secondary": "from another account of the text", "memory": "from memory"}
"""How sure the table is of a clause."""

HINTS = 50
"""How many unknown names are compared with those in the table."""


def licence(
    records: Whole,
    *,
    sources: tuple[Source, ...] = (),
    commercial: bool = True,
    publish: bool = False,
    base: str = "",
    allow: tuple[str, ...] = (),
) -> Iterator[Finding | Tally]:
    """Whether licences and the terms of generators allow to tune on each record, and what they ask for.

    Finds, record by record, `none` (no licence is given), `unknown` (it cannot be read as SPDX or by a name
    of the table, or the terms of the generator are not known), `blocked` (a clause forbids the use that is
    meant) and `decide` (a person has to say whether a clause applies). For the data as a whole: one finding
    for each duty such as `attribution` or `share_alike`, `conflict` for licences that do not go together,
    `base` for what the base model's licence does not allow, and `known` for a source whose name or origin
    speaks of a dataset with a trap. Own use is always meant; `commercial` and `publish` (weights or access
    are given to others) say what else. `base` is the base model's licence. `allow` names licences, and
    providers such as `openai`, on which a person has decided: they no longer speak against a record.
    Counts records by licence when `sources` are given.

    Sources: SPDX specification 2.3 for expressions and NOASSERTION; the clauses with their sources stand in
    the packs, and each finding names clause and date.

    Limits: not legal advice. Believes what a source says of its licence and generator; does not compare it
    with the text itself. Where no court has said what a clause means for trained models, the careful
    reading counts. Contracts, personal data and trade marks are not looked at.
    """
    intent = Intent(commercial=commercial, publish=publish, serve=publish)
    by_name = {source.name: source for source in sources}
    decided = {read(name).expression or name.strip() for name in allow}
    against, counts, hinted = dict[Data, dict[str, str] | None](), Counter[Data](), 0
    for record in records:
        part = part_of(record, by_name)
        if part not in against:
            against[part] = _against(part, intent, decided, hint=hinted < HINTS)
            hinted += bool(read(part.licence).unknown)
        counts[part] += 1
        if found := against[part]:
            yield _finding(record.id, found)
    if not counts:
        return
    parts = [part._replace(records=n) for part, n in counts.items()]
    yield from _whole(judge(parts, base=base or None, intent=intent), intent, decided)
    yield from _known(sources)
    if sources:
        told = Counter[str]()
        for part in parts:
            told[read(part.licence).expression or part.licence.strip() or "NOASSERTION"] += part.records
        yield Tally(
            check="licence", name="licences", counts=dict(told.most_common()), note="records by licence"
        )


def _finding(record: str, said: dict[str, str]) -> Finding:
    return Finding.model_validate({"check": "licence", "record": record, **said})


def _against(part: Data, intent: Intent, decided: set[str], *, hint: bool) -> dict[str, str] | None:
    """The finding that every record of a part has; None when nothing speaks against them."""
    reading = read(part.licence)
    if reading.silent:
        note = "no licence is given for this record or its source"
        return {"what": "none", "severity": "high", "note": note}
    causes = _causes(side_of_data(part, intent), intent, decided | {""})
    if reading.expression in decided or part.licence.strip() in decided:
        causes = [reason for reason in causes if reason.role != "data"]
    answer = worst(_on(reason, intent) for reason in causes)
    if answer not in SERIOUS:
        return None
    what, severity = SERIOUS[answer]
    reason = next(reason for reason in causes if _on(reason, intent) == answer)
    note = _note(reason, intent)
    if reason.flag == "unknown" and reason.role == "data" and hint:
        near = next((near for name in reading.unknown if (near := nearest(name))), "")
        note += f"; did you mean {near}?" if near else ""
    return {"what": what, "severity": severity, "note": note, "evidence": _evidence(reason)}


def _causes(side: Side, intent: Intent, decided: set[str]) -> list[Reason]:
    return [r for r in side.reasons if _on(r, intent) in SERIOUS and r.licence not in decided]


def _on(reason: Reason, intent: Intent) -> Answer:
    return worst(reason.on(use) for use in intent.uses)


def _note(reason: Reason, intent: Intent) -> str:
    uses = [use for use in intent.uses if reason.on(use) == _on(reason, intent)]
    where = {
        "internal": "own use",
        "commercial": "commercial use",
        "serve": "serving",
        "publish": "publishing",
    }
    if reason.flag == "unknown":
        return reason.says
    about = ", ".join(where[use] for use in uses)
    does = {"blocked": "forbids", "a person must decide": "may limit"}.get(
        _on(reason, intent), "asks something of"
    )
    return f"{reason.licence} {does} {about}: {reason.says}"


def _evidence(reason: Reason) -> str:
    parts = [reason.licence, reason.ref, f"table of {licences().looked_at}"]
    parts += ["careful reading"] if reason.rule == "cautious" else []
    parts += [SURE[reason.certainty]] if reason.ref else []
    return "; ".join(part for part in parts if part)


def _whole(rights: Rights, intent: Intent, decided: set[str]) -> Iterator[Finding]:
    """Duties, conflicts, and what the base model's licence says."""
    duties = defaultdict[str, list[Reason]](list)
    for reason in rights.duties(intent.uses):
        duties[reason.flag].append(reason)
    for flag, asked in duties.items():
        names = sorted({reason.licence for reason in asked})
        covered = sum(
            branch.records
            for branch in rights.tree
            if any(r.flag == flag and r.licence in names for r in branch.reasons)
        )
        words = "; ".join(dict.fromkeys(f"“{reason.text}”" for reason in asked if reason.text))
        said = asked[0].says + (f" Words: {words}" if words else "")
        note = f"{', '.join(names)} ({f'{covered} records' if covered else 'the base model'}): {said}"
        evidence = "; ".join(dict.fromkeys(reason.ref for reason in asked if reason.ref))
        told = {"what": flag, "severity": "low", "note": note}
        yield _finding("", {**told, "evidence": f"{evidence}; table of {rights.looked_at}"})
    for reason in rights.reasons:
        if reason.licence not in decided and _on(reason, intent) in SERIOUS:
            if reason.flag == "conflict":
                told = {"what": "conflict", "severity": "medium", "note": reason.says}
                yield _finding("", {**told, "evidence": _evidence(reason)})
            elif reason.role == "base":
                severity = SERIOUS[_on(reason, intent)][1]
                told = {"what": "base", "severity": severity, "note": _note(reason, intent)}
                yield _finding("", {**told, "evidence": _evidence(reason)})


def _known(sources: Sequence[Source]) -> Iterator[Finding]:
    """Sources whose name, address or origin speaks of a dataset with a trap."""
    for source in sources:
        texts = (source.name, source.uri, source.link, source.origin, source.publisher)
        for known in dict.fromkeys(k for text in texts for k in recognise(text)):
            if said := _trap(source, known):
                yield _finding(
                    "",
                    {
                        "what": "known",
                        "severity": "medium",
                        "note": f"the source {source.name} speaks of {known.name}, which {said}",
                        "evidence": "table of known datasets",
                    },
                )


def _trap(source: Source, known: Known) -> str:
    """What to say of a source that speaks of a known dataset; empty when it says itself what matters."""
    said = list[str]()
    stated = {writer.id for writer in writers(source.generator)}
    if known.generator and not stated & {writer.id for writer in writers(known.generator)}:
        said.append(f"is known to hold what {known.generator} wrote: say `generator`")
    if known.licence and read(known.licence).expression != read(source.licence).expression:
        said.append(f"is known under {known.licence}, not {source.licence}")
    if not known.licence:
        said.append("is known to have no one licence")
    return "; ".join([*said, *([known.trap] if known.trap else [])]) if said else ""
