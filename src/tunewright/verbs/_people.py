"""Persons in what was found: under which key each can be looked up, and so forgotten."""

from collections.abc import Iterable, Iterator

from tunewright.checks._personal_keys import subject_keys
from tunewright.nouns import Erasure, Finding, Record
from tunewright.project import Project

FORGOTTEN = "a person in it asked to be forgotten"
KINDS = ("email", "phone", "card", "identifier", "name", "handle")
"""Kinds whose form differs in the index."""


def person_keys(words: str) -> Iterator[str]:
    """Every form in which these words may stand in the index, whatever they are."""
    yield words
    yield from (key for kind in KINDS if (key := subject_keys(words, kind)))


def forgotten(project: Project) -> set[str]:
    """Keyed commitments to everybody who asked to be forgotten, in every form they may be written."""
    erasures = project.ledger.all(Erasure)
    return {key for erasure in erasures for key in (erasure.person, *erasure.keys)}


def people_in(project: Project, record: Record, findings: Iterable[Finding]) -> set[str]:
    """Keyed commitments to the persons that findings of personal data in a record speak of."""
    found = set[str]()
    for finding in findings:
        if finding.check == "personal" and finding.end > finding.start:
            words = record.messages[finding.message].content[finding.start : finding.end]
            if key := subject_keys(words, finding.what):
                found.add(project.commit(key))
    return found
