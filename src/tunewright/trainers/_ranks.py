"""Several processes that train one model: each reads its part of every batch, and gradients are added up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import torch

T = TypeVar("T")
FOLLOWED = "FOLLOWED_BY_TUNEWRIGHT"
"""Environment variable that tells a process that somebody reads its lines."""


def together() -> bool:
    """Whether this process is one of several that train together."""
    group: Any = torch.distributed
    return bool(group.is_available() and group.is_initialized())


class Ranks:
    """This process among those that train together; alone when torch.distributed was not started."""

    def __init__(self) -> None:
        self.group: Any = torch.distributed
        on = together()
        self.rank: int = self.group.get_rank() if on else 0
        self.size: int = self.group.get_world_size() if on else 1

    @property
    def first(self) -> bool:
        """Whether this process writes and tells."""
        return self.rank == 0

    def mine(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part."""
        return items[self.rank :: self.size] if self.size > 1 else items

    def add(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace every tensor by its sum over the processes, in one message."""
        if self.size > 1:
            parts = list(tensors)
            flat = torch.cat([t.reshape(-1) for t in parts])
            self.group.all_reduce(flat)
            for part, summed in zip(parts, torch.split(flat, [t.numel() for t in parts]), strict=True):
                part.copy_(summed.view_as(part))

    def total(self, values: Sequence[float]) -> list[float]:
        """Sums over the processes."""
        if self.size == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64)
        self.group.all_reduce(told)
        return [float(v) for v in told]
