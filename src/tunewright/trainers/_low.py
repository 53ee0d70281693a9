"""Steps of autograd that keep less and do less than the general ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

CHUNK = 256
"""Tokens whose logits are in memory together."""


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


def hasten(module: Any) -> None:
    """Replace the forward of PEFT's adapted linear map by one step of autograd."""
    a, b, s = module.lora_A["default"].weight, module.lora_B["default"].weight, module.scaling["default"]
    w, bias = module.base_layer.weight, module.base_layer.bias
    low: Any = _Low.apply

    def forward(x: Tensor, *_: Any, **__: Any) -> Tensor:
        y: Tensor = low(x.reshape(-1, x.shape[-1]), w, bias, a, b, s)
        return y.view(*x.shape[:-1], -1)

    module.forward = forward


class _Likely(torch.autograd.Function):
    """Log-probabilities (tokens,) of the wanted tokens. The gradient of the states is made at once, so that
    the logits, 49,152 numbers a token in a small model, are never kept.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, wanted: Tensor, w: Tensor) -> Tensor:
        out = states.new_empty(len(states), dtype=torch.float32)
        back = torch.empty_like(states) if ctx.needs_input_grad[0] else None
        for at in range(0, len(states), CHUNK):
            here, goal = slice(at, at + CHUNK), wanted[at : at + CHUNK, None]
            chance = torch.log_softmax(torch.mm(states[here], w.t()), -1, dtype=torch.float32)
            out[here] = chance.gather(1, goal)[:, 0]
            if back is not None:
                chance.exp_().scatter_add_(1, goal, chance.new_full(goal.shape, -1.0))
                torch.mm(chance.to(w.dtype), w, out=back[here])
        ctx.save_for_backward(back)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (back,) = ctx.saved_tensors
        return (back * -g[:, None].to(back.dtype), None, None)


def log_likelihood(head: Any, states: Tensor, wanted: Tensor) -> Tensor:
    """Log-probability, in nats, of each wanted token (tokens,), from the states (tokens, width) before the
    head.
    """
    if type(head) is nn.Linear and head.bias is None and not head.weight.requires_grad:
        likely: Any = _Likely.apply
        out: Tensor = likely(states, wanted, head.weight)
        return out
    return -nn.functional.cross_entropy(head(states).float(), wanted, reduction="none")
