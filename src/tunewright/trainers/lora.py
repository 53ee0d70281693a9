"""Low-rank adaptation on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tunewright.nouns import Progress, Record
from tunewright.trainers import _launch, _loop, _ranks
from tunewright.trainers._objective import Answers


def lora(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    earlier: Mapping[str, Path] | None = None,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    rslora: bool = False,
    dora: bool = False,
    learning_rate: float = 2e-3,
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
    slices: int = 2,
    checkpoint_every: int = 50,
    threads: int = 0,
    processes: int = 1,
    recompute: bool = False,
) -> Iterator[Progress]:
    """Low-rank adapters on a frozen model (LoRA).

    Every linear map W of the upper layers becomes W + (alpha / rank) B A, with A and B of the given rank,
    made and saved by PEFT, and only A and B are learnt (Hu and others, LoRA, 2021, arXiv:2106.09685).
    `rslora` divides by the root of the rank instead (Kalajdzievski, 2023, arXiv:2312.03732); `dora` learns
    the length of every column apart from its direction (Liu and others, DoRA, 2024, arXiv:2402.09353). The
    loss is the mean cross-entropy, in nats, over the assistant's words and the token that ends them; system
    prompts and users' words are read but not learnt. AdamW; the learning rate rises linearly over the share
    `warmup` of the steps and falls to zero on a cosine; gradients are clipped to norm 1.

    A share `held_out` of the conversations, chosen by content, is never learnt: its loss is told before the
    first step and after every epoch as `held_out_loss`. The weights of the lowest are kept (`keep`), and
    after `patience` measurements without a lower one training stops (0: never).

    `layers` is the share of the model's layers, counted from the top, that are adapted. What the layers below
    compute never changes, so it is computed once and kept in memory (4 bytes x tokens x width), and what all
    rows begin with, such as the system prompt, is read once in a batch. Neither changes what is learnt.
    `batch_size` counts conversations; `max_tokens` is the longest that one may be (a longer one is an error
    unless `truncate` is given, which cuts its end); `threads` 0 means every processor. A checkpoint is
    written every `checkpoint_every` steps; called again with the same arguments, training goes on from the
    last one and ends in the same bytes as if it had never stopped.

    With `processes` above 1, so many processes are started by torchrun on this machine, each holds the whole
    model and reads its part of every batch, and their gradients are added up: what is learnt is the same but
    for rounding. Each uses a GPU of its own where there are GPUs; otherwise they share the `threads`.
    `recompute` keeps only what enters each adapted layer and computes the rest again on the way back (Chen
    and others, 2016, arXiv:1604.06174): less memory, about a third more time, the same bytes.

    What concerns people is learnt last, in up to `slices` slices with a checkpoint before each (SISA:
    Bourtoule and others, 2021, arXiv:1912.03817), so that forgetting a person goes back to the last one that
    had not seen them. Where no record names a person there is one slice.

    Errors: `BadInput` names the record that cannot be learnt, or says that training diverged; `Exhausted`
    when memory or disk is full.

    Limits: the same bytes are promised for the same machine, library versions and number of threads, not
    across machines. Facts that are learnt by heart may be mixed up or invented for questions unlike those in
    the data, and what the base model could do before may get worse; only an evaluation shows by how much.
    Arithmetic is 32-bit unless the machine has matrix units for bfloat16 and they prove faster. DoRA, dropout
    and models outside the Llama family are trained by slower layers, which is told.
    """
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    options["method"] = "lora"
    if processes != 1 and not _ranks.together():
        return _launch.run("lora", base, records, out, options, held=held, earlier=earlier)
    return _loop.run(Answers(options), base, records, out, options, held=held, earlier=earlier)
