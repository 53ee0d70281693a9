"""Answers token by token: a pool of rows that share what they begin with and leave when they are done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from tunewright.network import Network, Rows, hidden

Past = list[tuple[Tensor, Tensor]]
"""For each layer the keys and values, each (key heads, tokens, d), of what all rows begin with."""


class Pool:
    """Rows being answered.

    Row `i` of the caches belongs to `self.names[i]`; the last row moves into a gap.
    """

    def __init__(self, net: Network, past: Past, max_tokens: int, size: int, temperature: float = 0) -> None:
        self.net, self.past, self.max_tokens, self.size, self.temperature = (
            net,
            past,
            max_tokens,
            size,
            temperature,
        )
        self.prefix = past[0][0].shape[1] if past else 0
        self.names: list[int] = []
        self.said: dict[int, list[int]] = {}
        self.lengths = torch.zeros(size, dtype=torch.long)
        """Own tokens (after the prefix) of which keys and values are in the cache, by row."""
        self.caches: Past = []
        self.room = 0
        self.longest = 0

    @property
    def busy(self) -> int:
        """Rows in the pool."""
        return len(self.names)

    def prepare(self, longest: int) -> None:
        """Make room for prompts of up to this many tokens at once, rather than growing again and again."""
        self.longest = longest - self.prefix

    @torch.inference_mode()
    def enter(self, prompts: Sequence[tuple[int, list[int]]]) -> None:
        """Read prompts and choose the first token of each answer."""
        lengths = [len(ids) - self.prefix for _, ids in prompts]
        kept: Past = []
        reading = Rows(self.prefix, lengths, self.past if self.prefix else None, kept)
        if not self.prefix:
            reading.past = []
        flat = torch.tensor([t for _, ids in prompts for t in ids[self.prefix :]])
        states = hidden(self.net, flat, reading)
        first = len(self.names)
        self._grow(max(self.longest, *lengths) + self.max_tokens, kept)
        for (keys, values), (k, v) in zip(self.caches, kept, strict=True):
            keys[first : first + len(prompts), :, : k.shape[2]] = k.transpose(0, 1)
            values[first : first + len(prompts), :, : v.shape[2]] = v.transpose(0, 1)
        self.names += [name for name, _ in prompts]
        self.lengths[first : first + len(prompts)] = torch.tensor(lengths)
        last = torch.cumsum(torch.tensor(lengths), 0) - 1
        for (name, _), token in zip(prompts, self._choose(states[last]), strict=True):
            self.said[name] = [token]

    @torch.inference_mode()
    def turn(self) -> None:
        """One more token for every row."""
        n = len(self.names)
        if not n:
            return
        ids = torch.tensor([self.said[name][-1] for name in self.names])
        states = hidden(self.net, ids, Turn(self, n))
        self.lengths[:n] += 1
        for name, token in zip(self.names, self._choose(states), strict=True):
            self.said[name].append(token)

    def leave(self) -> Iterator[tuple[int, list[int], bool]]:
        """Rows that are done: their name, their tokens without the one that ends the answer, and whether it
        came.
        """
        at = 0
        while at < len(self.names):
            name = self.names[at]
            ended = self.said[name][-1] in self.net.ends
            if not ended and len(self.said[name]) < self.max_tokens:
                at += 1
                continue
            said = self.said.pop(name)
            yield name, said[:-1] if ended else said, ended
            end = len(self.names) - 1
            if at != end:
                with torch.inference_mode():
                    for keys, values in self.caches:
                        keys[at].copy_(keys[end])
                        values[at].copy_(values[end])
                    self.lengths[at] = self.lengths[end]
                self.names[at] = self.names[end]
            self.names.pop()

    def _choose(self, states: Tensor) -> list[int]:
        logits = self.net.head(states).float()
        if self.temperature > 0:
            return [int(i) for i in torch.multinomial(torch.softmax(logits / self.temperature, -1), 1)[:, 0]]
        return [int(i) for i in logits.argmax(-1)]

    def _grow(self, room: int, like: Past) -> None:
        if room <= self.room:
            return
        made: Past = []
        for at, (k, v) in enumerate(like):
            pair = []
            for which, x in enumerate((k, v)):
                cache = x.new_zeros(self.size, x.shape[0], room, x.shape[3])
                if self.caches:
                    cache[:, :, : self.room] = self.caches[at][which]
                pair.append(cache)
            made.append((pair[0], pair[1]))
        self.caches, self.room = made, room


class Turn:
    """One token for each row: it sees the prefix, its own row, and itself."""

    def __init__(self, pool: Pool, n: int) -> None:
        self.pool, self.n = pool, n
        self.at = pool.lengths[:n].clone()
        self.rows = torch.arange(n)
        self.longest = int(self.at.max()) + 1
        self.positions = (self.at + pool.prefix)[None]
        unseen = torch.arange(self.longest)[None] > self.at[:, None]
        self.hide = torch.zeros(n, 1, 1, self.longest).masked_fill_(unseen[:, None, None], float("-inf"))

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """Attention of one layer; `q` is (rows, heads, d)."""
        n, heads, d = q.shape
        keys = k.shape[1]
        group, p = heads // keys, self.pool.prefix
        kept_k, kept_v = self.pool.caches[layer]
        kept_k[self.rows, :, self.at] = k
        kept_v[self.rows, :, self.at] = v
        own_k = kept_k[:n, :, : self.longest].view(n * keys, self.longest, d)
        own_v = kept_v[:n, :, : self.longest].view(n * keys, self.longest, d)
        q = q.reshape(n, keys, group, d) * scale
        scores = torch.bmm(q.reshape(n * keys, group, d), own_k.transpose(1, 2))
        scores = scores.view(n, keys, group, self.longest).add_(self.hide.to(scores.dtype))
        if p:
            before_k, before_v = self.pool.past[layer]
            side = q.transpose(0, 1).reshape(keys, n * group, d)
            before = torch.bmm(side, before_k.transpose(1, 2))
            scores = torch.cat([before.view(keys, n, group, p).transpose(0, 1), scores], -1)
        chance = torch.softmax(scores, -1, dtype=torch.float32).to(v.dtype)
        own = chance[..., p:].reshape(n * keys, group, self.longest)
        out = torch.bmm(own, own_v).view(n, keys, group, d)
        if p:
            side = chance[..., :p].transpose(0, 1).reshape(keys, n * group, p)
            out = out + torch.bmm(side, before_v).view(keys, n, group, d).transpose(0, 1)
        return out.reshape(n, heads, d)
