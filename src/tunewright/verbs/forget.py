import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial

from tunewright.errors import NotFound
from tunewright.nouns import NOUNS, Dataset, Erasure, Model, Private, Record, Release, Report
from tunewright.project import Project
from tunewright.store import Lines, Looks, Step
from tunewright.trainers import has_seen
from tunewright.verbs import verb
from tunewright.verbs._looking import content_key
from tunewright.verbs._people import person_keys


@verb(repeats=True)
def forget(step: Step, project: Project, person: Private) -> Erasure:
    """Remove a person: their records and exchanges go, and every model that saw them is named and marked.

    Every dataset that holds the person gets a new version without them, and the old records are deleted.
    Later gathers keep the person out. Marked models can neither be released nor served; the receipt names
    the command that makes one that never saw the person.

    Parameters:
    person: the key they are known by, such as an e-mail address or customer number

    Besides records that carry the key, those go in which vetting found it: an e-mail address, a telephone or
    account number, a full name. Pseudonyms of the person, copies fetched from elsewhere, and lists of changes
    are deleted too.

    Checkpoints that saw the person are deleted; those before stay, and the next tuning with the same recipe
    goes on from the last of them.

    Limits: mentions that vetting did not find stay; so does a person known by another key. Your own source
    files and backups are yours to clean.
    """
    commitments = {project.commit(key) for key in (person, *person_keys(person))}
    commitment, spoken_of = project.commit(person), _spoken_of(project, commitments)
    names = {digest: name for name, digest in project.ledger.names(Dataset).items()}
    written = {hashlib.sha256().hexdigest()}  # nothing at all is nobody's
    affected, blobs, removed, seen = list[Dataset](), list[str](), set[str](), list[bytes]()
    for dataset in project.ledger.all(Dataset):
        here = project.ledger.blobs  # either blob may have been erased for somebody else
        mine, gone = spoken_of.get(dataset.digest, set[str]()), 0
        with step.writing() as kept, step.writing() as spared:
            for line in project.records(dataset).lines() if dataset.records in here else ():
                record = Record.model_validate_json(line)
                if record.id in mine or commitments & set(record.subjects):
                    removed.add(record.id)
                    seen.append(content_key(line, project.secret))
                    gone += 1
                else:
                    kept.add(line)
            for reject in project.quarantine(dataset) if dataset.quarantine in here else ():
                if reject.record in mine or commitments & set(reject.subjects):
                    gone += 1
                else:
                    spared.add(reject.model_dump_json())
        if not gone:
            continue
        written |= {kept.digest, spared.digest}
        affected.append(dataset)
        blobs += [dataset.records, dataset.quarantine]
        if name := names.get(dataset.digest):
            step.save(_without(dataset, kept, spared, gone), name)
    exchanges = [each for one in sorted(commitments) for each in project.traffic.of(one)]
    if not affected and not exchanges:
        raise NotFound(
            "nobody is known here by that key",
            hint="use the key as it stands in the source's customer, subject, user, person or email field",
        )
    lost = {digest for dataset in affected for digest in _lineage(project, dataset)}
    models = [m for m in project.ledger.all(Model) if m.dataset in lost]
    marked = {m.digest for m in models}
    blobs += [stage for model in models for stage in model.stages.values() if _saw(project, stage, removed)]
    for report in project.ledger.all(Report):
        if report.about == "data" and report.subject in {dataset.digest for dataset in affected}:
            blobs += [blob for blob in (report.changes, report.page) if blob]
    blobs = [blob for blob in dict.fromkeys(blobs) if blob not in written]
    for blob in blobs:
        step.afterwards(partial(project.ledger.blobs.erase, blob))
    step.afterwards(partial(project.traffic.erase, exchanges))
    step.afterwards(partial(_clean, project, person, commitments, seen))
    erasure = Erasure(
        person=commitment,
        keys=tuple(sorted(commitments - {commitment})),
        records=len(removed),
        exchanges=len(exchanges),
        datasets=tuple(sorted(lost)),
        blobs=tuple(blobs),
        models=tuple(sorted(marked)),
        releases=tuple(sorted(r.digest for r in project.ledger.all(Release) if r.model in marked)),
        retrain="tunewright run",
    )
    return step.save(erasure)


def _saw(project: Project, stage: str, removed: Iterable[str]) -> bool:
    """Whether a checkpoint was trained on one of these records. The others stay, to be gone on from."""
    here = project.ledger.blobs
    return stage in here and any(has_seen(here.path(stage), record) for record in removed)


def _lineage(project: Project, dataset: Dataset) -> Iterator[str]:
    """A dataset and all it was made from: who is in it was in those, even where their records are gone."""
    yield dataset.digest
    while dataset.parent:
        dataset = project.ledger.get(Dataset, dataset.parent)
        yield dataset.digest


def _spoken_of(project: Project, commitments: Iterable[str]) -> dict[str, set[str]]:
    """Dataset to ids of the records in which vetting found the person."""
    found = dict[str, set[str]]()
    for commitment in commitments:
        for digest, ids in project.people.of(commitment).items():
            found.setdefault(digest, set()).update(ids)
    return found


def _clean(project: Project, person: str, commitments: Iterable[str], seen: Iterable[bytes]) -> None:
    """What killed and unfinished work left behind may hold the person too; so may indexes and copies."""
    for folder in ("work", "fetched"):
        shutil.rmtree(project.state / folder, ignore_errors=True)
    for name in ("vetting.html", "changes.html", "changes.jsonl"):
        (project.out / name).unlink(missing_ok=True)
    with closing(Looks(project.state / "looks.db")) as looks:
        looks.forget(seen)
    project.vault.erase(person)
    if " " in person.strip() and not any(c.isdigit() or c == "@" for c in person):
        project.vault.erase(person.split()[-1])  # a family name; a given name alone is nobody's
    things = (noun for kind in NOUNS.values() for noun in project.ledger.all(kind))
    known = {blob for noun in things for blob in noun.points_at()}
    for commitment in commitments:
        project.people.erase(commitment)
        project.ledger.blobs.sweep(known, commitment)


def _without(dataset: Dataset, kept: Lines, spared: Lines, gone: int) -> Dataset:
    fates = {"kept": kept.count, "held back": spared.count, "forgotten": gone}
    fates["dropped before"] = dataset.received - sum(fates.values())
    return dataset.model_copy(
        update={
            "records": kept.digest,
            "count": kept.count,
            "quarantine": spared.digest,
            "fates": {fate: n for fate, n in fates.items() if n},
            "parent": dataset.digest,
        }
    )
