"""How a training is laid out: what is learnt in which stage, in how many steps, and at which rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunewright.errors import BadInput
from tunewright.trainers import _rows
from tunewright.trainers._rows import Item


@dataclass
class Plan:
    """Which items are learnt in which stage, and how many steps each stage takes."""

    parts: list[list[Item]]
    held: list[Item]
    steps: list[int]
    size: int
    seed: int
    warmup: float

    @property
    def total(self) -> int:
        """Steps of all stages."""
        return sum(self.steps)

    def where(self, done: int) -> tuple[int, int]:
        """Stage (from 0) and step within it, of the step after so many."""
        for stage, steps in enumerate(self.steps):
            if done < steps:
                return stage, done
            done -= steps
        return len(self.steps), 0

    def learnt(self, stage: int) -> list[Item]:
        """All items up to and with a stage."""
        return [item for part in self.parts[: stage + 1] for item in part]

    def rate(self, done: int) -> float:
        """Share of the learning rate: a rise over `warmup`, then a cosine to zero.

        A stage covers its part of the curve whatever later stages hold, so that taking something out of a
        later one leaves an earlier one as it was.
        """
        stage, step = self.where(done)
        count = len(self.steps)
        whole = count * (count + 1) / 2
        begin, end = stage * (stage + 1) / 2 / whole, (stage + 1) * (stage + 2) / 2 / whole
        width = (end - begin) / self.steps[stage]
        at, rising = begin + width * step, max(self.warmup, width)
        if at < rising * (1 - 1e-9):
            return min(1.0, (at + width) / rising)
        return 0.5 * (1 + math.cos(math.pi * (at - rising) / max(1e-9, 1 - rising)))


def planned(items: Sequence[Item], measured: list[Item] | None, options: Mapping[str, Any]) -> Plan:
    """Which items are learnt when. `measured` are held out in place of a share of the items.

    With several stages (Bourtoule and others, Machine Unlearning, 2021, arXiv:1912.03817) each learns all
    slices up to its own, for 2 / (stages + 1) of the epochs, so that with equal slices the steps are as many.
    """
    kept, held = _rows.split(items, options["held_out"], options["seed"])
    if measured is not None:
        words = {item.key for item in measured}
        kept, held = [item for item in items if item.key not in words], measured
    if not kept:
        raise BadInput("everything is held out, so nothing is left to learn", hint="give more records")
    parts = _rows.slices(kept, options["slices"], options["seed"])
    epochs, size, seen, steps = (
        2 * options["epochs"] / (len(parts) + 1),
        options["batch_size"],
        0,
        list[int](),
    )
    for part in parts:
        seen += len(part)
        steps.append(math.ceil(seen / size * epochs))
    return Plan(parts, held, steps, size, options["seed"], options["warmup"])


def sane(options: dict[str, Any]) -> None:
    """Errors: `BadInput` naming the option that makes no sense."""
    bounds = {
        "rank": (1, 1024), "alpha": (1, 4096), "dropout": (0, 0.9), "learning_rate": (1e-9, 1),
        "epochs": (1e-6, 1000), "batch_size": (1, 4096), "warmup": (0, 1), "weight_decay": (0, 1),
        "max_tokens": (8, 1_000_000), "held_out": (0, 0.9), "layers": (1e-6, 1), "slices": (1, 64),
        "patience": (0, 1000), "checkpoint_every": (1, 1_000_000), "processes": (1, 1024),
    }  # fmt: skip
    for name, (low, high) in bounds.items():
        value = options.get(name, low)
        if not isinstance(value, (int, float)) or not low <= value <= high:
            raise BadInput(f"{name} is {value!r}", hint=f"give a number from {low:g} to {high:g}")


def tokens(items: Sequence[Item]) -> int:
    """Tokens of some items."""
    return sum(len(row.ids) for item in items for row in item.rows)
