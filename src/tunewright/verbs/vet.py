import inspect
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Annotated

from tunewright.checks import checks
from tunewright.errors import Refused
from tunewright.gate import lookup, remedy
from tunewright.nouns import Dataset, Finding, Message, Policy, Progress, Record, Reject, Report
from tunewright.project import Project
from tunewright.stats import rate
from tunewright.store import Step
from tunewright.verbs import Named, verb


@verb(reads=("policy.vet", "cases"))
def vet(step: Step, project: Project, dataset: Annotated[Dataset, Named("gathered")]) -> Dataset:
    """Look for what should not be learnt, and do with it what the policy says.

    Every check that the policy names reads every record. A record is kept, cleaned (what was found is
    replaced by a placeholder such as [EMAIL]), dropped or quarantined; the counts add up.

    Parameters:
    dataset: which records to look at

    Limits: finds what its checks can see; each check states its own limits.
    """
    policy = project.policy()
    records = list(project.records(dataset))
    findings = look(project, policy, records)
    fates, kept, held = Counter[str](), list[Record](), list[Reject]()
    for record in records:
        seen = findings[record.id]
        fate = remedy(policy, seen)
        said = [f for f in seen if lookup(policy.vet, f, "keep") == fate]
        why = ", ".join(sorted({f"{f.check} ({f.what})" for f in said}))
        if fate == "keep":
            kept.append(record)
            fates["kept"] += 1
        elif fate == "redact":
            spans = [f for f in seen if lookup(policy.vet, f, "keep") == "redact"]
            kept.append(redact(record, spans))
            fates["cleaned"] += 1
        else:
            fates[f"{'dropped' if fate == 'drop' else 'quarantined'}: {why}"] += 1
            held.append(
                Reject(
                    origin=record.origin,
                    reason=f"{fate}: {'; '.join(sorted({f.note for f in said}))}",
                    raw=record.model_dump_json()[:2000],
                    subjects=record.subjects,
                )
            )
    if not kept:
        raise Refused("vetting left no record", hint="look at what was found, or change policy.vet")
    cleaned = dataset.model_copy(
        update={
            "name": "vetted",
            "records": step.keep_nouns(kept),
            "count": len(kept),
            "quarantine": step.keep_nouns(held),
            "received": len(records),
            "fates": dict(sorted(fates.items())),
            "parent": dataset.digest,
        }
    )
    names = policy_checks(policy)
    flagged = {name: sum(any(f.check == name for f in findings[r.id]) for r in records) for name in names}
    found = Counter(f"{f.check}.{f.what}" for seen in findings.values() for f in seen)
    report = Report(
        about="data",
        subject=cleaned.digest,
        measures=tuple(rate(f"vet.{check}", hits, len(records)) for check, hits in flagged.items()),
        details=step.keep_nouns(f for r in records for f in findings[r.id]),
        plugins=tuple(f"checks/{check}" for check in names),
        facts={"found": dict(sorted(found.items()))},
    )
    step.save(report, "vetted")
    return step.save(cleaned, "vetted")


def look(project: Project, policy: Policy, records: Sequence[Record]) -> dict[str, list[Finding]]:
    """What every check of the policy notices, by record."""
    findings = defaultdict[str, list[Finding]](list)
    names = policy_checks(policy)
    cases = project.each_case()
    for number, name in enumerate(names):
        project.tell(Progress(label="vet", done=number, total=len(names), note=name))
        options: dict[str, object] = dict(policy.options.get(name, {}))
        checks.check(name, options, given=("cases",))
        if "cases" in inspect.signature(checks[name]).parameters:
            options["cases"] = cases
        for finding in checks[name](records, **options):
            if isinstance(finding, Finding):
                findings[finding.record].append(finding)
    project.tell(Progress(label="vet", done=len(names), total=len(names)))
    return findings


def policy_checks(policy: Policy) -> list[str]:
    """The checks that a policy names for data, in order."""
    return list(dict.fromkeys(key.partition(".")[0] for key in policy.vet))


def redact(record: Record, findings: Sequence[Finding]) -> Record:
    """The record with every found span replaced by its kind in brackets; overlapping spans become one."""
    messages = list(record.messages)
    for index, message in enumerate(messages):
        spans = sorted((f.start, f.end, f.what) for f in findings if f.message == index and f.end > f.start)
        text, at = "", 0
        for start, end, what in spans:
            if start >= at:
                text += f"{message.content[at:start]}[{what.upper()}]"
            at = max(at, end)
        messages[index] = Message(role=message.role, content=text + message.content[at:])
    return record.model_copy(update={"messages": tuple(messages)})
