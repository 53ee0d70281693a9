"""What one licence, one generator or one part of the data says for each use."""

from collections.abc import Mapping
from functools import lru_cache

from tunewright.packs import Clause, licences, terms
from tunewright.rights._known import Writer, recognise, writers
from tunewright.rights._meaning import (
    ASKED,
    EVERYWHERE,
    FORBIDDEN,
    FREE,
    GIVEN_OUT,
    NOTHING,
    OPEN,
    Intent,
    Reason,
    Role,
    Row,
    Side,
    best,
    both,
    reason_of,
)
from tunewright.rights._reading import Reading, Tree, leaves, read
from tunewright.rights._shapes import Data, Teacher

Facts = Mapping[str, Teacher]
"""What was stated of generators, by the id of what binds their outputs."""


@lru_cache(maxsize=8192)
def side_of_licence(text: str, role: Role, intent: Intent) -> Side:
    """What a licence field says. One that cannot be read, or is not in the table, allows nothing."""
    reading = read(text)
    if reading.tree is None:
        said = "no licence is given" if reading.silent else f"the licence cannot be read: {reading.problem}"
        name = "NOASSERTION" if reading.silent else _short(text)
        return Side(OPEN, (Reason(name, "unknown", said, "", role, OPEN),))
    return _grown(reading.tree, role, intent)


def _grown(tree: Tree, role: Role, intent: Intent) -> Side:
    if not isinstance(tree, str):
        sides = [_grown(part, role, intent) for part in tree.parts]
        return both(sides) if tree.how == "and" else best(sides, intent)
    licence = licences().licences.get(tree)
    if licence is None:
        said = f"{_short(tree)} is not in the table of {licences().looked_at}"
        return Side(OPEN, (Reason(_short(tree), "unknown", said, "", role, OPEN),))
    reasons = [reason for clause in licence.clauses if (reason := reason_of(licence, clause, role, intent))]
    return both([Side(FREE, (), ((role, tree),)), *(Side(r.row, (r,)) for r in reasons)])


def side_of_generator(generator: str, facts: Facts, base: frozenset[str], intent: Intent) -> Side:
    """What binds the outputs of the models that a `generator` field names."""
    return both(_side_of_writer(writer, facts, base, intent) for writer in writers(generator))


def _side_of_writer(writer: Writer, facts: Facts, base: frozenset[str], intent: Intent) -> Side:
    if writer.kind == "none":
        return NOTHING
    if writer.kind == "unknown":
        said = f"the terms of the generator {_short(writer.said)} are not in the table of {terms().looked_at}"
        return Side(OPEN, (Reason(_short(writer.said), "unknown", said, "", "teacher", OPEN),))
    fact = facts.get(writer.id) or Teacher(writer.said)
    if writer.kind == "terms":
        return _side_of_terms(writer, fact)
    licence = licences().licences[writer.id]
    sides = [Side(FREE, (), (("teacher", writer.id),))]
    for clause in licence.clauses:
        reason = reason_of(licence, clause, "teacher", intent)
        if reason is None:
            continue
        if clause.flag == "output_forbidden":
            reason = reason._replace(row=_improves(clause, writer.id, fact, base))
        sides.append(Side(reason.row, (reason,)))
        if clause.flag == "output_derivative":
            sides.append(_grown(writer.id, "base", intent))
    return both(sides)


def _improves(clause: Clause, licence: str, fact: Teacher, base: frozenset[str]) -> Row:
    """The row of a clause that forbids to improve other models: its own family may be improved."""
    if licence in base:
        return EVERYWHERE
    return ASKED if fact.accepted is False else FORBIDDEN


def _side_of_terms(writer: Writer, fact: Teacher) -> Side:
    provider = terms().providers[writer.id]
    row, said = ASKED, provider.says
    if fact.competing is False:
        row, said = EVERYWHERE, f"{said} It was stated that the model does not compete. Name the generator."
    elif fact.accepted is False:
        said = (
            f"{said} It was stated that the team did not accept these terms; they bind the account's holder."
        )
        row = EVERYWHERE
    elif fact.accepted and fact.competing:
        row, said = (
            FORBIDDEN,
            f"{said} It was stated that the terms were accepted and that the model competes.",
        )
    reason = Reason(
        provider.id, "output_competing", said, provider.ref, "teacher", row, provider.url, provider.certainty
    )
    return Side(row, (reason,))


def side_of_data(
    part: Data, intent: Intent, facts: Facts | None = None, base: frozenset[str] = frozenset()
) -> Side:
    """What the licence, the generator, a licence found elsewhere and what is upstream say together."""
    facts = facts or {}
    sides = [side_of_licence(part.licence, "data", intent)]
    if part.generator.strip():
        sides.append(side_of_generator(part.generator, facts, base, intent))
    if part.found.strip() and not same(part.licence, part.found):
        sides.append(side_of_licence(part.found, "data", intent))
        said = f"declared {_short(part.licence)}, found {_short(part.found)}: both are kept to meanwhile"
        reason = Reason(_short(part.found), "disagreement", said, "", "data", GIVEN_OUT)
        sides.append(Side(GIVEN_OUT, (reason,)))
    sides += [
        _side_of_upstream(part.licence, name, facts, base, intent) for name in part.upstream if name.strip()
    ]
    return both(sides)


def _side_of_upstream(declared: str, name: str, facts: Facts, base: frozenset[str], intent: Intent) -> Side:
    known, reading = recognise(name), read(name)
    if not known or (reading.tree is not None and not reading.unknown):
        return side_of_licence(name, "data", intent)
    sides = list[Side]()
    for dataset in known:
        if dataset.licence:
            sides.append(side_of_licence(dataset.licence, "data", intent))
        else:
            said = f"{dataset.name}, from which it was made, is known to have no one licence. {dataset.trap}"
            reason = Reason(
                dataset.name, "permission", said.strip(), "", "data", ASKED, certainty="secondary"
            )
            sides.append(Side(ASKED, (reason,)))
        if dataset.generator:
            sides.append(side_of_generator(dataset.generator, facts, base, intent))
        if dataset.licence and not same(declared, dataset.licence):
            said = f"declared {_short(declared)}, but made from {dataset.name}, known as {dataset.licence}"
            reason = Reason(
                dataset.licence, "disagreement", said, "", "data", GIVEN_OUT, certainty="secondary"
            )
            sides.append(Side(GIVEN_OUT, (reason,)))
    return both(sides)


def same(one: str, other: str) -> bool:
    """Whether two licence fields name the same licences."""
    first, second = read(one), read(other)
    if first.tree is None or second.tree is None:
        return False
    return sorted(leaves(first.tree)) == sorted(leaves(second.tree)) and _shape(first) == _shape(second)


def _shape(reading: Reading) -> str:
    return "" if reading.tree is None or isinstance(reading.tree, str) else reading.tree.how


def _short(text: str) -> str:
    """A name for a message: one line, not long."""
    said = " ".join(text.split())
    return said if len(said) <= 60 else f"{said[:57]}…"
