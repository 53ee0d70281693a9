"""The documents about a vetted dataset: the report, and the list of changes to review."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

from tunewright.checks import checks
from tunewright.checks._topics import Topics, topic_map
from tunewright.documents import Found, Limit, Point, Vetting, documents
from tunewright.nouns import Dataset, Finding, Record, Report, Severity, Tally
from tunewright.project import Project, Records
from tunewright.rights import Intent, Rights, judge, parts
from tunewright.verbs._looking import base_licence

SHOWN = 2000
"""Changes that a page lists; all are in changes.jsonl."""
POINTS = 1500
"""Records on the map of topics."""


Examples = Mapping[tuple[str, str], Sequence[tuple[str, str]]]
"""Check and kind to reason and place of the first few findings."""


Kind = tuple[str, str, Severity]


def evidence_for(
    project: Project,
    gathered: Dataset,
    vetted: Dataset,
    report: Report,
    about: Iterable[Finding],
    tallies: Iterable[Tally],
    found: tuple[Found, ...],
) -> Vetting:
    """Everything that the documents show. `about` are the findings about the dataset as a whole."""
    blobs = project.ledger.blobs
    records = project.records(vetted)
    try:
        spots = topic_map(_some(records), points=POINTS)
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
        found=found,
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


def rights_of(project: Project, dataset: Dataset, base: str = "") -> Rights:
    """What a model that is tuned on these records may be used for, as far as the base model is known."""
    said = project.settings.policy.options.get("licence", {})
    commercial, publish = said.get("commercial", True) is True, said.get("publish", False) is True
    counts = Counter(_rights_part(line) for line in project.records(dataset).lines())
    one = {_rights_part(line): line for line in project.records(dataset).lines()}
    data = [
        part._replace(records=counts[key])
        for key, line in sorted(one.items())
        for part in parts([Record.model_validate_json(line)], dataset.sources)
    ]
    return judge(data, base=base or base_licence(project) or None, intent=Intent(commercial, publish))


def _rights_part(line: str) -> tuple[str, str, str]:
    """What counts for the rights to a record, cut from its JSON: licence, source and facts."""
    place, rest = line.index(',"origin":{"source":'), line.rindex(',"facts":')
    start = line.rindex(',"licence":', 0, place)
    return (
        line[start:place],
        line[place : line.index(',"file":', place)],
        line[rest : line.rindex(',"shape":')],
    )


def _some(records: Records) -> list[Record]:
    """As many records as the map shows, at even distances."""
    step = max(1, len(records) // POINTS)
    lines = (line for number, line in enumerate(records.lines()) if number % step == 0)
    return [Record.model_validate_json(line) for line in lines]


class Tallied:
    """Findings as they are counted, record by record."""

    def __init__(self) -> None:
        self.findings = Counter[Kind]()
        self.records = Counter[Kind]()

    def add(self, findings: Iterable[Finding]) -> None:
        """Count what was found in one record."""
        kinds = [(f.check, f.what, f.severity) for f in findings]
        self.findings.update(kinds)
        self.records.update(set(kinds))

    def found(self, examples: Examples) -> tuple[Found, ...]:
        """The kinds, the most frequent first."""
        rows = self.findings.most_common()
        return tuple(
            Found(*kind, n, self.records[kind], tuple(examples.get(kind[:2], ()))) for kind, n in rows
        )


def lay_out(project: Project, report: Report, evidence: Vetting) -> None:
    """Put the report and the changes into the folder `out`, where people look for them."""
    project.out.mkdir(exist_ok=True)
    blobs = project.ledger.blobs
    shutil.copyfile(blobs.path(report.page), project.out / "vetting.html")
    shutil.copyfile(blobs.path(report.changes), project.out / "changes.jsonl")
    (project.out / "changes.html").write_text(documents["changes"](evidence), encoding="utf-8")
