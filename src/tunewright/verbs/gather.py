from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime

from tunewright.errors import BadInput
from tunewright.nouns import Dataset, Origin, Progress, Record, Reject
from tunewright.project import Project
from tunewright.rights import expired
from tunewright.sources import GIVEN, pick, sources
from tunewright.store import Distinct, Step
from tunewright.verbs import verb
from tunewright.verbs._people import FORGOTTEN, forgotten
from tunewright.verbs._places import Place, places


@verb(reads=("sources", "erasures", "today"))
def gather(step: Step, project: Project, refresh: bool = False) -> Dataset:
    """Bring in the records that tunewright.yaml names, with where they came from and the right to use them.

    Every row becomes a record or stands in the quarantine with file, line and reason. Customers' keys
    (e-mail, customer number) are replaced by keyed commitments, so that `forget` can find a person. Rows
    past their retention date do not enter. Nothing is held in memory: files may be larger than it.

    Parameters:
    refresh: fetch anew what lies elsewhere (hub, URL, database) instead of using the copy fetched before

    Limits: believes what tunewright.yaml says of licence, origin and basis.
    """
    found = list(places(project))
    gone = forgotten(project)
    today = datetime.now(UTC).date()
    fates, formats = Counter[str](), Counter[str]()
    with step.writing() as kept, step.writing() as held, closing(Distinct()) as ids:
        for place in found:
            for row in _rows(project, place, formats):
                reason, subjects = "", row.subjects
                if gone & set(subjects):
                    row, reason = Reject(origin=row.origin, reason=FORGOTTEN), FORGOTTEN
                elif isinstance(row, Record):
                    if until := _ended(row, place, today):
                        reason = f"its retention ended on {until}"
                    elif first := ids.first(row.id, f"{row.origin.file}:{row.origin.line}"):
                        reason = f"its id stands already at {first}"
                if reason and isinstance(row, Record):
                    row = _held(row, reason)
                if isinstance(row, Reject):
                    held.add(row.model_dump_json())
                    fates[f"quarantined: {_fate(row.reason)}"] += 1
                else:
                    kept.add(row.model_dump_json())
                    fates["kept"] += 1
                if (kept.count + held.count) % 1000 == 0:
                    done = kept.count + held.count
                    project.tell(Progress(label="gather", done=done, note=place.source.name))
        if not kept.count:
            raise BadInput(
                f"none of {held.count} rows could be read: {'; '.join(list(fates)[:3])}",
                hint="docs/guides/data.md lists the formats that are recognised",
            )
    dataset = Dataset(
        name="gathered",
        records=kept.digest,
        count=kept.count,
        quarantine=held.digest,
        received=kept.count + held.count,
        fates=dict(sorted(fates.items())),
        sources=tuple(place.source for place in found),
        formats=dict(sorted(formats.items())),
    )
    return step.save(dataset, "gathered")


def _ended(record: Record, place: Place, today: date) -> str:
    """The last day on which the record might be used, when that is over; its own word comes first."""
    for until in (record.facts.get("retain_until", ""), place.source.retain_until):
        try:
            if until:
                return until if expired(until, today) else ""
        except ValueError:  # the check `retention` finds dates that cannot be read
            continue
    return ""


def _held(record: Record, reason: str) -> Reject:
    raw = record.model_dump_json()[:2000]
    return Reject(origin=record.origin, reason=reason, record=record.id, raw=raw, subjects=record.subjects)


def _fate(reason: str) -> str:
    """The reason without what is different for each row, so that equal reasons add up."""
    return "its id stands already" if reason.startswith("its id stands already") else reason


def _rows(project: Project, place: Place, formats: Counter[str]) -> Iterator[Record | Reject]:
    """Rows with keyed commitments for persons; those of a dataset of the project have them already."""
    source, said, path = place
    if path is None:
        for record in project.records(project.ledger.get(Dataset, source.sha256)):
            licence = record.licence or source.licence
            yield record.model_copy(update={"licence": licence})
        return
    about: dict[str, object] = {
        "source": source.name,
        "licence": source.licence,
        "file": source.name,
        "counts": formats,
    }
    if said.fields:
        about["fields"] = said.fields
    try:
        plugin = pick(path) if said.source == "auto" else said.source
    except BadInput as error:
        if project.folder / said.file == path or not said.file:
            raise
        # one file among many, of a kind that no source reads: it is named, not passed over
        origin = Origin(source=source.name, file=source.name, line=0)
        yield Reject(origin=origin, reason=str(error).replace(str(path), "this file"))
        return
    sources.check(plugin, dict(said.options), given=GIVEN)
    try:
        for row in sources[plugin](path, **about, **said.options):
            if row.subjects:
                keys = tuple(dict.fromkeys(project.commit(key) for key in row.subjects))
                row = row.model_copy(update={"subjects": keys})
            yield row
    except BadInput as error:  # the ledger repeats it: no path of this machine
        told, hint = (words.replace(str(path), source.name) for words in (str(error), error.hint))
        raise BadInput(told, hint=hint) from None
