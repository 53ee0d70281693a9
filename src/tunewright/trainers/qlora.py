"""Low-rank adapters on a base in four bits, on a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Literal

from tunewright.errors import Refused
from tunewright.nouns import Progress, Record
from tunewright.trainers import _loop, _machine
from tunewright.trainers._objective import Answers


def qlora(
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
    learning_rate: float = 2e-4,
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
    slices: int = 2,
    checkpoint_every: int = 50,
    recompute: bool = False,
) -> Iterator[Progress]:
    """Low-rank adapters on a frozen model in four bits (QLoRA), on a GPU.

    The base's linear maps are held as 4-bit NormalFloat with doubly quantised scales and computed with in
    bfloat16, by bitsandbytes; the adapters are learnt as `lora` learns them (Dettmers and others, QLoRA,
    2023, arXiv:2305.14314). The options mean what they mean there.

    Errors: `Refused` without a GPU, `Missing` without bitsandbytes (`pip install bitsandbytes`), otherwise as
    `lora`.

    Limits: never run on a GPU by its makers. The result is served on the unquantised base, so answers differ
    a little from those in training. PEFT's own layers are used, which are slower than those of `lora`.
    """
    if _machine.device().type != "cuda":
        raise Refused(
            "qlora needs a GPU: on a processor four bits save memory and cost much time",
            hint="tune.trainer: lora, with layers: 0.25 or a smaller base model when the memory is short",
        )
    import_module("bitsandbytes")
    options = {k: v for k, v in locals().items() if k not in ("base", "records", "out", "held", "earlier")}
    options |= {"method": "lora", "dora": False, "threads": 0, "four_bits": True}
    return _loop.run(Answers(options), base, records, out, options, held=held, earlier=earlier)
