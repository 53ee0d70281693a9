"""Trainers make weights.   (base, records, out, *, system, seed, **options) -> Iterator[Progress]

`base` is a folder that `bases` found, `records` a list of conversations, `out` a folder that outlives the
process: a trainer writes its checkpoints there and goes on from the last one when called again with the
same arguments. When the iterator ends, `out/weights/` holds the result and nothing else. The same
arguments on the same machine give the same bytes, interrupted or not.

A trainer may also take `held`, conversations to measure `held_out_loss` on in place of a share of `records`,
and `earlier`, folders of stages of earlier trainings by name: it goes on from one that this training would
have made with the very same bytes. It may leave `out/stages/*/`, checkpoints that later trainings can go on
from, `out/made_with.json` (what decides the bytes apart from the arguments) and `out/facts.json` (what it
did: tokens, parameters, floating-point operations, seconds).
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from tunewright.nouns import Progress, Recipe, Record
from tunewright.shelf import Shelf

# Threads that wait for each other may spin a little: long spins cost four fifths of the speed on a processor
# that others use too, none at all cost a third on a quiet one. Read by OpenMP when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

GIVEN = ("system", "seed", "held", "earlier")
"""Keyword parameters that the caller fills in: they are no options."""

trainers: Shelf[Callable[..., Iterator[Progress]]] = Shelf(__name__)


def train(
    recipe: Recipe,
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    **changed: JsonValue,
) -> Iterator[Progress]:
    """Train as a recipe says, with options `changed`. Errors: `BadInput` for options that do not fit."""
    options: dict[str, object] = {**recipe.options, **changed}
    trainers.check(recipe.trainer, options, given=GIVEN)
    given = {"system": recipe.system, "seed": recipe.seed, "held": held, "earlier": earlier}
    takes = trainers.options(recipe.trainer)
    return trainers[recipe.trainer](
        base, records, out, **{k: v for k, v in given.items() if k in takes}, **options
    )


def has_seen(stage: Path, record: str) -> bool:
    """Whether a kept stage was trained on a record, by the record's id."""
    seen = (stage / "records.txt").read_text("utf-8").split()
    return hashlib.sha256(record.encode()).hexdigest() in seen


class Token(NamedTuple):
    """A token of a row, as text, and whether it is learnt."""

    text: str
    learnt: bool


def tokens(recipe: Recipe, base: Path, record: Record) -> list[Token]:
    """A record as the recipe's trainer reads it, by the base's own chat template.

    Errors: `BadInput` when the trainer could not learn from it, as it would be told in training.
    """
    from tunewright.trainers import _shown

    options = {name: p.default for name, p in trainers.options(recipe.trainer).items()} | recipe.options
    return [Token(text, learnt) for text, learnt in _shown.shown(base, record, recipe.system, options)]
