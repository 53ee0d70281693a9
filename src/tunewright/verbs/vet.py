import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from tunewright.documents import documents
from tunewright.errors import Refused
from tunewright.gate import CRASHED, remedy, remedy_of
from tunewright.nouns import Dataset, Finding, Policy, Record, Reject, Report
from tunewright.project import Project
from tunewright.stats import rate
from tunewright.store import Link, Step
from tunewright.verbs import Named, verb
from tunewright.verbs._audit import audited
from tunewright.verbs._canaries import canaries
from tunewright.verbs._curves import CURVE
from tunewright.verbs._looking import look
from tunewright.verbs._people import FORGOTTEN, forgotten, people_in
from tunewright.verbs._remedies import Treated, treat
from tunewright.verbs._vetted import Tallied, evidence_for, lay_out

EXAMPLES = 3
"""Places that are named for each kind of finding."""
ID = json.JSONDecoder()


@verb(reads=("policy.vet", "cases", "erasures", "today", "reviews", "marks", CURVE))
def vet(
    step: Step, project: Project, dataset: Annotated[Dataset, Named("gathered")], audit: int = 0
) -> Dataset:
    """Look for what should not be learnt, and do with it what the policy says.

    Every check that the policy names reads every record. A record is kept, cleaned (what was found is
    replaced by a placeholder such as [EMAIL], or by an invented surrogate), dropped or quarantined; the
    counts add up. Known defects are planted in copies of a sample, and the share that was found is
    reported. What was seen in a record is remembered: only new records are looked at again.

    Parameters:
    dataset: which records to look at
    audit: mark all personal data in so many records by hand, and report the recall of the check

    Limits: finds what its checks can see; each check states its own limits. Planted defects are easier to
    find than what people write.
    """
    policy = project.policy()
    records = project.records(dataset)
    today = datetime.now(UTC).date().isoformat()
    looked = look(project, policy, records, dataset.sources, project.each_case(), today)
    said = {review.change: review.accept for review in project.reviews()}
    gone = forgotten(project)
    fates, found, flagged = Counter[str](), Counter[str](), Counter[str]()
    persons = list[tuple[str, str]]()
    tally = Tallied()
    examples = defaultdict[tuple[str, str], list[tuple[str, str]]](list)
    with step.writing() as kept, step.writing() as held, step.writing() as details, step.writing() as edits:
        for finding in looked.about:
            details.add(finding.model_dump_json())
            tally.add([finding])
        for place, line in enumerate(records.lines()):
            findings = looked.findings(place, str(ID.raw_decode(line, 6)[0])) if looked.any(place) else []
            if not findings:
                kept.add(line)
                fates["kept"] += 1
                continue
            record = Record.model_validate_json(line)
            for finding in findings:
                details.add(finding.model_dump_json())
            tally.add(findings)
            for finding in findings:
                some = examples[finding.check, finding.what]
                if len(some) < EXAMPLES:
                    some.append((finding.note, f"{record.origin.file}:{record.origin.line}"))
            found.update(f"{f.check}.{f.what}" for f in findings)
            flagged.update({f.check for f in findings})
            treated = treat(project, policy, record, findings, said)
            for edit in treated.edits:
                edits.add(edit.model_dump_json())
            valid = [f for number, f in enumerate(findings) if number not in treated.rejected]
            people = people_in(project, record, valid)
            persons += ((person, record.id) for person in sorted(people))
            fate, why = _fate(policy, valid, treated, bool(gone & people))
            fates[fate] += 1
            if why:
                held.add(_held(record, why).model_dump_json())
            else:
                kept.add(treated.record.model_dump_json())
    if not kept.count:
        raise Refused("vetting left no record", hint="look at what was found, or change policy.vet")
    _stand(policy, found)
    cleaned = dataset.model_copy(
        update={
            "name": "vetted",
            "records": kept.digest,
            "count": kept.count,
            "quarantine": held.digest,
            "received": len(records),
            "fates": dict(sorted(fates.items())),
            "parent": dataset.digest,
        }
    )
    step.link(Link(person, of_, name) for of_ in (dataset.digest, cleaned.digest) for person, name in persons)
    planted, counted = canaries(policy, records, looked.names)
    tallies = [*looked.tallies, *counted]
    measures = [rate(f"vet.{check}", flagged[check], len(records)) for check in looked.names]
    measures += [*looked.measures, *planted]
    if "personal" in looked.names:
        measures += audited(project, policy, dataset, flagged["personal"], audit)
    report = Report(
        about="data",
        subject=cleaned.digest,
        measures=tuple(measures),
        details=details.digest,
        tallies=step.keep_nouns(tallies),
        changes=edits.digest,
        plugins=tuple(f"checks/{check}" for check in looked.names),
        facts={"found": dict(sorted(found.items()))},
    )
    evidence = evidence_for(project, dataset, cleaned, report, looked.about, tallies, tally.found(examples))
    report = report.model_copy(update={"page": step.keep(documents["vetting"](evidence))})
    lay_out(project, report, evidence)
    step.save(report, "vetted")
    return step.save(cleaned, "vetted")


class _Fate(NamedTuple):
    told: str
    """As it is counted, such as `dropped: duplicates (near)`."""
    why: str = ""
    """Why the record may not go on; `""` when it may."""


def _fate(policy: Policy, findings: Sequence[Finding], treated: Treated, gone: bool) -> _Fate:
    if gone:
        return _Fate(f"dropped: {FORGOTTEN}", f"drop: {FORGOTTEN}")
    worst = remedy(policy, findings)
    if worst in ("drop", "quarantine"):
        mine = [f for f in findings if remedy_of(policy, f) == worst]
        what = ", ".join(sorted({f"{f.check} ({f.what})" for f in mine}))
        notes = "; ".join(sorted({f.note for f in mine}))
        return _Fate(f"{'dropped' if worst == 'drop' else 'quarantined'}: {what}", f"{worst}: {notes}")
    if treated.waiting:
        what = ", ".join(sorted({f"{e.check} ({e.what})" for e in treated.edits if e.state == "waiting"}))
        return _Fate(f"quarantined: waits for a person: {what}", f"ask: {what}; tunewright review")
    if any(e.state == "accepted" and not e.before for e in treated.edits):
        return _Fate("quarantined: a person said so", "ask: a person said that it may not go on")
    changed = any(e.state in ("made", "accepted") for e in treated.edits)
    return _Fate("cleaned" if changed else "kept")


def _held(record: Record, why: str) -> Reject:
    raw = record.model_dump_json()[:2000]
    return Reject(origin=record.origin, reason=why, record=record.id, raw=raw, subjects=record.subjects)


def _stand(policy: Policy, found: Counter[str]) -> None:
    """A check that failed on a record fails the vet, unless the policy says what happens then."""
    failed = {kind: n for kind, n in found.items() if kind.endswith(f".{CRASHED}") and kind not in policy.vet}
    if failed:
        told = ", ".join(f"{kind.partition('.')[0]} on {n:,}" for kind, n in sorted(failed.items()))
        first = min(failed)
        raise Refused(
            f"checks failed on records that they could not bear: {told}",
            hint=f"report it; to go on without these records, add `{first}: quarantine` to policy.vet",
        )
