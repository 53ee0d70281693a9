"""The model while it learns: PEFT makes and saves adapters, the arithmetic is ours where that is faster."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from pydantic import JsonValue
from torch import Tensor, nn

from tunewright.errors import BadInput
from tunewright.network import Network, Rows, hidden, quiet
from tunewright.trainers import _lean, _low, _machine, _shards
from tunewright.trainers._objective import Objective
from tunewright.trainers._ranks import Ranks
from tunewright.trainers._rows import Item, Row
from tunewright.trainers._trunk import Trunk

TOKENS = 1024
"""Tokens that are read at once: more take more memory and are no faster (docs/decisions/0023)."""
CLOSE = 1e-3
"""How far, relative to the largest number, our layers may be from PEFT's own in 32-bit arithmetic."""


class Tuner:
    """The parameters that learn, how they are reached, and the optimiser that moves them."""

    trunk: Trunk

    def __init__(self, net: Network, options: dict[str, Any], objective: Objective) -> None:
        self.net, self.options, self.objective = net, {"dropout": 0.0, **options}, objective
        self.ranks = Ranks()
        stack = getattr(net.decoder, "layers", None)
        total = len(stack) if isinstance(stack, nn.ModuleList) else 0
        self.below = total - max(1, round(total * options["layers"])) if total else 0
        self.peft: Any = None
        self.notes = list[str]()
        self.facts = dict[str, JsonValue]()
        """What the objective tells besides, once, for `facts.json`."""
        self.score: nn.Linear | None = None
        full = options["method"] == "full"
        self.learnt: dict[str, Tensor] = self._free(stack) if full else self._adapt(total)
        if labels := options.get("labels"):
            self.score = self._head(len(labels))
            self.learnt["score.weight"] = self.score.weight
        for parameter in self.learnt.values():
            if parameter.dtype != torch.float32:
                parameter.data = parameter.data.float()
        if options.get("recompute"):
            self._recompute()
        self.sharded = bool(options.get("shard")) and self.ranks.size > 1
        if self.sharded:
            _shards.spread(net, self.ranks.size)
            self.learnt = {n: p for n, p in sorted(net.model.named_parameters()) if n in self.learnt}
        self.optimiser = torch.optim.AdamW(
            list(self.learnt.values()),
            lr=0.0,
            weight_decay=options["weight_decay"],
            betas=(0.9, 0.999),
            fused=True,
        )

    # ── what learns ─────────────────────────────────────────────────────────────────────────────

    def _adapt(self, total: int) -> dict[str, Tensor]:
        peft: Any = _peft()
        options = self.options
        config = peft.LoraConfig(
            r=options["rank"],
            lora_alpha=options["alpha"],
            lora_dropout=options["dropout"],
            use_rslora=options["rslora"],
            use_dora=options["dora"],
            target_modules=sorted(_linear(self.net)),
            layers_to_transform=list(range(self.below, total)) if self.below else None,
            task_type="CAUSAL_LM",
            inference_mode=False,
        )
        with quiet():
            self.peft = peft.get_peft_model(self.net.model, config, autocast_adapter_dtype=True)
        for module in self.peft.modules():
            plain = isinstance(module, peft.tuners.lora.Linear) and not module.lora_variant
            if plain and type(module.base_layer) is nn.Linear and not options["dropout"]:
                _low.hasten(module)
        if options["dropout"] or options["dora"]:
            self.notes.append("with dropout or DoRA the layers are PEFT's own, which is slower")
        else:
            self._lean()
        return {n: p for n, p in sorted(self.peft.named_parameters()) if p.requires_grad}

    def _head(self, labels: int) -> nn.Linear:
        """A linear map from a state to a number for each label. It begins with zeros, preferring none."""
        head = nn.Linear(self.net.head.in_features, labels, bias=False, dtype=torch.float32)
        nn.init.zeros_(head.weight)
        return head

    def _lean(self) -> None:
        """Use our own layers where they give what the general ones give, and say so where they do not."""
        layers = list(self.net.decoder.layers)[self.below :] if self.below or self._stacked() else []
        if not layers or not all(_lean.suits(layer) for layer in layers):
            self.notes.append(f"{type(self.net.model).__name__} is read by its own layers, which is slower")
            return
        adapters = [p for layer in layers for p in layer.parameters() if p.requires_grad]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            before = [p.detach().clone() for p in adapters]
            for parameter in adapters:
                nn.init.normal_(parameter, std=0.02)
            wanted = self._tried(adapters)
            own = [layer.forward for layer in layers]
            for layer in layers:
                layer.forward = _lean.Lean(layer)
            given = self._tried(adapters)
            off = max(
                float((a - b).abs().max() / b.abs().max().clamp(min=1e-9))
                for a, b in zip(given, wanted, strict=True)
            )
            with torch.no_grad():
                for parameter, old in zip(adapters, before, strict=True):
                    parameter.copy_(old)
        if not off < (CLOSE if wanted[0].dtype == torch.float32 else 0.1):
            for layer, forward in zip(layers, own, strict=True):
                layer.forward = forward
            self.notes.append(f"our own layers gave other numbers ({off:.1e}), so the general ones are used")

    def _tried(self, adapters: list[nn.Parameter]) -> list[Tensor]:
        """States and gradients of two short rows."""
        count = self.net.model.get_input_embeddings().weight.shape[0]
        ids = torch.tensor([(17 * i + 5) % count for i in range(11)])
        states = hidden(self.net, ids, Rows(2, (3, 6)))
        pull = torch.linspace(-1, 1, states.numel()).view_as(states).to(states.dtype)
        grads = torch.autograd.grad((states * pull).sum(), adapters)
        return [states.detach().float(), torch.cat([g.float().reshape(-1) for g in grads])]

    def _recompute(self) -> None:
        """Keep what enters each layer that learns, and compute what is in it again on the way back."""
        if not self._stacked():
            raise BadInput(f"{type(self.net.model).__name__} has no layers", hint="leave recompute out")
        from torch.utils.checkpoint import checkpoint

        for layer in self.net.decoder.layers[self.below :]:
            layer.forward = partial(
                checkpoint,
                layer.forward,
                use_reentrant=False,
                preserve_rng_state=bool(self.options["dropout"]),
            )

    def _stacked(self) -> bool:
        return isinstance(getattr(self.net.decoder, "layers", None), nn.ModuleList)

    def _free(self, stack: Any) -> dict[str, Tensor]:
        """Every parameter, or those of the upper layers and the last norm."""
        self.net.model.train()
        frozen = {id(p) for layer in stack[: self.below] for p in layer.parameters()} if self.below else set()
        if self.below:
            frozen |= {id(p) for p in self.net.model.get_input_embeddings().parameters()}
            frozen |= {id(p) for p in self.net.head.parameters()}
        return {
            n: p.requires_grad_(True)
            for n, p in sorted(self.net.model.named_parameters())
            if id(p) not in frozen
        }

    # ── what the objectives ask ─────────────────────────────────────────────────────────────────

    def likelihoods(self, rows: Sequence[Row]) -> Tensor:
        """Log-probability of each row's learnt tokens together, in nats (rows,).

        Logits are computed nowhere else.
        """
        return self._within(lambda: self._likelihoods(rows))

    def _likelihoods(self, rows: Sequence[Row]) -> Tensor:
        states, starts, prefix = self._states(rows)
        at, owner = list[int](), list[int]()
        for number, (row, start) in enumerate(zip(rows, starts, strict=True)):
            at += [start + i - prefix if i >= prefix else i for i in row.at]
            owner += [number] * len(row.at)
        wanted = torch.tensor([t for row in rows for t in row.targets])
        each = _low.log_likelihood(self.net.head, states.index_select(0, torch.tensor(at)), wanted)
        return torch.zeros(len(rows)).index_add(0, torch.tensor(owner), each)

    def last(self, rows: Sequence[Row]) -> Tensor:
        """The state of each row's last token (rows, width)."""
        return self._within(lambda: self._last(rows))

    def _last(self, rows: Sequence[Row]) -> Tensor:
        states, starts, prefix = self._states(rows)
        at = [start + len(row.ids) - prefix - 1 for row, start in zip(rows, starts, strict=True)]
        return states.index_select(0, torch.tensor(at))

    def scores(self, rows: Sequence[Row]) -> Tensor:
        """A number for each label, before softmax, from the state of each row's last token (rows, labels)."""
        assert self.score is not None
        logits: Tensor = self.score(self.last(rows).float())
        return logits

    def _within(self, read: Callable[[], Tensor]) -> Tensor:
        """Read with what is spread over the processes put together, in the arithmetic of this machine."""
        with _machine.reading(self.options["method"]):
            made: Tensor = self.net.model(read) if self.sharded else read()
        return made

    def _states(self, rows: Sequence[Row]) -> tuple[Tensor, list[int], int]:
        """Flat states after the last norm, where each row's own tokens begin, and how many are shared."""
        prefix, states, reading = self.trunk.read(rows)
        starts, at = list[int](), prefix
        for row in rows:
            starts.append(at)
            at += len(row.ids) - prefix
        return self.trunk.above(states, reading), starts, prefix

    # ── a step ──────────────────────────────────────────────────────────────────────────────────

    def gradient(self, batch: Sequence[Item], *, parts: int, step: int) -> float:
        """Backward through one batch, in so many parts one after the other or more; gives its mean loss."""
        if self.options["dropout"]:
            torch.manual_seed(self.options["seed"] * 1_000_003 + step * self.ranks.size + self.ranks.rank)
        self.optimiser.zero_grad(set_to_none=True)
        weight, total = self.objective.weight(batch), 0.0
        mine, share = self._mine(batch)
        for part in self._parted(mine, parts):
            loss = self.objective.loss(self, part) * (share / weight)
            total += loss.item()
            if self.sharded or math.isfinite(loss.item()):
                torch.autograd.backward(loss)
        (total,) = self.ranks.total([total])
        for parameter in self.learnt.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if not self.sharded:
            self.ranks.add(p.grad for p in self.learnt.values() if p.grad is not None)
        return total

    def _parted(self, items: Sequence[Item], parts: int) -> list[Sequence[Item]]:
        """Items of about the same length together, no more tokens at once than memory and caches like."""
        if self.sharded or getattr(self.objective, "together", False):
            size = math.ceil(len(items) / parts)
            return [items[at : at + size] for at in range(0, len(items), max(1, size))]
        made, room = list[list[Item]](), 0
        for item in sorted(items, key=lambda one: -sum(len(row.ids) for row in one.rows)):
            tokens = sum(len(row.ids) for row in item.rows)
            full = math.ceil(len(items) / parts) <= len(made[-1]) if made else True
            if full or tokens > room:
                made.append([])
                room = TOKENS
            made[-1].append(item)
            room -= tokens
        return list(made)

    def _mine(self, items: Sequence[Item]) -> tuple[Sequence[Item], float]:
        """This process's part, and what its loss counts: with spread weights everybody has to read."""
        mine = self.ranks.mine(items)
        return (items[:1], 0.0) if self.sharded and not mine else (mine, 1.0)

    def step(self, rate: float) -> float:
        """Move what learns; gives the norm of the gradient before clipping."""
        norm = _shards.number(nn.utils.clip_grad_norm_(self.learnt.values(), 1.0))
        if math.isfinite(norm):
            self.optimiser.param_groups[0]["lr"] = rate
            self.optimiser.step()
        return norm

    def measure(self, held: Sequence[Item]) -> dict[str, float]:
        """Mean loss, and whatever else the objective tells, of items that are not learnt."""
        size = self.options["batch_size"] * 2
        sums, loss = dict[str, float](), 0.0
        with self._still(), torch.no_grad():
            for at in range(0, len(held), size):
                part, share = self._mine(held[at : at + size])
                if part:
                    loss += float(self.objective.loss(self, part)) * share
                    for name, value in self.objective.told(self, part).items():
                        sums[name] = sums.get(name, 0.0) + value * share
        names = sorted(sums)
        loss, *each = self.ranks.total([loss, *(sums[name] for name in names)])
        told = {name: value / len(held) for name, value in zip(names, each, strict=True)}
        return {"held_out_loss": loss / self.objective.weight(held), **told}

    @contextmanager
    def _still(self) -> Iterator[None]:
        model = self.peft if self.peft is not None else self.net.model
        model.eval()
        try:
            yield
        finally:
            model.train()

    # ── for checkpoints ─────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Tensor]:
        """Parameters and the optimiser's moments."""
        tensors = dict[str, Tensor]()
        for key, parameter in self.learnt.items():
            tensors[key] = parameter.detach()
            for moment, value in self.optimiser.state.get(parameter, {}).items():
                if moment != "step":
                    tensors[f"{moment} {key}"] = value
        return tensors

    def put(self, tensors: dict[str, Tensor], done: int) -> None:
        """Put a state back: whole tensors, or the parts that `weights` gave."""
        with torch.no_grad():
            for key, parameter in self.learnt.items():
                parameter.copy_(_shards.part(tensors[key], parameter))
                if f"exp_avg {key}" in tensors:
                    self.optimiser.state[parameter] = {
                        "step": torch.tensor(float(done)),
                        "exp_avg": _shards.part(tensors[f"exp_avg {key}"], parameter),
                        "exp_avg_sq": _shards.part(tensors[f"exp_avg_sq {key}"], parameter),
                    }

    def whole(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """What is spread over the processes, put together for the first one; all have to ask."""
        return _shards.whole(tensors, self.ranks.first) if self.sharded else tensors

    def weights(self) -> dict[str, Tensor]:
        """What learnt, without the optimiser's moments."""
        return {key: parameter.detach().clone() for key, parameter in self.learnt.items()}


def _linear(net: Network) -> set[str]:
    """Last names of the decoder's linear maps."""
    names = {n.rpartition(".")[2] for n, m in net.decoder.named_modules() if isinstance(m, nn.Linear)}
    if not names:
        raise BadInput(
            f"{type(net.model).__name__} has no linear maps to adapt", hint="choose another base model"
        )
    return names


def _peft() -> Any:
    with quiet():
        import peft

        return peft
