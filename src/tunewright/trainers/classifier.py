"""A classification head on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tunewright.nouns import Progress, Record
from tunewright.trainers import _loop
from tunewright.trainers._labels import Labels


def classifier(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    balanced: bool = False,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    rslora: bool = False,
    dora: bool = False,
    learning_rate: float = 1e-3,
    epochs: float = 3,
    batch_size: int = 8,
    warmup: float = 0.05,
    weight_decay: float = 0.0,
    max_tokens: int = 512,
    truncate: bool = False,
    held_out: float = 0.05,
    keep: Literal["best", "last"] = "best",
    patience: int = 2,
    layers: float = 0.5,
    slices: int = 4,
    checkpoint_every: int = 50,
    threads: int = 0,
) -> Iterator[Progress]:
    """A head that chooses a label, on a model with low-rank adapters.

    The last answer of each conversation is its label. The conversation is rendered by the model's chat
    template up to where that answer would begin, and a linear map without bias (labels x width, called
    `score`, in alphabetical order of the labels, from zeros) turns the state of the last token into a number
    for each label: the head of transformers' `…ForSequenceClassification`. The head and the adapters of
    `lora` learn together; the loss is the mean cross-entropy of the labels, in nats. With `balanced`, each
    conversation weighs n / (labels x n of its label), so that rare labels count as much as frequent ones.

    `weights/` holds a PEFT adapter for sequence classification with the head, and `labels.json`. The runtime
    `local` answers with the most probable label and nothing else.

    After every epoch `held_out_accuracy` and `held_out_confidence` are told beside `held_out_loss`: the share
    of right labels among what is held out, and the mean probability that the head gives to its choice. A
    confidence above the accuracy means that the head is too sure. A text is never both learnt and held out,
    whatever its label. A label that occurs only in what is held out is named in a note and counts as wrong,
    and as one chance in a million in the loss.

    Everything else is as in `lora`: options, stages, checkpoints, what is kept. `truncate` cuts the beginning
    of a conversation that is too long.

    Errors: as `lora`; `BadInput` for fewer than two labels unless `held` is given, and naming the record
    whose answer is no label (empty, several lines, or more than 100 characters).

    Limits: cannot say that none of its labels fits, nor explain; a label that was not learnt is never chosen.
    The head belongs to all labels at once, so forgetting the last record of a label, or anybody with
    `balanced`, trains from the beginning.
    """
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    options["method"] = "lora"
    objective = Labels(options, records, held)
    for note in objective.notes:
        yield Progress(label="prepare", done=0, note=note)
    yield from _loop.run(objective, base, records, out, options, held=held, earlier=earlier)
