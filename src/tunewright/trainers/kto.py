"""Kahneman-Tversky optimisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tunewright.nouns import Progress, Record
from tunewright.trainers import _loop
from tunewright.trainers._preferences import Verdicts, between


def kto(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    beta: float = 0.1,
    desirable: float = 1.0,
    undesirable: float = 1.0,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    rslora: bool = False,
    dora: bool = False,
    learning_rate: float = 2e-4,
    epochs: float = 1,
    batch_size: int = 8,
    warmup: float = 0.1,
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
    """Kahneman-Tversky optimisation (KTO) from answers that were liked or disliked.

    Learns from single answers: the assistant's count as liked, those of the role `rejected` as disliked, and
    a pair as one of each. The implicit reward of an answer is `beta` times the log-ratio of its probability
    to the one before training. A liked answer's loss falls as its reward rises above a reference point, a
    disliked one's as it falls below; far from that point both hardly count (Ethayarajh and others, 2024,
    arXiv:2402.01306). The reference point is an estimate of the divergence from the base model: the mean
    reward, at least 0, of answers put under the question of another record of the batch. `desirable` and
    `undesirable` weigh the two kinds; where there are n times as many of one kind, its weight should be about
    1/n of the other's. Only the last answer and the token that ends it count.

    Told beside the losses, of the records held out: `preferred`, the share whose answer is on the right side
    of the reference point (of a pair: whose preferred answer has the higher reward), and `reward_margin`, by
    how much on average.

    The model is adapted by low-rank adapters, held-out records are measured and checkpoints are written as
    the trainer `lora` does; its options have the same meaning here. A learning rate that is right for `lora`
    is too high here.

    Errors: `BadInput` names the record or option that cannot be used, or says that all answers were liked or
    all disliked, or that training diverged; `Exhausted` when memory or disk is full.

    Limits: a thumb says less than a pair: with as many records, DPO learns more. The reference point is
    estimated from one batch, so small batches are noisy; where the memory ran full, or several processes
    train together, it is estimated from each part of the batch. Learns what is liked, which need not be true.
    """
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    between(options, beta=(1e-6, 100), desirable=(0, 1000), undesirable=(0, 1000), batch_size=(2, 4096))
    options["method"] = "lora"
    return _loop.run(Verdicts(options), base, records, out, options, held=held, earlier=earlier)
