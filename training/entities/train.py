"""Trains the entity tagger and writes the weights that `tunewright.checks._tagger` reads.

    python training/entities/train.py --examples made.jsonl silver.jsonl --out entities.npz [--steps 6000]

An example is a line of JSON: {"text": ..., "spans": [[start, end, kind], ...]}; kind "?" marks characters
whose words are left out of the loss. One thread; the same seed and the same examples give the same weights.
"""

import argparse
import json
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from tunewright.checks._tagger import KINDS, TAGS
from tunewright.checks._tagger_net import casing, text_casing
from tunewright.checks._tagger_words import SHAPES, TOKEN, Lists, pieces

Ids = npt.NDArray[np.int64]
TABLE, WIDTH, HIDDEN, STEPS = 65_536, 64, 96, (1, 2, 4)
LEFT_OUT = -100
GAP = max(STEPS)


class Examples:
    """All texts as numbers: one long row of word numbers and tags, and where each text starts."""

    def __init__(self, files: list[Path], lists: Lists | None) -> None:
        words: dict[str, int] = {"": 0}
        ids, tags, starts = list[int](), list[int](), [0]
        for file in files:
            with file.open(encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    found = list(TOKEN.finditer(row["text"]))
                    if not 0 < len(found) < 1500:
                        continue
                    mine = [words.setdefault(m.group(), len(words)) for m in found]
                    ids += mine
                    tags += tagged([m.span() for m in found], row["spans"])
                    starts.append(len(ids))
        self.ids, self.tags = np.array(ids), np.array(tags)
        self.starts, self.words = np.array(starts), list(words)
        case = np.array([casing(word) for word in self.words], dtype=np.int8)
        self.kinds = text_casing(case[self.ids], self.starts[:-1])
        self.minor = (case < 2) & ~np.array([word.isdigit() for word in self.words])
        found_pieces = pieces(self.words[1:], TABLE, lists)
        self.rows = found_pieces.rows.astype(np.int32)
        self.first = np.concatenate([[0], found_pieces.starts])

    def telling(self, ids: Ids, tags: Ids, kinds: Ids) -> npt.NDArray[np.bool_]:
        """Words the gate learns from: not the small words and signs inside longer names."""
        inner = (tags > 0) & ((tags - 1) % 4 != 3)
        return ~(inner & self.minor[ids] & (kinds != 1))

    def batches(self, draw: np.random.Generator, size: int) -> Iterator[tuple[Ids, Ids, Ids]]:
        """Shuffled texts, `size` words at a time with empty rows between: word numbers, tags, casing."""
        while True:
            ids, tags, kinds, count = [], [], [], 0
            for text in draw.permutation(len(self.kinds)):
                span = self.cut(draw, int(self.starts[text]), int(self.starts[text + 1]))
                length = span.stop - span.start
                ids += [self.ids[span], np.zeros(GAP, dtype=np.int64)]
                tags += [self.tags[span], np.full(GAP, LEFT_OUT)]
                kinds.append(np.full(length + GAP, self.kinds[text]))
                count += length
                if count >= size:
                    yield np.concatenate(ids), np.concatenate(tags), np.concatenate(kinds)
                    ids, tags, kinds, count = [], [], [], 0

    def cut(self, draw: np.random.Generator, low: int, high: int) -> slice:
        """Of some longer texts only a part, as the tagger sees only the surroundings of possible names."""
        if high - low < 16 or draw.random() > 0.3:
            return slice(low, high)
        outside = np.flatnonzero(self.tags[low:high] == 0)
        if len(outside) < 4:
            return slice(low, high)
        first, last = sorted(draw.integers(0, len(outside), 2).tolist())
        return slice(low + int(outside[first]), low + int(outside[last]) + 1)


def tagged(words: list[tuple[int, int]], spans: list[tuple[int, int, str]]) -> list[int]:
    """BILOU tags of words from spans of characters."""
    tags = [0] * len(words)
    starts, ends = [low for low, _ in words], [high for _, high in words]
    for start, end, kind in spans:
        inside = range(bisect_right(ends, start), bisect_left(starts, end))
        if kind == "?":
            for at in inside:
                tags[at] = LEFT_OUT
            continue
        base = 1 + 4 * KINDS.index(kind)  # type: ignore[arg-type]
        for place, at in enumerate(inside):
            if len(inside) == 1:
                tags[at] = base + 3
            else:
                tags[at] = base + (0 if place == 0 else 2 if place == len(inside) - 1 else 1)
    return tags


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(TABLE, WIDTH, mode="sum", include_last_offset=True)
        nn.init.normal_(self.table.weight, std=0.08)
        self.first = nn.Linear(5 * WIDTH, HIDDEN)
        self.casing = nn.Embedding(4, HIDDEN)
        nn.init.zeros_(self.casing.weight)
        self.inner = nn.ModuleList(nn.Linear(3 * HIDDEN, HIDDEN) for _ in STEPS)
        self.last = nn.Linear(HIDDEN, TAGS)
        self.gate = nn.Sequential(nn.Linear(WIDTH, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(
        self, rows: torch.Tensor, offsets: torch.Tensor, back: torch.Tensor, kinds: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        words = self.table(rows, offsets)
        seen = words[back]
        full = (back > 0).float()[:, None]
        out = functional.relu(self.first(slid(seen, 5, 1)) + self.casing(kinds)) * full
        out = functional.dropout(out, 0.1, self.training)
        for step, layer in zip(STEPS, self.inner, strict=True):
            more = functional.relu(layer(slid(out, 3, step)))
            out = (out + functional.dropout(more, 0.1, self.training)) * full
        return self.last(out), self.gate(seen.detach())[:, 0]


def slid(rows: torch.Tensor, taps: int, step: int) -> torch.Tensor:
    """Each row beside its neighbours, `step` apart."""
    half = taps // 2 * step
    padded = functional.pad(rows, (0, 0, half, half))
    return torch.cat([padded[tap * step : tap * step + len(rows)] for tap in range(taps)], dim=1)


def bag(
    examples: Examples, ids: Ids, draw: np.random.Generator | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows of the table for the batch's different words, some left out at random while training."""
    unique, back = np.unique(ids, return_inverse=True)
    if unique[0] != 0:
        unique, back = np.concatenate([[0], unique]), back + 1
    first, last = examples.first[unique], examples.first[np.minimum(unique + 1, len(examples.first) - 1)]
    last = np.where(unique == 0, first, last)
    counts = last - first
    owner = np.repeat(np.arange(len(unique)), counts)
    inner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = examples.rows[np.repeat(first, counts) + inner].astype(np.int64)
    if draw is not None:
        unlisted = draw.random(len(unique)) < 0.25
        listed = (rows >= 40) & (rows < 48)
        kept = ~(listed & unlisted[owner]) & ((rows < SHAPES) | (draw.random(len(rows)) > 0.08))
        rows, owner = rows[kept], owner[kept]
    offsets = np.zeros(len(unique) + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=len(unique)), out=offsets[1:])
    return torch.from_numpy(rows), torch.from_numpy(offsets), torch.from_numpy(back.reshape(-1))


def train(examples: Examples, steps: int, size: int, rate: float, seed: int) -> Net:
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    net = Net()
    adam = torch.optim.Adam(net.parameters(), lr=rate, betas=(0.9, 0.99), fused=True)
    plan = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps, pct_start=0.08)
    weight = torch.full((TAGS,), 1.6)
    weight[0] = 1.0
    batches = examples.batches(draw, size)
    mean, began = 0.0, time.process_time()
    for step in range(steps):
        ids, tags, kinds = next(batches)
        rows, offsets, back = bag(examples, ids, draw)
        scores, gate = net(rows, offsets, back, torch.from_numpy(kinds))
        gold = torch.from_numpy(tags)
        loss = functional.cross_entropy(scores, gold, weight, ignore_index=LEFT_OUT, label_smoothing=0.02)
        known = torch.from_numpy((tags != LEFT_OUT) & examples.telling(ids, tags, kinds))
        hope = functional.binary_cross_entropy_with_logits(
            gate[known], (gold[known] > 0).float(), pos_weight=torch.tensor(8.0)
        )
        adam.zero_grad(set_to_none=True)
        (loss + 0.2 * hope).backward()
        adam.step()
        plan.step()
        mean += (loss.item() - mean) * max(0.01, 1 / (step + 1))
        if step % 200 == 199:
            print(f"{step + 1} loss {mean:.4f} cpu {time.process_time() - began:.0f}s", flush=True)
    return net.eval()


def save(net: Net, lists: Lists, out: Path) -> None:
    """Int8 rows with one scale each, everything else in 16 bits."""
    table = net.table.weight.detach().numpy()
    scale = np.maximum(np.abs(table).max(axis=1), 1e-6) / 127
    half: dict[str, npt.NDArray[np.generic]] = {"scale": scale.astype(np.float16)}

    def linear(name: str, layer: nn.Linear, taps: int) -> None:
        weights = layer.weight.detach().numpy().T.reshape(taps, -1, layer.out_features)
        half[name] = weights.astype(np.float16)
        half[f"{name}_bias"] = layer.bias.detach().numpy().astype(np.float16)

    linear("first", net.first, 5)
    for at, layer in enumerate(net.inner):
        assert isinstance(layer, nn.Linear)
        linear(f"inner{at}", layer, 3)
    half["casing"] = net.casing.weight.detach().numpy().astype(np.float16)
    half["last"] = net.last.weight.detach().numpy().T.astype(np.float16)
    half["last_bias"] = net.last.bias.detach().numpy().astype(np.float16)
    for at, layer in enumerate((net.gate[0], net.gate[2])):
        assert isinstance(layer, nn.Linear)
        linear(f"gate{at}", layer, 1)
    shown = half["scale"].astype(np.float32)
    whole = np.clip(np.round(table / np.maximum(shown, 1e-6)[:, None]), -127, 127).astype(np.int8)
    steps = np.array(STEPS, dtype=np.int64)
    np.savez_compressed(
        out,
        table=whole,
        steps=steps,
        list_hashes=lists.hashes,
        list_bits=lists.bits,
        **half,  # type: ignore[arg-type]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, nargs="+", required=True)
    parser.add_argument("--lists", type=Path, help="npz with list_hashes and list_bits (made.py)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--size", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    lists = Lists(np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.uint8))
    if asked.lists:
        with np.load(asked.lists, allow_pickle=False) as file:
            lists = Lists(file["list_hashes"], file["list_bits"])
    examples = Examples(asked.examples, lists)
    print(
        len(examples.kinds), "texts", len(examples.ids), "words", len(examples.words), "different", flush=True
    )
    save(train(examples, asked.steps, asked.size, asked.rate, asked.seed), lists, asked.out)


if __name__ == "__main__":
    main()
