"""The documents about a vetted dataset: the report, and the list of changes to review."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

from tunewright.checks import checks
from tunewright.checks._topics import Topics, topic_map
from tunewright.documents import Found, Limit, Point, Vetting, documents
from tunewright.nouns import Dataset, Finding, Report, Severity, Tally
from tunewright.project import Project
from tunewright.rights import Intent, Rights, judge, parts
from tunewright.store import Blobs
from tunewright.verbs._looking import base_licence

SHOWN = 2000
"""Changes that a page lists; all are in changes.jsonl."""
POINTS = 1500
"""Records on the map of topics."""


Examples = Mapping[tuple[str, str], Sequence[tuple[str, str]]]
"""Check and kind to reason and place of the first few findings."""


def evidence_for(
    project: Project,
    gathered: Dataset,
    vetted: Dataset,
    report: Report,
    about: Iterable[Finding],
    tallies: Iterable[Tally],
    examples: Examples,
) -> Vetting:
    """Everything that the documents show. `about` are the findings about the dataset as a whole."""
    blobs = project.ledger.blobs
    records = project.records(vetted)
    try:
        spots = topic_map(records, points=POINTS)
    except ModuleNotFoundError:  # the map needs the extra `data`; the report does without
        spots = Topics((), (), (), (), ())
    edits = tuple(islice(project.edits(report), SHOWN))
    return Vetting(
        project=project.settings.name,
        gathered=gathered,
        vetted=vetted,
        report=report,
        tallies=tuple(tallies),
        about=tuple(about),
        found=_found(blobs, report.details, examples),
        rejects=tuple(
            chain(islice(project.quarantine(gathered), SHOWN), islice(project.quarantine(vetted), SHOWN))
        ),
        edits=edits,
        edited=sum(1 for _ in blobs.lines(report.changes)),
        rights=rights_of(project, vetted),
        limits=tuple(Limit(name, *checks.about(name.partition("/")[2])) for name in report.plugins),
        points=tuple(Point(x, y, topic) for x, y, topic in zip(spots.x, spots.y, spots.topic, strict=True)),
        topics=tuple(spots.names),
    )


def rights_of(project: Project, dataset: Dataset) -> Rights:
    """What a model that is tuned on these records may be used for, as far as the base model is known."""
    said = project.settings.policy.options.get("licence", {})
    commercial, publish = said.get("commercial", True) is True, said.get("publish", False) is True
    data = parts(project.records(dataset), dataset.sources)
    return judge(data, base=base_licence(project) or None, intent=Intent(commercial, publish))


def _found(blobs: Blobs, details: str, examples: Examples) -> tuple[Found, ...]:
    findings, records = Counter[tuple[str, str, Severity]](), Counter[tuple[str, str, Severity]]()
    before = ""
    seen = set[tuple[str, str, Severity]]()
    for line in blobs.lines(details):
        finding = Finding.model_validate_json(line)
        if finding.record != before:
            before, seen = finding.record, set()
        kind = (finding.check, finding.what, finding.severity)
        findings[kind] += 1
        if kind not in seen:
            seen.add(kind)
            records[kind] += 1
    return tuple(
        Found(*kind, n, records[kind], tuple(examples.get(kind[:2], ())))
        for kind, n in findings.most_common()
    )


def lay_out(project: Project, report: Report, evidence: Vetting) -> None:
    """Put the report and the changes into the folder `out`, where people look for them."""
    project.out.mkdir(exist_ok=True)
    blobs = project.ledger.blobs
    shutil.copyfile(blobs.path(report.page), project.out / "vetting.html")
    shutil.copyfile(blobs.path(report.changes), project.out / "changes.jsonl")
    (project.out / "changes.html").write_text(documents["changes"](evidence), encoding="utf-8")
