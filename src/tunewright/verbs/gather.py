from collections import Counter
from collections.abc import Iterator

from tunewright.errors import BadInput
from tunewright.nouns import Dataset, Erasure, Origin, Progress, Record, Reject, Source
from tunewright.project import Project
from tunewright.sources import GIVEN, pick, sources
from tunewright.store import Step
from tunewright.verbs import verb


@verb(reads=("sources", "erasures"))
def gather(step: Step, project: Project) -> Dataset:
    """Bring in the records that tunewright.yaml names, with where they came from and the right to use them.

    Every row becomes a record or stands in the quarantine with file, line and reason. Customers' keys
    (e-mail, customer number) are replaced by keyed commitments, so that `forget` can find a person.

    Limits: believes what tunewright.yaml says of licence, origin and basis.
    """
    found = list(project.sources())
    forgotten = {erasure.person for erasure in project.ledger.all(Erasure)}
    fates, formats, kept, held = Counter[str](), Counter[str](), list[Record](), list[Reject]()
    ids = dict[str, Origin]()
    for source in found:
        for row in _rows(project, source, formats):
            subjects = row.subjects
            if forgotten & set(subjects):
                reason = "a person in it asked to be forgotten"
                row = Reject(origin=row.origin, reason=reason)
            elif isinstance(row, Record) and row.id in ids:
                first = ids[row.id]
                reason = f"its id stands already at {first.file}:{first.line}"
                row = Reject(
                    origin=row.origin, reason=reason, raw=row.model_dump_json()[:2000], subjects=subjects
                )
            if isinstance(row, Reject):
                held.append(row)
                fates[f"quarantined: {row.reason}"] += 1
            else:
                ids[row.id] = row.origin
                kept.append(row)
                fates["kept"] += 1
            if (len(kept) + len(held)) % 1000 == 0:
                project.tell(Progress(label="gather", done=len(kept) + len(held), note=source.name))
    if not kept:
        raise BadInput(
            f"none of {len(held)} rows could be read: {'; '.join(list(fates)[:3])}",
            hint="docs/guides/data.md lists the formats that are recognised",
        )
    dataset = Dataset(
        name="gathered",
        records=step.keep_nouns(kept),
        count=len(kept),
        quarantine=step.keep_nouns(held),
        received=len(kept) + len(held),
        fates=dict(sorted(fates.items())),
        sources=tuple(found),
        formats=dict(sorted(formats.items())),
    )
    return step.save(dataset, "gathered")


def _rows(project: Project, source: Source, formats: Counter[str]) -> Iterator[Record | Reject]:
    """Rows with keyed commitments for persons; those of a dataset of the project have them already."""
    kind, _, place = source.uri.partition(":")
    if kind == "dataset":
        for record in project.records(project.ledger.get(Dataset, place)):
            yield record.model_copy(update={"licence": source.licence})
        return
    said = next(
        d for d in project.settings.data if d.file and project.folder / place in project.files(d.file)
    )
    path = project.folder / place
    try:
        plugin = pick(path) if said.source == "auto" else said.source
        sources.check(plugin, dict(said.options), given=GIVEN)
        about = {"source": source.name, "licence": source.licence, "file": place, "counts": formats}
        for row in sources[plugin](path, **about, **said.options):
            keys = tuple(dict.fromkeys(project.commit(key) for key in row.subjects))
            yield row.model_copy(update={"subjects": keys})
    except BadInput as error:  # the ledger repeats it: no path of this machine
        told, hint = (words.replace(str(path), place) for words in (str(error), error.hint))
        raise BadInput(told, hint=hint) from None
