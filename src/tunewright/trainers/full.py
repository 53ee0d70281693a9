"""Full fine-tuning on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tunewright.nouns import Progress, Record
from tunewright.trainers import _launch, _loop, _ranks
from tunewright.trainers._objective import Answers


def full(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    learning_rate: float = 5e-5,
    epochs: float = 3,
    batch_size: int = 8,
    warmup: float = 0.05,
    weight_decay: float = 0.0,
    max_tokens: int = 512,
    truncate: bool = False,
    held_out: float = 0.05,
    keep: Literal["best", "last"] = "best",
    patience: int = 2,
    layers: float = 1.0,
    slices: int = 1,
    checkpoint_every: int = 200,
    threads: int = 0,
    processes: int = 1,
    shard: bool = False,
    recompute: bool = False,
) -> Iterator[Progress]:
    """Every weight of the model, or of its upper layers, is learnt.

    The loss, the schedule, what is held out and what is kept are those of `lora`. `layers` is the share of
    the layers, counted from the top, that learn; below 1 the embeddings stay as they are. The result is a
    whole model in the Hugging Face layout, as large as the base in 32-bit.

    `processes` and `recompute` are those of `lora`. With `shard` the processes do not hold all of the
    weights, gradients and moments each, but a part of them, and put a layer together while it is read (FSDP:
    Zhao and others, 2023, arXiv:2304.11277); what the layers below `layers` make of rows is then not kept.

    Errors: as `lora`.

    Limits: takes 16 bytes of memory a learnt parameter, and 12 on the disk for each checkpoint and each
    stage; what the base could do before is lost more easily than with an adapter. Bytes are the same on the
    same machine, library versions and threads only.
    """
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    options["method"] = "full"
    if processes != 1 and not _ranks.together():
        return _launch.run("full", base, records, out, options, held=held, earlier=earlier)
    return _loop.run(Answers(options), base, records, out, options, held=held, earlier=earlier)
