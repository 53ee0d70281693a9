import shutil
from collections.abc import Iterator
from functools import partial

from tunewright.errors import NotFound
from tunewright.nouns import NOUNS, Dataset, Erasure, Model, Private, Record, Reject, Release
from tunewright.project import Project
from tunewright.store import Step
from tunewright.verbs import verb


@verb(repeats=True)
def forget(step: Step, project: Project, person: Private) -> Erasure:
    """Remove a person: their records and exchanges go, and every model that saw them is named and marked.

    Every dataset that holds the person gets a new version without them, and the old records are deleted.
    Later gathers keep the person out. Marked models can neither be released nor served; the receipt names
    the command that makes one that never saw the person.

    Parameters:
    person: the key they are known by, such as an e-mail address or customer number

    Limits: finds a person by their key, not by being mentioned in others' words; your own source files
    and backups are yours to clean.
    """
    commitment = project.commit(person)
    names = {digest: name for name, digest in project.ledger.names(Dataset).items()}
    affected, blobs, removed = list[Dataset](), list[str](), set[str]()
    for dataset in project.ledger.all(Dataset):
        here = project.ledger.blobs  # either blob may have been erased for somebody else
        records = list(project.records(dataset)) if dataset.records in here else []
        rejects = list(project.quarantine(dataset)) if dataset.quarantine in here else []
        kept = [r for r in records if commitment not in r.subjects]
        spared = [r for r in rejects if commitment not in r.subjects]
        if len(kept) == len(records) and len(spared) == len(rejects):
            continue
        affected.append(dataset)
        removed |= {r.id for r in records if commitment in r.subjects}
        if len(kept) < len(records):
            blobs.append(dataset.records)
        if len(spared) < len(rejects):
            blobs.append(dataset.quarantine)
        if name := names.get(dataset.digest):
            gone = len(records) + len(rejects) - len(kept) - len(spared)
            step.save(_without(step, dataset, kept, spared, gone), name)
    exchanges = project.traffic.of(commitment)
    if not affected and not exchanges:
        raise NotFound(
            "nobody is known here by that key",
            hint="use the key as it stands in the source's customer, subject, user, person or email field",
        )
    lost = {digest for dataset in affected for digest in _lineage(project, dataset)}
    models = [m for m in project.ledger.all(Model) if m.dataset in lost]
    marked = {m.digest for m in models}
    for blob in dict.fromkeys(blobs):
        step.afterwards(partial(project.ledger.blobs.erase, blob))
    step.afterwards(partial(project.traffic.erase, exchanges))
    step.afterwards(partial(_sweep, project, commitment))
    erasure = Erasure(
        person=commitment,
        records=len(removed),
        exchanges=len(exchanges),
        datasets=tuple(sorted(lost)),
        blobs=tuple(dict.fromkeys(blobs)),
        models=tuple(sorted(marked)),
        releases=tuple(sorted(r.digest for r in project.ledger.all(Release) if r.model in marked)),
        retrain="tunewright run",
    )
    return step.save(erasure)


def _lineage(project: Project, dataset: Dataset) -> Iterator[str]:
    """A dataset and all it was made from: who is in it was in those, even where their records are gone."""
    yield dataset.digest
    while dataset.parent:
        dataset = project.ledger.get(Dataset, dataset.parent)
        yield dataset.digest


def _sweep(project: Project, commitment: str) -> None:
    """What killed and unfinished work left behind may hold the person too."""
    shutil.rmtree(project.state / "work", ignore_errors=True)
    things = (noun for kind in NOUNS.values() for noun in project.ledger.all(kind))
    known = {blob for noun in things for blob in noun.points_at()}
    project.ledger.blobs.sweep(known, commitment)


def _without(step: Step, dataset: Dataset, kept: list[Record], spared: list[Reject], gone: int) -> Dataset:
    fates = {"kept": len(kept), "held back": len(spared), "forgotten": gone}
    fates["dropped before"] = dataset.received - sum(fates.values())
    return dataset.model_copy(
        update={
            "records": step.keep_nouns(kept),
            "count": len(kept),
            "quarantine": step.keep_nouns(spared),
            "fates": {fate: n for fate, n in fates.items() if n},
            "parent": dataset.digest,
        }
    )
