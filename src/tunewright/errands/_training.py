"""Trainings that are measured and thrown away: what a learning curve and a search are made of."""

import hashlib
import json
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import NamedTuple, cast

from pydantic import JsonValue

from tunewright.bases import Found, find
from tunewright.errors import BadInput, Refused
from tunewright.nouns import Dataset, Progress, Recipe, Record, Report
from tunewright.project import Project
from tunewright.store import Step
from tunewright.trainers import train, trainers

FEWEST = 20
"""Conversations that are held out at least, and that must remain to be learnt from."""
SHARE = 0.05
"""Share of the conversations that is held out."""
MEASURED = "held_out_loss"
PER = {"classifier": "text", "dpo": "pair", "orpo": "pair", "kto": "answer"}
"""What the held-out loss is a mean over, where it is not tokens."""


class Study(NamedTuple):
    """What all trainings of one study share."""

    recipe: Recipe
    found: Found
    learn: list[Record]
    held: list[Record]
    """Never learnt; every training is measured on them."""
    unseen: list[Record]
    """Neither learnt nor chosen by."""

    @property
    def per(self) -> str:
        """What the held-out loss is a mean over."""
        return PER.get(self.recipe.trainer, "token")


def study(step: Step, project: Project, dataset: Dataset, *, unseen: bool = False) -> Study:
    """The recipe, the base model, and the records in parts.

    Errors: `Refused` for a dataset that was never vetted; `BadInput` when there are too few conversations, or
    when the trainer cannot measure on conversations that it is given.
    """
    vetted = [r for r in project.ledger.all(Report) if r.about == "data" and r.subject == dataset.digest]
    if not vetted:
        raise Refused(f"the dataset {dataset.name!r} was never vetted", hint="tunewright vet")
    step.use(vetted[-1])
    recipe = step.use(project.recipe())
    if "held" not in trainers.options(recipe.trainer):
        raise BadInput(
            f"the trainer {recipe.trainer} cannot measure on conversations that are kept apart",
            hint="take a trainer that has the parameter `held`, such as lora",
        )
    parts = parted(list(project.records(dataset)), recipe.seed, 2 if unseen else 1)
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    return Study(recipe, found, parts[0], parts[1], parts[2] if unseen else [])


def parted(records: Sequence[Record], seed: int, parts: int) -> list[list[Record]]:
    """What to learn from, and `parts` disjoint sets that are never learnt, each 5% and at least 20.

    They are chosen by a hash of what was asked, so that two answers to one question never lie on both sides.
    Errors: `BadInput` when there are too few.
    """
    size = max(FEWEST, ceil(SHARE * len(records)))
    held: list[list[Record]] = []
    learn: list[Record] = []
    for key in (_asked, _content):  # a fixed question to every text tells nothing apart
        order = sorted(records, key=lambda record: (_drawn(seed, "held", key(record)), record.id))
        groups = [list(group) for _, group in groupby(order, key=key)]
        held, learn = [[] for _ in range(parts)], []
        for group in groups:
            small = len(group) <= FEWEST // 2
            next((part for part in held if small and len(part) < size), learn).extend(group)
        if len(learn) >= FEWEST and all(len(part) >= size for part in held):
            place = {id(record): at for at, record in enumerate(records)}
            return [sorted(part, key=lambda record: place[id(record)]) for part in (learn, *held)]
    questions = len({_asked(record) for record in records})
    raise BadInput(
        f"too little to tell: {len(records):,} conversations with {questions:,} different questions; "
        f"{FEWEST} to learn from and {parts * size} to measure on are needed",
        hint="gather more conversations",
    )


def subsets(records: Sequence[Record], seed: int, sizes: Sequence[int]) -> list[list[Record]]:
    """The first so many of an order by content hash, in their own order: each size holds the smaller ones."""
    chosen = sorted(
        range(len(records)), key=lambda at: (_drawn(seed, "subset", _content(records[at])), records[at].id)
    )
    return [[records[at] for at in sorted(chosen[:size])] for size in sizes]


def losses(
    project: Project,
    study: Study,
    records: Sequence[Record],
    out: Path,
    label: str,
    changed: dict[str, JsonValue] | None = None,
    seed: int | None = None,
) -> Iterator[float]:
    """Train in the folder `out`, and yield every held-out loss that is measured after the first step.

    What was measured is noted there: after a stop it is yielded again, in the same order, and training goes
    on from its last checkpoint. Errors: those of the trainer; `BadInput` when it measures nothing.
    """
    recipe = study.recipe if seed is None else study.recipe.model_copy(update={"seed": seed})
    out.mkdir(parents=True, exist_ok=True)
    log = out / "measured.jsonl"
    known: list[tuple[float, float]] = []
    for line in log.read_text("utf-8").split("\n")[:-1] if log.exists() else ():
        done, loss = json.loads(line)
        known.append((done, loss))
    yield from (loss for _, loss in known)
    last = known[-1][0] if known else 0.0
    told = train(recipe, study.found.folder, records, out, held=study.held, earlier=None, **(changed or {}))
    measured = bool(known)
    with closing(cast(Generator[Progress], told)), log.open("a", encoding="utf-8") as file:
        for progress in told:
            project.tell(
                progress.model_copy(update={"label": label}) if progress.label == "tune" else progress
            )
            if MEASURED in progress.values and progress.done > last:
                loss = progress.values[MEASURED]
                file.write(json.dumps([progress.done, loss]) + "\n")
                file.flush()
                measured = True
                yield loss
    if not measured:
        raise BadInput(
            f"the trainer {recipe.trainer} did not measure {MEASURED}",
            hint="take another trainer, such as lora",
        )


class Facts(NamedTuple):
    """What a trainer wrote down of a training."""

    loss: float
    """Held-out loss of the weights that were kept, which need not be the last ones."""
    tokens: int
    """Tokens that were learnt; 0 when it did not say."""


def facts(out: Path, last: float) -> Facts:
    """From `facts.json`; `last` is the last held-out loss, for a trainer that keeps the last weights."""
    file = out / "facts.json"
    said = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return Facts(float(said.get(MEASURED, last)), int(said.get("tokens_learnt", 0)))


def clear(out: Path) -> None:
    """Throw away what a training left."""
    shutil.rmtree(out, ignore_errors=True)


def note(path: Path, text: str) -> None:
    """Write a small file, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def overall(project: Project, name: str, done: float, total: float, said: str) -> None:
    """Tell how far a whole study is."""
    project.tell(Progress(label=name, done=done, total=total, note=said))


def _asked(record: Record) -> str:
    """What the users said; all of it when they said nothing."""
    said = " ".join(" ".join(m.content for m in record.messages if m.role == "user").casefold().split())
    return said or _content(record)


def _content(record: Record) -> str:
    return "\n".join(f"{m.role}: {m.content}" for m in record.messages) + f"\n{record.label}"


def _drawn(seed: int, what: str, text: str) -> bytes:
    return hashlib.blake2b(f"{seed} {what}\n{text}".encode("utf-8", "replace"), digest_size=16).digest()
