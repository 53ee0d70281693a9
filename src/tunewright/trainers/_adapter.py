"""The adapter while it learns: PEFT makes and saves it, the arithmetic is ours because that is faster."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tunewright.errors import BadInput
from tunewright.network import Network, Rows, hidden, quiet, shared
from tunewright.trainers._rows import Row

ROOM = 2 << 30
"""Bytes that kept activations may take."""


def arithmetic() -> torch.dtype:
    """bfloat16 for the frozen weights when the processor has matrix units for it that prove faster."""
    capable = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return (
        torch.bfloat16 if capable and _speed(torch.bfloat16) > 1.5 * _speed(torch.float32) else torch.float32
    )


def _speed(dtype: torch.dtype) -> float:
    x, w = torch.ones(512, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
    nn.functional.linear(x, w)
    began, turns = time.perf_counter(), 0
    while time.perf_counter() - began < 0.2:
        nn.functional.linear(x, w)
        turns += 1
    return turns / (time.perf_counter() - began)


def made_with(count: int, dtype: torch.dtype) -> dict[str, str]:
    """What decides the bytes apart from the arguments."""
    libraries = {
        name: version(name) for name in ("torch", "transformers", "peft", "tokenizers", "safetensors")
    }
    return {
        **libraries,
        "python": platform.python_version(),
        "threads": str(count),
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "arithmetic": str(dtype).removeprefix("torch."),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.machine()
    )


class _Low(torch.autograd.Function):
    """x W' + s (x A') B', with gradients for x, A and B; W and its bias are frozen."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, s: float
    ) -> Tensor:
        y = nn.functional.linear(x, w, bias)
        h = nn.functional.linear(x, a.to(x.dtype))
        ctx.save_for_backward(x, w, a, b, h)
        ctx.s = s
        return y.addmm_(h, b.to(x.dtype).t(), alpha=s)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, w, a, b, h = ctx.saved_tensors
        dh = torch.mm(g, b.to(g.dtype)).mul_(ctx.s)
        dx = torch.mm(g, w).addmm_(dh, a.to(g.dtype)) if ctx.needs_input_grad[0] else None
        return (
            dx,
            None,
            None,
            torch.mm(dh.t(), x).to(a.dtype),
            torch.mm(g.t(), h).mul_(ctx.s).to(b.dtype),
            None,
        )


class Tuner:
    """Adapters on the upper layers, and the optimiser that moves them."""

    def __init__(self, net: Network, options: dict[str, Any]) -> None:
        peft: Any = _peft()
        stack = getattr(net.decoder, "layers", None)
        total = len(stack) if isinstance(stack, nn.ModuleList) else 0
        self.below = total - max(1, round(total * options["layers"])) if total else 0
        config = peft.LoraConfig(
            r=options["rank"],
            lora_alpha=options["alpha"],
            lora_dropout=options["dropout"],
            target_modules=sorted(_linear(net)),
            layers_to_transform=list(range(self.below, total)) if self.below else None,
            task_type="CAUSAL_LM",
            inference_mode=False,
        )
        with quiet():
            self.peft = peft.get_peft_model(net.model, config, autocast_adapter_dtype=True)
        self.net, self.options = net, options
        self.adapters = {n: p for n, p in sorted(self.peft.named_parameters()) if p.requires_grad}
        for module in self.peft.modules():
            if isinstance(module, peft.tuners.lora.Linear):
                _hasten(module, options["dropout"])
        self.optimiser = torch.optim.AdamW(
            list(self.adapters.values()), lr=0.0, weight_decay=options["weight_decay"], betas=(0.9, 0.999)
        )

    def loss(self, trunk: Trunk, batch: Sequence[Row]) -> Tensor:
        """Sum of the cross-entropy over the batch's learnt tokens, in nats.

        Logits are computed nowhere else.
        """
        prefix, states, reading = trunk.read(batch)
        at, start = [], prefix
        for row in batch:
            at += [start + i - prefix if i >= prefix else i for i in row.at]
            start += len(row.ids) - prefix
        wanted = torch.tensor([t for row in batch for t in row.targets])
        states = trunk.above(states, reading).index_select(0, torch.tensor(at))
        return nn.functional.cross_entropy(self.net.head(states).float(), wanted, reduction="sum")

    def gradient(self, trunk: Trunk, batch: Sequence[Row], *, step: int) -> float:
        """Backward through one batch; gives its mean loss."""
        if self.options["dropout"]:
            torch.manual_seed(self.options["seed"] * 1_000_003 + step)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(trunk, batch) / sum(len(row.targets) for row in batch)
        if math.isfinite(loss.item()):
            torch.autograd.backward(loss)
        return loss.item()

    def step(self, rate: float) -> float:
        """Move the adapters; gives the norm of the gradient before clipping."""
        norm = float(nn.utils.clip_grad_norm_(self.adapters.values(), 1.0))
        if math.isfinite(norm):
            self.optimiser.param_groups[0]["lr"] = rate
            self.optimiser.step()
        return norm

    def measure(self, trunk: Trunk, held: Sequence[Row]) -> float:
        """Mean loss of rows that are not learnt, in nats a token."""
        size = self.options["batch_size"] * 2
        self.peft.eval()
        with torch.no_grad():
            total = sum(float(self.loss(trunk, held[i : i + size])) for i in range(0, len(held), size))
        self.peft.train()
        return total / sum(len(row.targets) for row in held)


class Trunk:
    """The layers that are not adapted.

    What they make of a row never changes, so it is computed once and kept.
    """

    def __init__(self, net: Network, below: int, rows: Sequence[Row]) -> None:
        """When keeping it would take more than `ROOM`, everything is computed anew in every step instead."""
        self.net, self.kept = net, dict[tuple[int, ...], Tensor]()
        width = net.model.get_input_embeddings().weight
        fits = sum(len(row.ids) for row in rows) * width.shape[1] * width.element_size() <= ROOM
        self.below = below if fits else 0
        if self.below:
            self.lower, self.upper = net.decoder.layers[:below], net.decoder.layers[below:]

    def fill(self, rows: Sequence[Row]) -> Iterator[int]:
        """Compute what is kept; gives the number of rows done. The order is fixed, so the bytes are too."""
        ordered = sorted({row.ids for row in rows}, key=lambda ids: (len(ids), ids)) if self.below else []
        for at in range(0, len(ordered), 16):
            self._below(ordered[at : at + 16])
            yield at + len(ordered[at : at + 16])

    def read(self, batch: Sequence[Row]) -> tuple[int, Tensor, Rows]:
        """The length of what the rows share, the flat states below the adapters (or the ids), and how they
        lie.
        """
        prefix = shared([row.ids for row in batch]) if len(batch) > 1 else 0
        reading = Rows(prefix, [len(row.ids) - prefix for row in batch])
        if not self.below:
            return prefix, _flat([row.ids for row in batch], prefix), reading
        states = [self.kept[row.ids] for row in batch]
        return prefix, torch.cat([states[0][:prefix], *(s[prefix:] for s in states)]), reading

    def above(self, states: Tensor, reading: Rows) -> Tensor:
        """Through the adapted layers and the last norm."""
        if not self.below:
            return hidden(self.net, states, reading)
        with self._only(self.upper):
            return hidden(self.net, states, reading)

    def _below(self, rows: Sequence[tuple[int, ...]]) -> None:
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


def _linear(net: Network) -> set[str]:
    """Last names of the decoder's linear maps."""
    names = {n.rpartition(".")[2] for n, m in net.decoder.named_modules() if isinstance(m, nn.Linear)}
    if not names:
        raise BadInput(
            f"{type(net.model).__name__} has no linear maps to adapt", hint="choose another base model"
        )
    return names


def _hasten(module: Any, dropout: float) -> None:
    """Replace PEFT's forward by one autograd step. With dropout PEFT's own is kept."""
    if dropout:
        return
    a, b, s = module.lora_A["default"].weight, module.lora_B["default"].weight, module.scaling["default"]
    w, bias = module.base_layer.weight, module.base_layer.bias

    low: Any = _Low.apply

    def forward(x: Tensor, *_: Any, **__: Any) -> Tensor:
        y: Tensor = low(x.reshape(-1, x.shape[-1]), w, bias, a, b, s)
        return y.view(*x.shape[:-1], -1)

    module.forward = forward


def _peft() -> Any:
    with quiet():
        import peft

        return peft
