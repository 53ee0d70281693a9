"""Persons in what was found: under which key each can be looked up, and so forgotten."""

import re
from collections.abc import Iterable, Iterator

from tunewright.nouns import Finding, Record
from tunewright.project import Project

FORGOTTEN = "a person in it asked to be forgotten"
NUMBERS = frozenset({"iban", "card", "national_id", "medical_id", "identifier", "vehicle"})
WORDS = frozenset({"name", "email", "url"})
LEAST_DIGITS = 7


def person_keys(words: str) -> Iterator[str]:
    """Every form in which these words may stand in the index: as written, as digits, without signs."""
    text = " ".join(words.split()).casefold()
    yield text
    digits = re.sub(r"\D", "", text)
    if len(digits) >= LEAST_DIGITS:
        yield "+" + digits.removeprefix("00")
    if digits and (plain := re.sub(r"[\W_]", "", text)) != text:
        yield plain


def key_of(words: str, kind: str) -> str:
    """The form under which a found person is kept in the index; `""` when it identifies nobody.

    A first name alone, a place, or a date does not.
    """
    text = " ".join(words.split()).casefold()
    if kind == "phone":
        digits = re.sub(r"\D", "", text)
        return "+" + digits.removeprefix("00") if len(digits) >= LEAST_DIGITS else ""
    if kind in NUMBERS:
        plain = re.sub(r"[\W_]", "", text)
        return plain if len(plain) >= 5 else ""
    if kind == "name":
        return text if " " in text else ""
    return text if kind in WORDS else ""


def people_in(project: Project, record: Record, findings: Iterable[Finding]) -> set[str]:
    """Keyed commitments to the persons that findings of personal data in a record speak of."""
    found = set[str]()
    for finding in findings:
        if finding.check == "personal" and finding.end > finding.start:
            words = record.messages[finding.message].content[finding.start : finding.end]
            if key := key_of(words, finding.what):
                found.add(project.commit(key))
    return found
