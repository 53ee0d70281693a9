"""Datasets: what came in, what became of it, and the right to use it."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.plots import Bar, Bars, percent
from tunewright.cli.render.words import clipped, counted, heading, pairs, plain, short, table
from tunewright.errors import TunewrightError
from tunewright.nouns import Dataset, Finding, Measure, Record, Report, Severity, Tally
from tunewright.project import Project
from tunewright.rights import Answer
from tunewright.template import under

MANY = 15
"""Fates beyond this many are added up in one line."""
LOOKED_THROUGH = 4000
"""Records among which an example of each format is looked for."""
JUDGED = 200_000
"""Licences of larger datasets are left to the page: every record would be read."""
ADVICE = 6
"""Findings about the dataset as a whole that are told here."""
QUESTIONS = 3
STYLES: dict[Severity, str] = {"high": "bold red", "medium": "yellow", "low": ""}
ANSWERS: dict[Answer, str] = {"blocked": "bold red", "unknown": "yellow", "a person must decide": "yellow"}
USES = {"internal": "own use", "commercial": "commercial use", "serve": "serving", "publish": "publishing"}
TITLES = {
    "language.language": "languages",
    "representation.language": "languages",
    "representation.question_words": "words in a question",
    "representation.answer_words": "words in an answer",
    "representation.label": "labels",
    "representation.answers": "answers people preferred",
    "representation.topics": "topics",
    "duplicates.clusters": "clusters of duplicates, by size",
}
"""Tallies that are drawn here; the page has all."""
ORDERED = {"question_words", "answer_words", "clusters"}
"""Tallies whose classes have an order of their own."""


@render.register
def _dataset(dataset: Dataset, project: Project, _width: int) -> Sequence[RenderableType]:
    """The fate of every record; the numbers add up to what was received."""
    said: list[RenderableType] = [
        heading(f"dataset {dataset.name}", f"{short(dataset.digest)}  {counted(dataset.count, 'record')}"),
        "",
        fates(dataset),
    ]
    if report := _report(dataset, project):
        return [*said, *vetted(dataset, report, project)]
    return [*said, *recognised(dataset), *examples(dataset, project), *_provenance(dataset)]


@summary.register
def _line(dataset: Dataset, _project: Project) -> str:
    """Such as `320 received: 300 kept, 12 dropped, 8 quarantined`."""
    ends = dict[str, int]()
    for fate, n in dataset.fates.items():
        end = fate.partition(":")[0]
        ends[end] = ends.get(end, 0) + n
    order = sorted(ends, key=lambda end: (end != "kept", end != "cleaned", end))
    return f"{dataset.received:,} received: {', '.join(f'{ends[e]:,} {e}' for e in order)}"


def fates(dataset: Dataset) -> RenderableType:
    """What became of every record, with the reasons, and the sum."""
    said = sorted(dataset.fates.items(), key=lambda f: (f[0] != "kept", f[0] != "cleaned", -f[1], f[0]))
    rows = [(*_split(fate), f"{n:,}") for fate, n in said[:MANY]]
    if rest := said[MANY:]:
        rows.append(("", f"for {len(rest)} other reasons", f"{sum(n for _, n in rest):,}"))
    made = table("became of them", "why", "records", rows=rows, right=[2])
    made.add_section()
    made.add_row("received", "", Text(f"{dataset.received:,}", "bold"))
    return made


def noticed(dataset: Dataset, project: Project) -> Sequence[RenderableType]:
    """What the checks noticed, when this dataset was vetted."""
    report = _report(dataset, project)
    found = _found(report) if report else {}
    if not found:
        return []
    told = ", ".join(f"{name} {n}" for name, n in found.items())
    return ["", Text.assemble(("noticed  ", "dim"), plain(told))]


def _report(dataset: Dataset, project: Project) -> Report | None:
    mine = [r for r in project.ledger.all(Report) if r.about == "data" and r.subject == dataset.digest]
    return mine[-1] if mine else None


def _found(report: Report) -> dict[str, int]:
    found = report.facts.get("found")
    return {k: n for k, n in found.items() if isinstance(n, int)} if isinstance(found, dict) else {}


def _split(fate: str) -> tuple[str, str]:
    end, _, why = fate.partition(": ")
    return end, why


# ── gathered ────────────────────────────────────────────────────────────────────────────────────


def recognised(dataset: Dataset) -> Sequence[RenderableType]:
    """Which row shapes were recognised, when these are freshly gathered."""
    if not dataset.formats or dataset.parent:
        return []
    told = ", ".join(f"{name} {n:,}" for name, n in dataset.formats.items())
    return ["", Text.assemble(("recognised  ", "dim"), plain(told))]


def examples(dataset: Dataset, project: Project) -> Iterator[RenderableType]:
    """One record of each format, shortened, as it will be trained on."""
    if not dataset.formats or dataset.parent:
        return
    first = dict[str, Record]()
    try:
        for record in islice(project.records(dataset), LOOKED_THROUGH):
            first.setdefault(record.shape, record)
            if len(first) == len(dataset.formats):
                break
    except (TunewrightError, OSError):  # the words were erased
        return
    if first:
        yield ""
        yield heading("as it will be trained on", "one of each format, shortened")
    for shape, record in first.items():
        yield Text.assemble(plain(shape or "other"), (f"  {_place(record)}", "dim"))
        yield pairs(list(_turns(project.settings.system, record)))


TURNS = 5
LETTERS = 150


def _turns(system: str, record: Record) -> Iterator[tuple[str, RenderableType]]:
    turns = under(system, record.messages)
    for number, turn in enumerate(turns):
        if len(turns) > TURNS and number == TURNS - 2:
            yield "", Text(f"… {counted(len(turns) - TURNS + 1, 'turn')} more …", "dim")
        if len(turns) <= TURNS or number < TURNS - 2 or number == len(turns) - 1:
            learnt = {"assistant": "bold", "rejected": "strike"}.get(turn.role, "")
            yield f"  {turn.role}", Text(clipped(turn.content, LETTERS) or "(no words)", learnt)


def _place(record: Record) -> str:
    return f"{plain(record.origin.file)}:{record.origin.line}"


def _provenance(dataset: Dataset) -> Sequence[RenderableType]:
    """Each source with its licence; below it the facts that nobody stated."""
    said: list[RenderableType] = ["", heading("sources")]
    for source in dataset.sources[:MANY]:
        lacks = ", ".join(source.missing).replace("_", " ")
        named = Text.assemble(clipped(source.name, 60), (f"  {clipped(source.licence, 40)}", "cyan"))
        named.append(f"  {clipped(source.basis, 80)}", "dim")
        said.append(named)
        if lacks:
            said.append(pairs([("  missing", Text(lacks, "yellow"))]))
    if len(dataset.sources) > MANY:
        said.append(Text(f"and {counted(len(dataset.sources) - MANY, 'other')}", "dim"))
    return said


# ── vetted ──────────────────────────────────────────────────────────────────────────────────────


def vetted(dataset: Dataset, report: Report, project: Project) -> Iterator[RenderableType]:
    """What was found, what the records are made of, how much is missed, what they may be for."""
    found = _found(report)
    if found:
        rows = [Bar(name, n, "magenta", f"{n:,}") for name, n in sorted(found.items(), key=lambda f: -f[1])]
        yield ""
        yield Bars("findings", rows, most=8)
    for tally in _tallies(report, project):
        counts = [Bar(label, n) for label, n in tally.counts.items() if n]
        if tally.name not in ORDERED:
            counts.sort(key=lambda row: -row.n)
        yield ""
        yield Bars(TITLES[f"{tally.check}.{tally.name}"], counts, most=12 if tally.name in ORDERED else 6)
    yield from _recall(report)
    yield from _licences(dataset, project)
    yield from _advice(report, project)
    yield from _read(report, project)


def _tallies(report: Report, project: Project) -> list[Tally]:
    try:
        made = {f"{t.check}.{t.name}": t for t in project.tallies(report) if any(t.counts.values())}
    except (TunewrightError, OSError):  # erased
        return []
    if "language.language" in made:
        made.pop("representation.language", None)
    return [made[name] for name in TITLES if name in made]


def _recall(report: Report) -> Iterator[RenderableType]:
    mine = [m for m in report.measures if m.name.partition(".")[0] in ("canary", "audit") and m.n]
    if not mine:
        return
    rows = [Bar(_called(m), round(1000 * m.value), "green", _interval(m)) for m in mine]
    yield ""
    audited = any(m.name.startswith("audit.") for m in mine)
    note = "planted, or marked by a person" if audited else "planted; what people write is harder to find"
    yield Bars("found of what is known to be there", rows, note=note)


def _called(measure: Measure) -> str:
    first, _, name = measure.name.partition(".")
    if first == "canary":
        return name.replace("_", " ")
    return "marked, and found" if name.endswith("recall") else "found, and marked"


def _interval(measure: Measure) -> str:
    return f"{percent(measure.value, 1)} ({100 * measure.low:.0f} to {100 * measure.high:.0f}%)"


def _licences(dataset: Dataset, project: Project) -> Iterator[RenderableType]:
    from tunewright.verbs._vetted import rights_of  # imports numpy: not for every command

    if dataset.count > JUDGED:
        return
    try:
        rights = rights_of(project, dataset)
    except (TunewrightError, OSError):  # the words were erased
        return
    yield ""
    yield heading("the tuned model may be used for", "as far as licences go; not legal advice")
    rows = list[tuple[str, RenderableType]]()
    for permission in rights.permissions:
        told = Text(permission.answer, ANSWERS.get(permission.answer, "green"))
        if permission.answer in ANSWERS and permission.because:
            first = permission.because[0]
            told.append(f"  {clipped(first.licence, 40)}: {clipped(first.says, 90)}", "dim")
        rows.append((f"  {USES[permission.use]}", told))
    for question in rights.questions[:QUESTIONS]:
        rows.append(("  to be said", Text(clipped(question, 160), "yellow")))
    yield pairs(rows)


def _advice(report: Report, project: Project) -> Iterator[RenderableType]:
    about = list(_about(report, project))
    if not about:
        return
    order = list(STYLES)
    about.sort(key=lambda f: order.index(f.severity))
    yield ""
    yield heading("look at", "findings about the dataset as a whole")
    yield pairs(
        [
            (f"  {f.check.replace('_', ' ')}", Text(clipped(f.note, 240), STYLES[f.severity]))
            for f in about[:ADVICE]
        ]
    )
    if len(about) > ADVICE:
        yield Text(f"  and {counted(len(about) - ADVICE, 'other')}: see the page", "dim")


def _about(report: Report, project: Project) -> Iterator[Finding]:
    """They stand in front of those about records."""
    try:
        for line in project.ledger.blobs.lines(report.details):
            finding = Finding.model_validate_json(line)
            if finding.record:
                return
            yield finding
    except (TunewrightError, OSError):  # erased
        return


def _read(report: Report, project: Project) -> Iterator[RenderableType]:
    from tunewright.cli.answer import shown  # both import what stands beside this file
    from tunewright.cli.project import type_next

    rows = list[tuple[str, RenderableType]]()
    states = dict[str, int]()
    try:
        blob = report.changes
        for line in project.ledger.blobs.lines(blob) if blob else ():
            state = str(json.loads(line)["state"])
            states[state] = states.get(state, 0) + 1
    except (TunewrightError, OSError):  # erased
        states = {}
    if n := sum(states.values()):
        told = ", ".join(f"{states[s]:,} {s}" for s in sorted(states, key=_state))
        words = Text(f"{n:,}: {told}  ")
        words.append(type_next("review", project), "bold" if states.get("waiting") else "")
        rows.append(("changes", words))
    rows += [
        ("" if number else "read", shown(path))
        for number, path in enumerate(_pages(project))
        if path.exists()
    ]
    if rows:
        yield ""
        yield pairs(rows)


def _state(state: str) -> int:
    return ("waiting", "made", "accepted", "rejected").index(state)


def _pages(project: Project) -> list[Path]:
    return [project.out / "vetting.html", project.out / "changes.html"]
