"""Low-rank adaptation on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from tunewright import network
from tunewright.errors import BadInput
from tunewright.nouns import Progress, Record
from tunewright.trainers import _adapter, _checkpoint, _rows


def lora(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    learning_rate: float = 2e-3,
    epochs: float = 3,
    batch_size: int = 8,
    warmup: float = 0.05,
    weight_decay: float = 0.0,
    max_tokens: int = 512,
    truncate: bool = False,
    held_out: float = 0.05,
    layers: float = 0.5,
    checkpoint_every: int = 50,
    threads: int = 0,
) -> Iterator[Progress]:
    """Low-rank adapters on a frozen model (LoRA), on the processor.

    Every linear map W of the upper layers becomes W + (alpha / rank) B A, with A and B of the given rank,
    made and saved by PEFT, and only A and B are learnt (Hu and others, LoRA, 2021, arXiv:2106.09685). The
    loss is the mean cross-entropy, in nats, over the assistant's words and the token that ends them; system
    prompts and users' words are read but not learnt. AdamW; the learning rate rises linearly over the share
    `warmup` of the steps and falls to zero on a cosine; gradients are clipped to norm 1. A share `held_out`
    of the conversations, chosen by content, is never learnt: its loss is reported before the first step and
    after every epoch as `held_out_loss`.

    `layers` is the share of the model's layers, counted from the top, that are adapted. What the layers below
    compute never changes, so it is computed once and kept in memory (4 bytes x tokens x width), and what all
    rows begin with, such as the system prompt, is read once in a batch. Neither changes what is learnt.
    `batch_size` counts conversations; `max_tokens` is the longest that one may be (a longer one is an error
    unless `truncate` is given, which cuts its end); `threads` 0 means every processor. A checkpoint is
    written every `checkpoint_every` steps; called again with the same arguments, training goes on from the
    last one and ends in the same bytes as if it had never stopped.

    Errors: `BadInput` names the record that cannot be learnt, or says that training diverged; `Exhausted`
    when memory or disk is full.

    Limits: the same bytes are promised for the same machine, library versions and number of threads, not
    across machines. Facts that are learnt by heart may be mixed up or invented for questions unlike those in
    the data, and what the base model could do before may get worse; only an evaluation shows by how much.
    Arithmetic is 32-bit unless the processor has matrix units for bfloat16 and they prove faster. One
    process, no GPU.
    """
    count = network.threads(threads)
    deterministic = torch.are_deterministic_algorithms_enabled()
    settings: Any = import_module("torch.utils.deterministic")
    filled = settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    settings.fill_uninitialized_memory = False  # nothing is read before it is written
    try:
        yield from _train(
            base, records, out, count, {k: v for k, v in locals().items() if k in _rows.OPTIONS}
        )
    except (MemoryError, RuntimeError) as error:
        told = network.explained(error, "training")
        if told is error:
            raise
        raise told from error
    finally:
        torch.use_deterministic_algorithms(deterministic)
        settings.fill_uninitialized_memory = filled


def _train(
    base: Path, records: Sequence[Record], out: Path, count: int, options: dict[str, Any]
) -> Iterator[Progress]:
    _rows.sane(options)
    dtype = _adapter.arithmetic()
    net = network.load(base, dtype=dtype)
    rows = _rows.rows(net, records, options)
    kept, held = _rows.split(rows, options["held_out"], options["seed"])
    steps = max(1, math.ceil(len(kept) / options["batch_size"] * options["epochs"]))
    made_with = _adapter.made_with(count, dtype)
    name = _checkpoint.fingerprint(base, records, options, made_with)
    torch.manual_seed(options["seed"])
    tuner = _adapter.Tuner(net, options)
    done = _checkpoint.resume(out, name, tuner)
    if done < steps:
        _checkpoint.clear(out)
    else:
        yield Progress(label="tune", done=done, total=steps, note="it was done before")
    trunk = _adapter.Trunk(net, tuner.below, rows)
    for read in trunk.fill(rows) if done < steps else ():
        yield Progress(label="read", done=read, total=len(rows))
    epoch = math.ceil(len(kept) / options["batch_size"])
    seen, clock = 0, time.monotonic()
    values = {"held_out_loss": tuner.measure(trunk, held)} if held and not done else {}
    if values:
        yield Progress(label="tune", done=0, total=steps, note=_note(kept, held), values=values)
    saved, safe = done, True
    try:
        while done < steps:
            batch = _rows.batch(kept, done, options)
            rate = options["learning_rate"] * _rate(done, steps, options["warmup"])
            loss = tuner.gradient(trunk, batch, step=done)
            if not math.isfinite(loss):
                raise BadInput(
                    f"training diverged: the loss is {loss} at step {done + 1} of {steps}",
                    hint=f"lower learning_rate below {options['learning_rate']:g}, or raise warmup",
                )
            safe = False
            norm = tuner.step(rate)
            done, safe = done + 1, True
            if not math.isfinite(norm):
                raise BadInput(
                    f"training diverged: the gradient is {norm} at step {done}", hint="lower learning_rate"
                )
            seen += sum(len(row.ids) for row in batch)
            if done % options["checkpoint_every"] == 0 or done == steps:
                _checkpoint.save(out, name, tuner, done)
                saved = done
            values = {
                "loss": loss,
                "learning_rate": rate,
                "gradient_norm": norm,
                "tokens_per_second": seen / (time.monotonic() - clock),
            }
            if held and (done % epoch == 0 or done == steps):
                values["held_out_loss"] = tuner.measure(trunk, held)
            yield Progress(label="tune", done=done, total=steps, values=values)
    except (KeyboardInterrupt, GeneratorExit):
        if safe and done > saved:
            _checkpoint.save(out, name, tuner, done)
        raise
    _checkpoint.finish(out, tuner, made_with)


def _rate(step: int, steps: int, warmup: float) -> float:
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _note(kept: Sequence[_rows.Row], held: Sequence[_rows.Row]) -> str:
    learnt = sum(len(row.targets) for row in kept)
    return f"{len(kept)} conversations, {learnt} learnt tokens an epoch; {len(held)} held out"
