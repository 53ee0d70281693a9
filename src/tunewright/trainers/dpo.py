"""Direct preference optimisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tunewright.errors import BadInput
from tunewright.nouns import Progress, Record
from tunewright.trainers import _loop
from tunewright.trainers._preferences import Pairs, between


def dpo(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    beta: float = 0.1,
    loss: Literal["sigmoid", "ipo"] = "sigmoid",
    label_smoothing: float = 0.0,
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
    """Direct preference optimisation (DPO) from pairs of answers.

    Learns from records with two last answers, one that people preferred (the assistant's) and one that they
    did not (`rejected`). The implicit reward of an answer is `beta` times the log-ratio of its probability to
    the one before training; the loss, minus the log-sigmoid of the difference of the two rewards, falls as
    the preferred answer becomes more likely compared with the other one (Rafailov and others, 2023,
    arXiv:2305.18290). A larger `beta` stays closer to the base model. `loss: ipo` pulls that difference, per
    token, towards 1 / (2 beta) instead of ever higher (Azar and others, 2023, arXiv:2310.12036).
    `label_smoothing` is the share of pairs believed to be the wrong way round (Chowdhury and others, 2024,
    arXiv:2403.00409). Only the last answer and the token that ends it count; what was said before is read.
    Records without a pair are left out and counted.

    Told beside the losses, of the pairs held out: `preferred`, the share whose preferred answer has the
    higher implicit reward, and `reward_margin`, by how much on average. Before the first step both answers
    have the same reward, so that `preferred` starts at what rounding makes of zero.

    The model is adapted by low-rank adapters, held-out records are measured and checkpoints are written as
    the trainer `lora` does; its options have the same meaning here. A learning rate that is right for `lora`
    is too high here.

    Errors: `BadInput` names the record or option that cannot be used, or says that training diverged;
    `Exhausted` when memory or disk is full.

    Limits: learns which of two answers is better, not what a right answer is: the probability of both may
    fall. Start from a model that already answers in the right way, and keep epochs few. A model that prefers
    the held-out answers need not write better ones; only an evaluation shows that. Length and wording that
    differ systematically between the two answers are learnt first.
    """
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    between(options, beta=(1e-6, 100), label_smoothing=(0, 0.49))
    if loss == "ipo" and label_smoothing:
        raise BadInput("label_smoothing has no meaning with the loss ipo", hint="leave one of them out")
    options["method"] = "lora"
    return _loop.run(Pairs(options), base, records, out, options, held=held, earlier=earlier)
