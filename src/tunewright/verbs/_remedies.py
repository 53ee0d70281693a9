"""What a policy does to a record: redact, pseudonymise, or wait for a person's word."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tunewright.gate import lookup
from tunewright.nouns import Edit, Finding, Message, Policy, Record, Remedy
from tunewright.project import Project
from tunewright.verbs._pseudonyms import surrogate

CONTEXT = 80
"""Characters to either side of a change that are shown with it."""
CHANGES: tuple[Remedy, ...] = ("redact", "pseudonymise", "ask")


class Treated(NamedTuple):
    """A record after the policy, and the edits that led there."""

    record: Record
    edits: list[Edit]
    waiting: bool
    """Whether a person has to say something before the record may go on."""
    rejected: frozenset[int]
    """Places, in the list of findings, of those that a person said are none."""


def treat(
    project: Project, policy: Policy, record: Record, findings: Sequence[Finding], said: dict[str, bool]
) -> Treated:
    """Do what the policy says of the spans that were found; `said` holds people's reviews, by change."""
    edits, rejected, waiting = list[tuple[Finding, Edit]](), set[int](), False
    for number, finding in enumerate(findings):
        what = lookup(policy.vet, finding, "keep")
        if what not in CHANGES or (finding.end <= finding.start and what != "ask"):
            continue
        change = change_of(project, record, finding)
        word = said.get(change)
        if word is False:
            rejected.add(number)
        if what == "ask" and word is None:
            waiting = True
        edits.append((finding, _edit(project, record, finding, what, change, word)))
    done = [(f, e.after) for f, e in edits if e.state in ("made", "accepted") and f.end > f.start]
    return Treated(replaced(record, done), [edit for _, edit in edits], waiting, frozenset(rejected))


def replaced(record: Record, changes: Iterable[tuple[Finding, str]]) -> Record:
    """The record with every found span replaced; of spans that overlap, the first decides."""
    spans = [one for one in changes if one[0].end > one[0].start]
    ordered = sorted(spans, key=lambda one: (one[0].message, one[0].start, -one[0].end))
    messages = list(record.messages)
    for index in {finding.message for finding, _ in ordered}:
        content, text, at = messages[index].content, "", 0
        for finding, after in ordered:
            if finding.message == index:
                if finding.start >= at:
                    text += content[at : finding.start] + after
                at = max(at, finding.end)
        messages[index] = Message(role=messages[index].role, content=text + content[at:])
    return record.model_copy(update={"messages": tuple(messages)})


def change_of(project: Project, record: Record, finding: Finding) -> str:
    """Names a change by the message, the place in it and the kind; keyed, so that nobody can guess."""
    content = record.messages[finding.message].content
    kind = f"{finding.check}.{finding.what}"
    return project.commit(f"change\0{kind}\0{finding.start}\0{finding.end}\0{content}")


def _edit(
    project: Project, record: Record, finding: Finding, what: Remedy, change: str, word: bool | None
) -> Edit:
    content = record.messages[finding.message].content
    found = content[finding.start : finding.end]
    after = ""
    if found:
        invented = what == "pseudonymise"
        after = surrogate(project.vault, finding.what, found) if invented else f"[{finding.what.upper()}]"
    waits = what == "ask" and word is None
    return Edit(
        change=change,
        record=record.id,
        origin=record.origin,
        message=finding.message,
        check=finding.check,
        what=finding.what,
        note=finding.note,
        remedy=what,
        before=found,
        after=after,
        left=content[max(0, finding.start - CONTEXT) : finding.start],
        right=content[finding.end : finding.end + CONTEXT],
        state="waiting" if waits else "made" if word is None else "accepted" if word else "rejected",
    )
