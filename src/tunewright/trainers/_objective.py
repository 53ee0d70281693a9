"""What a trainer minimises: from records to items, from items to a loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tunewright.nouns import Record
from tunewright.trainers._rows import Cutter, Item, LeftOut, words_of

if TYPE_CHECKING:
    import torch

    from tunewright.trainers._adapter import Tuner


class Objective(Protocol):
    """What is learnt from a record, and how far the model is from having learnt it."""

    def item(self, record: Record, cutter: Cutter) -> Item:
        """What a record gives to learn. Errors: `LeftOut` when that is nothing, `BadInput` for a fault."""
        ...

    def prepare(self, tuner: Tuner, items: Sequence[Item]) -> Iterator[int]:
        """Compute what is needed once, before the first step; gives how many items are done.

        It must not depend on what was learnt: after a stop it is done again.
        """
        ...

    def weight(self, items: Sequence[Item]) -> float:
        """What the summed loss of a batch is divided by."""
        ...

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> torch.Tensor:
        """Summed loss of some items of a batch, differentiable."""
        ...

    def told(self, tuner: Tuner, items: Sequence[Item]) -> dict[str, float]:
        """Sums over some items that are worth telling beside the loss, by name; called without gradients."""
        ...


class Answers:
    """Supervised: the mean cross-entropy, in nats, of the answers' tokens and of the token that ends each."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def item(self, record: Record, cutter: Cutter) -> Item:
        """One row, without a rejected answer. A record with only that is left out."""
        if record.disliked:
            raise LeftOut("its only answer is one that people rejected", hint="kto learns from it")
        row, cut = cutter.row(record.turns)
        return Item((row,), words_of(record), record.subjects, cut=cut)

    def prepare(self, tuner: Tuner, items: Sequence[Item]) -> Iterator[int]:
        """Nothing."""
        yield from ()

    def weight(self, items: Sequence[Item]) -> float:
        """Tokens that are learnt."""
        return float(sum(len(row.targets) for item in items for row in item.rows))

    def loss(self, tuner: Tuner, items: Sequence[Item]) -> torch.Tensor:
        """Summed over tokens."""
        return -tuner.likelihoods([row for item in items for row in item.rows]).sum()

    def told(self, tuner: Tuner, items: Sequence[Item]) -> dict[str, float]:
        """Nothing more."""
        return {}
