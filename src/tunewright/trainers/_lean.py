"""A decoder layer with low-rank adapters in two steps of autograd, for the Llama family.

Around attention a layer is two runs of matrix products and cheap maps between them. PyTorch's autograd keeps
every map's result and walks each one's backward; here each run is one function with its backward written out.
The frozen weights of maps that read the same thing lie in one matrix, with the adapters' A below them, so
that one product gives the outputs and the low-rank coordinates h = x A', and one brings all gradients back.

What is kept for the backward is less than what autograd keeps: the input of each run, the factors of the
norms, h, and the two halves of the gate; what can be had from those by a pass over memory is made again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

KNOWN = ("LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer")
"""Layers of transformers that are built this way."""
READ, GATED = ("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")


class Maps:
    """Linear maps of one input: their frozen weights in one matrix, and each one's adapter."""

    def __init__(self, modules: list[Any]) -> None:
        self.modules = modules
        self.sizes = [m.base_layer.weight.shape[0] for m in modules]
        self.ranks = [m.lora_A["default"].weight.shape[0] for m in modules]
        self.scales = [float(m.scaling["default"]) for m in modules]
        frozen = [m.base_layer.weight for m in modules]
        self.total = sum(self.sizes)
        self.both = torch.cat([*frozen, *(frozen[0].new_zeros(r, frozen[0].shape[1]) for r in self.ranks)])
        at = 0
        for module, size in zip(modules, self.sizes, strict=True):
            module.base_layer.weight.data = self.both[at : at + size]  # one copy in memory, not two
            at += size
        biases = [m.base_layer.bias for m in modules]
        self.bias = None
        if any(b is not None for b in biases):
            self.bias = torch.cat(
                [
                    b if b is not None else frozen[0].new_zeros(n)
                    for b, n in zip(biases, self.sizes, strict=True)
                ]
            )

    @property
    def parameters(self) -> list[Tensor]:
        """A and B of each."""
        return [p for m in self.modules for p in (m.lora_A["default"].weight, m.lora_B["default"].weight)]

    def forward(self, x: Tensor, ab: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """The outputs side by side, and h. `x` is (tokens, in)."""
        torch.cat(ab[::2], out=self.both[self.total :]) if ab[0].dtype == x.dtype else self._cast(ab)
        out = torch.mm(x, self.both.t())
        y, h = out[:, : self.total], out[:, self.total :]
        at = low = 0
        for size, rank, scale, b in zip(self.sizes, self.ranks, self.scales, ab[1::2], strict=True):
            y[:, at : at + size].addmm_(h[:, low : low + rank], b.to(x.dtype).t(), alpha=scale)
            at, low = at + size, low + rank
        return (y if self.bias is None else y.add_(self.bias)), h

    def _cast(self, ab: tuple[Tensor, ...]) -> None:
        self.both[self.total :].copy_(torch.cat(ab[::2]))

    def backward(
        self, g: Tensor, x: Tensor, h: Tensor, ab: tuple[Tensor, ...]
    ) -> tuple[Tensor, list[Tensor]]:
        """Gradients of `x` and of all A and B; `g` is (tokens, total + ranks), its last columns are made."""
        made, at, low = list[Tensor](), 0, self.total
        for size, rank, scale, b in zip(self.sizes, self.ranks, self.scales, ab[1::2], strict=True):
            torch.mm(g[:, at : at + size], b.to(g.dtype), out=(dh := g[:, low : low + rank]))
            dh.mul_(scale)
            mine = h[:, low - self.total : low - self.total + rank]
            made += [dh, torch.mm(g[:, at : at + size].t(), mine).mul_(scale).to(b.dtype)]
            at, low = at + size, low + rank
        down = torch.mm(g[:, self.total :].t(), x).to(ab[0].dtype)
        made[::2] = list(torch.split(down, self.ranks))
        # The adapters moved since the forward only when somebody stepped in between: nobody does.
        return torch.mm(g, self.both), made


class Lean:
    """One layer: its weights as the two runs read them."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.read = Maps([getattr(attention, name) for name in READ])
        self.out = Maps([attention.o_proj])
        self.gated = Maps([getattr(mlp, name) for name in GATED])
        self.down = Maps([mlp.down_proj])
        self.first, self.second = layer.input_layernorm, layer.post_attention_layernorm
        self.width = attention.head_dim
        self.scale, self.index = attention.scaling, attention.layer_idx

    def __call__(self, hidden_states: Tensor, *, position_embeddings: Any, reading: Any, **_: Any) -> Tensor:
        """As the layer's own forward; (1, tokens, width)."""
        x = hidden_states[0]
        cos, sin = (t[0, :, None, : self.width // 2].to(x.dtype) for t in position_embeddings)
        before: Any = _Before.apply
        after: Any = _After.apply
        q, k, v = before(x, cos, sin, self, *self.read.parameters)
        seen = reading.attend(self.index, q, k, v, self.scale)
        parameters = (*self.out.parameters, *self.gated.parameters, *self.down.parameters)
        made: Tensor = after(x, seen.reshape(len(x), -1), self, *parameters)
        return made[None]


class _Before(torch.autograd.Function):
    """Norm, queries, keys and values, rotated."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor, lean: Lean, *ab: Tensor) -> Any:
        n, r = _norm(x, lean.first)
        y, h = lean.read.forward(n, ab)
        q, k, v = (part.reshape(len(x), -1, lean.width) for part in torch.split(y, lean.read.sizes, 1))
        ctx.save_for_backward(x, r, h, cos, sin, *ab)
        ctx.lean = lean
        return _turn(q, cos, sin), _turn(k, cos, sin), v.contiguous()

    @staticmethod
    def backward(ctx: Any, dq: Tensor, dk: Tensor, dv: Tensor) -> Any:
        x, r, h, cos, sin, *ab = ctx.saved_tensors
        read, count = ctx.lean.read, len(x)
        g = x.new_empty(count, read.total + sum(read.ranks))
        parts = torch.split(g[:, : read.total], read.sizes, 1)
        for part, d in zip(parts, (_turn(dq, cos, -sin), _turn(dk, cos, -sin), dv), strict=True):
            part.copy_(d.reshape(count, -1))
        n = _norm_again(x, r, ctx.lean.first)
        dn, made = read.backward(g, n, h, tuple(ab))
        dx = _norm_back(dn, x, r, ctx.lean.first) if ctx.needs_input_grad[0] else None
        return (dx, None, None, None, *made)


class _After(torch.autograd.Function):
    """What attention gave is put out and added; norm, gate and the way down are added to that."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, seen: Tensor, lean: Lean, *ab: Tensor) -> Tensor:
        o, ho = lean.out.forward(seen, ab[:2])
        mid = x + o
        n, r = _norm(mid, lean.second)
        gu, hgu = lean.gated.forward(n, ab[2:6])
        gate, up = torch.split(gu, lean.gated.sizes, 1)
        d, hd = lean.down.forward(nn.functional.silu(gate).mul_(up), ab[6:])
        ctx.save_for_backward(seen, ho, mid, r, gu, hgu, hd, *ab)
        ctx.lean = lean
        return mid + d

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        seen, ho, mid, r, gu, hgu, hd, *ab = ctx.saved_tensors
        lean = ctx.lean
        gate, up = torch.split(gu, lean.gated.sizes, 1)
        soft = nn.functional.silu(gate)
        da, made_d = lean.down.backward(_room(g, lean.down), soft * up, hd, tuple(ab[6:]))
        dgu = gu.new_empty(len(gu), lean.gated.total + sum(lean.gated.ranks))
        dgate, dup = torch.split(dgu[:, : lean.gated.total], lean.gated.sizes, 1)
        torch.mul(da, soft, out=dup)
        dgate.copy_(torch.ops.aten.silu_backward(da.mul_(up), gate))
        dn, made_gu = lean.gated.backward(dgu, _norm_again(mid, r, lean.second), hgu, tuple(ab[2:6]))
        dmid = _norm_back(dn, mid, r, lean.second).add_(g)
        dseen, made_o = lean.out.backward(_room(dmid, lean.out), seen, ho, tuple(ab[:2]))
        return (dmid, dseen, None, *made_o, *made_gu, *made_d)


def _room(g: Tensor, maps: Maps) -> Tensor:
    """The gradient with empty columns for those of h."""
    wide = g.new_empty(len(g), maps.total + sum(maps.ranks))
    wide[:, : maps.total] = g
    return wide


def _norm(x: Tensor, norm: Any) -> tuple[Tensor, Tensor]:
    """Root mean square norm (Zhang and Sennrich, 2019), and its factor."""
    wide = x.float()
    r = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square_().div_(x.shape[-1])
    r.add_(norm.variance_epsilon).rsqrt_()
    return _norm_again(x, r, norm), r


def _norm_again(x: Tensor, r: Tensor, norm: Any) -> Tensor:
    return (x * r).mul_(norm.weight) if x.dtype == r.dtype else (x.float() * r).to(x.dtype) * norm.weight


def _norm_back(g: Tensor, x: Tensor, r: Tensor, norm: Any) -> Tensor:
    """With y = w x r: dx = r (w g - x r^2 mean(w g x))."""
    wide, gw = x.float(), (g * norm.weight).float()
    along = torch.linalg.vecdot(gw, wide)[:, None].div_(x.shape[-1]).mul_(r * r)
    back: Tensor = gw.addcmul_(wide, along, value=-1).mul_(r).to(g.dtype)
    return back


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su and others, 2021), in halves; `x` is (tokens, heads, width)."""
    half = x.shape[-1] // 2
    left, right = x[..., :half], x[..., half:]
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    torch.mul(left, cos, out=out[..., :half])
    out[..., :half].addcmul_(right, sin, value=-1)
    torch.mul(right, cos, out=out[..., half:])
    out[..., half:].addcmul_(left, sin)
    return out


def suits(layer: Any) -> bool:
    """Whether a layer, with PEFT's adapters on all its linear maps, can be read this way."""
    if type(layer).__name__ not in KNOWN:
        return False
    maps: list[Any] = [getattr(layer.self_attn, name, None) for name in (*READ, "o_proj")]
    maps += [getattr(layer.mlp, name, None) for name in (*GATED, "down_proj")]
    plain = all(
        "default" in getattr(m, "lora_A", {}) and type(m.base_layer) is nn.Linear and not m.lora_variant
        for m in maps
        if m is not None
    )
    return plain and None not in maps and "SiLU" in type(layer.mlp.act_fn).__name__
