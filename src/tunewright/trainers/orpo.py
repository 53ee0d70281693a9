"""Odds ratio preference optimisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tunewright.nouns import Progress, Record
from tunewright.trainers import _loop
from tunewright.trainers._preferences import Odds, between


def orpo(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    odds_weight: float = 0.1,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    rslora: bool = False,
    dora: bool = False,
    learning_rate: float = 1e-3,
    epochs: float = 2,
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
    """Odds ratio preference optimisation (ORPO): fine-tuning and preferences in one.

    Learns the preferred answer as `lora` does, and adds `odds_weight` (the paper's lambda) times minus the
    log-sigmoid of the log odds ratio of the two answers, from their mean log-probabilities a token (Hong and
    others, 2024, arXiv:2403.07691). No reference model is needed. Only the last answer and the token that
    ends it count: the question is read, not learnt. Records without a pair are left out and counted.

    Told beside the losses, of the pairs held out: `preferred`, the share whose preferred answer is the
    likelier one a token, and `reward_margin`, by how many nats a token on average.

    The model is adapted by low-rank adapters, held-out records are measured and checkpoints are written as
    the trainer `lora` does; its options have the same meaning here.

    Errors: `BadInput` names the record or option that cannot be used, or says that training diverged;
    `Exhausted` when memory or disk is full.

    Limits: with the usual weight most of what is learnt is the preferred answer itself; the comparison is a
    small correction. Length is divided out, so that a long answer is not preferred for its length alone, but
    neither is a short one. A model that prefers the held-out answers need not write better ones; only an
    evaluation shows that.
    """
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    between(options, odds_weight=(0, 100))
    options["method"] = "lora"
    return _loop.run(Odds(options), base, records, out, options, held=held, earlier=earlier)
