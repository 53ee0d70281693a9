"""The layers below those that learn.

What they make of a row never changes, so it is computed once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tunewright.network import Network, Rows, hidden, shared
from tunewright.trainers._rows import Row

ROOM = 2 << 30
"""Bytes that kept activations may take."""
TOGETHER = 16
"""Rows that are read together."""


class Trunk:
    """The lower layers, and what they made of the rows that were read."""

    def __init__(self, net: Network, below: int, groups: Sequence[Sequence[Row]]) -> None:
        """Rows are read with others of their group, which is fixed: so the bytes do not depend on when.

        When keeping it would take more than `ROOM`, everything is computed anew in every step instead.
        """
        self.net, self.kept = net, dict[tuple[int, ...], Tensor]()
        width = net.model.get_input_embeddings().weight
        count = sum(len(row.ids) for group in groups for row in group)
        fits = count * width.shape[1] * width.element_size() <= ROOM
        self.below = below if fits else 0
        layers = getattr(net.decoder, "layers", None)
        if self.below and isinstance(layers, nn.ModuleList):
            self.lower, self.upper = layers[: self.below], layers[self.below :]
        self._with = dict[tuple[int, ...], list[tuple[int, ...]]]()
        for group in groups if self.below else ():
            ordered = sorted({row.ids for row in group}, key=lambda ids: (len(ids), ids))
            for at in range(0, len(ordered), TOGETHER):
                part = ordered[at : at + TOGETHER]
                self._with.update(dict.fromkeys(part, part))

    def read(self, rows: Sequence[Row]) -> tuple[int, Tensor, Rows]:
        """The length of what the rows share, the flat states below the adapters (or the ids), and how they
        lie.
        """
        prefix = shared([row.ids for row in rows]) if len(rows) > 1 else 0
        reading = Rows(prefix, [len(row.ids) - prefix for row in rows])
        if not self.below:
            return prefix, _flat([row.ids for row in rows], prefix), reading
        for row in rows:
            if row.ids not in self.kept:
                self._read(self._with.get(row.ids, [row.ids]))
        states = [self.kept[row.ids] for row in rows]
        return prefix, torch.cat([states[0][:prefix], *(s[prefix:] for s in states)]), reading

    def together(self, rows: Sequence[Row]) -> None:
        """Read rows that are in no group with each other rather than one by one."""
        fresh = sorted({row.ids for row in rows} - self.kept.keys(), key=lambda ids: (len(ids), ids))
        if self.below and fresh:
            self._read(fresh)

    def above(self, states: Tensor, reading: Rows) -> Tensor:
        """Through the adapted layers and the last norm."""
        if not self.below:
            return hidden(self.net, states, reading)
        with self._only(self.upper):
            return hidden(self.net, states, reading)

    def _read(self, rows: Sequence[tuple[int, ...]]) -> None:
        prefix = shared(rows) if len(rows) > 1 else 0
        caught: list[Tensor] = []
        hook = self.lower[-1].register_forward_hook(
            lambda _m, _i, out: caught.append(out if isinstance(out, Tensor) else out[0])
        )
        try:
            with self._only(self.lower), torch.no_grad():
                hidden(self.net, _flat(rows, prefix), Rows(prefix, [len(ids) - prefix for ids in rows]))
        finally:
            hook.remove()
        front, *own = torch.split(caught[0][0], [prefix, *(len(ids) - prefix for ids in rows)])
        for ids, state in zip(rows, own, strict=True):
            self.kept[ids] = torch.cat([front, state])

    @contextmanager
    def _only(self, layers: nn.ModuleList) -> Iterator[None]:
        whole = self.net.decoder.layers
        self.net.decoder.layers = layers
        try:
            yield
        finally:
            self.net.decoder.layers = whole


def _flat(rows: Sequence[tuple[int, ...]], prefix: int) -> Tensor:
    return torch.tensor([*rows[0][:prefix], *(t for ids in rows for t in ids[prefix:])])
