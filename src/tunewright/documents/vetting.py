from tunewright.documents import Vetting
from tunewright.documents import _vetting_found as found
from tunewright.documents import _vetting_mixture as mixture
from tunewright.documents import _vetting_rights as rights
from tunewright.documents._facts import sentence, short
from tunewright.documents._templates import fill
from tunewright.documents._vetting_advice import Advice, advice
from tunewright.documents._vetting_flow import Flow, cascade, flow
from tunewright.documents._vetting_words import (
    SEVERITY,
    SIGNS,
    USE,
    Look,
    interval,
    line,
    many,
    seen,
    share,
)


def vetting(evidence: Vetting) -> str:
    """The vetting report as one HTML file: what came in, what became of it, and what it may be used for.

    The file asks for nothing: no script, no font, no picture from elsewhere. It quotes no record: findings
    are named by file, line and reason. Names of labels, sources and topics do stand in it, and a topic is
    named by frequent words.

    Limits: a view of one report; what the checks cannot see is not on it. Places are examples, not all.
    """
    whole, todo = flow(evidence), advice(evidence)
    lawful = rights.told(evidence)
    rows = found.checks(evidence)
    page = fill(
        "vetting.html.j2",
        e=evidence,
        title=line(evidence.project, 80),
        flow=whole,
        cascade=cascade(whole),
        headline=headline(whole),
        look=look(todo, lawful),
        meaning=meaning(todo, lawful, rows),
        advice=todo,
        checks=[row for row in rows if row.kinds],
        quiet=[row for row in rows if not row.kinds],
        kinds=found.plot(rows),
        held=found.held(evidence),
        panels=mixture.panels(evidence),
        map=mixture.topic_map(evidence),
        recall=found.recall(evidence),
        planted=found.planted(evidence),
        audits=found.measured(evidence, "audit"),
        canaries=found.measured(evidence, "canary"),
        others=found.others(evidence),
        rights=lawful,
        uses=list(USE.values()),
        limits=found.limits(evidence),
        not_looked=found.not_looked(evidence),
        severity=SEVERITY,
        signs=SIGNS,
        interval=interval,
        line=line,
        many=many,
        seen=seen,
        sentence=sentence,
        share=share,
        short=short,
    )
    return seen(page)


def headline(whole: Flow) -> str:
    """What came in, what may go on and what may not, in one sentence."""
    gather, vet = whole
    gone = [
        (gather.received - gather.out, "could not be read or taken"),
        (vet.of("dropped"), "dropped"),
        (vet.of("quarantined", "other"), "held back"),
    ]
    told = ", ".join(f"{n:,} {what}" for n, what in gone if n)
    cleaned = vet.of("cleaned")
    after = f", {cleaned:,} of them cleaned" if cleaned else ""
    first = f"{vet.out:,} of {many(gather.received, 'record')} came through{after}"
    return f"{first}; {told}" if told else f"{first}; none was lost"


def look(todo: list[Advice], lawful: rights.Told | None) -> Look:
    """The colour of the headline."""
    if (lawful and lawful.look == "worse") or any(a.severity == "high" for a in todo):
        return "worse"
    if (lawful and lawful.look == "well") or any(a.severity == "medium" for a in todo):
        return "well"
    return "better"


def meaning(todo: list[Advice], lawful: rights.Told | None, rows: list[found.Check]) -> str:
    """What that means for a decision."""
    high = sum(a.severity == "high" for a in todo)
    medium = sum(a.severity == "medium" for a in todo)
    said = list[str]()
    if high:
        said.append(f"{many(high, 'thing')} to settle before tuning on it")
    if medium:
        said.append(f"{many(medium, 'thing')} to look at")
    if not said:
        said.append(f"Nothing that {many(len(rows), 'check')} found stands in the way")
    law = (
        f" Licences, for the uses that are meant: {lawful.verdict}."
        if lawful
        else " Licences were not judged."
    )
    first = " and ".join(said)
    return f"{first[:1].upper()}{first[1:]}.{law}"
