"""A causal language model as a network that reads many rows at once.

Rows are laid end to end without padding, and what all rows have in common at their beginning (a system
prompt) is read once: with causal attention that is exact, because nothing that comes later changes it. This
works for every architecture of transformers that takes attention from its attention interface; `load` tries
it on a few tokens against the model's own arithmetic and refuses a model for which the numbers differ.

Imports torch and transformers, so only plugins that need them import this.
"""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import torch

from tunewright.errors import BadInput, Exhausted, Refused

NAME = "tunewright"
LONG = {torch.float32: 64, torch.bfloat16: 192, torch.float16: 192}
"""Tokens from which PyTorch's fused attention takes less processor time than matrix products, measured (docs/
decisions/0022). On a GPU it is always used.
"""
_once = threading.RLock()


class Network(NamedTuple):
    """A loaded model and the parts of it that are used."""

    model: Any
    tokenizer: Any
    decoder: Any
    """Token ids to hidden states."""
    head: Any
    """Hidden states to logits."""
    context: int
    """Tokens that one row may have."""
    ends: frozenset[int]
    """Tokens that end an answer."""


class Reading(Protocol):
    """How the tokens of one pass see each other."""

    positions: torch.Tensor

    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Attention of one layer.

        `q` is (tokens, heads, d), `k` and `v` (tokens, key heads, d); gives `q`'s shape.
        """
        ...


class Rows:
    """Rows end to end, after the tokens that all of them begin with.

    The flat order is: `prefix` shared tokens, then every row's own. With `past` (keys and values of a prefix
    that was read before, by layer) the prefix is not among the tokens. With `keep`, keys and values are
    handed to the caller.
    """

    def __init__(
        self,
        prefix: int,
        lengths: Sequence[int],
        past: Sequence[tuple[torch.Tensor, torch.Tensor]] | None = None,
        keep: list[tuple[torch.Tensor, torch.Tensor]] | None = None,
    ) -> None:
        self.prefix, self.past, self.keep = prefix, past, keep
        self.inline = prefix if past is None else 0
        self.rows, self.longest = len(lengths), max(lengths, default=0)
        count = torch.tensor(lengths, dtype=torch.long)
        starts = self.inline + torch.cumsum(count, 0) - count
        step = torch.arange(self.longest)
        inside = step[None] < count[:, None]
        self.pad = (starts[:, None] + torch.minimum(step[None], count[:, None] - 1)).reshape(-1)
        self.unpad = torch.nonzero(inside.reshape(-1)).reshape(-1)
        own = (step[None].expand(self.rows, -1) + prefix).reshape(-1)[self.unpad]
        self.positions = torch.cat([torch.arange(self.inline), own])[None]
        self.even = bool(inside.all())
        self._later = dict[tuple[int, int, torch.dtype], torch.Tensor]()

    def later(self, length: int, before: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """What is added to scores (length, before + length): nothing sees what comes later than itself."""
        key = (length, before, dtype)
        if key not in self._later:
            own = torch.full((length, length), float("-inf"), dtype=dtype).triu(1)
            self._later[key] = torch.cat([own.new_zeros(length, before), own], 1) if before else own
        return self._later[key]

    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Causal attention within the prefix, and of every row to the prefix and itself."""
        p, n, length = self.inline, self.rows, self.longest
        heads, keys, d = q.shape[1], k.shape[1], q.shape[2]
        group = heads // keys
        if q.is_cuda or length >= LONG.get(q.dtype, length + 1):
            return self._fused(layer, q, k, v, scale)
        q = q * scale
        parts = []
        before: tuple[torch.Tensor, torch.Tensor] | None = None
        if self.past is not None and self.prefix:
            before = self.past[layer]
        elif p:
            before = k[:p].transpose(0, 1), v[:p].transpose(0, 1)
            first = q[:p].view(p, keys, group, d).permute(1, 2, 0, 3)
            scores = torch.matmul(first, before[0].transpose(1, 2)[:, None]) + self.later(p)
            chance = torch.softmax(scores, -1, dtype=torch.float32).to(v.dtype)
            parts.append(torch.matmul(chance, before[1][:, None]).permute(2, 0, 1, 3).reshape(p, heads, d))
        if n:
            q, k, v = (x[p:] if self.even else x[self.pad] for x in (q, k, v))
            q = q.reshape(n, length, keys, group, d).permute(2, 0, 3, 1, 4)  # keys, rows, group, length, d
            k = k.reshape(n, length, keys, d).permute(2, 0, 1, 3)
            v = v.reshape(n, length, keys, d).permute(2, 0, 1, 3)
            if self.keep is not None:
                self.keep.append((k, v))
            flat = q.reshape(keys * n, group * length, d)
            scores = torch.bmm(flat, k.reshape(keys * n, length, d).transpose(1, 2))
            scores = scores.view(keys * n, group, length, length) + self.later(length)
            scores = scores.view(keys, n * group * length, length)
            if before is not None:
                q = flat.view(keys, n * group * length, d)
                scores = torch.cat([torch.bmm(q, before[0].transpose(1, 2)), scores], -1)
            chance = torch.softmax(scores, -1, dtype=torch.float32).to(v.dtype)
            own = chance[..., self.prefix :] if before is not None else chance
            own = own.reshape(keys * n, group * length, length)
            out = torch.bmm(own, v.reshape(keys * n, length, d)).view(keys, n * group * length, d)
            if before is not None:
                out = out + torch.bmm(chance[..., : self.prefix], before[1])
            out = out.view(keys, n, group, length, d).permute(1, 3, 0, 2, 4).reshape(n * length, heads, d)
            parts.append(out if self.even else out[self.unpad])
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _fused(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """The same by PyTorch's fused attention (Dao and others, FlashAttention, 2022, arXiv:2205.14135).

        It keeps no matrix of scores.
        """
        p, n, length, d = self.inline, self.rows, self.longest, q.shape[2]
        parts = []
        before: tuple[torch.Tensor, torch.Tensor] | None = None
        if self.past is not None and self.prefix:
            before = self.past[layer]
        elif p:
            before = k[:p].transpose(0, 1), v[:p].transpose(0, 1)
            parts.append(_attention(q[:p].transpose(0, 1)[None], before[0][None], before[1][None], scale)[0])
        if n:
            q, k, v = (x[p:] if self.even else x[self.pad] for x in (q, k, v))
            if self.keep is not None:
                kept = [x.reshape(n, length, -1, d).permute(2, 0, 1, 3) for x in (k, v)]
                self.keep.append((kept[0], kept[1]))
            q, k, v = (x.reshape(n, length, -1, d).transpose(1, 2) for x in (q, k, v))
            mask = None
            if before is not None:
                k, v = (
                    torch.cat([b.expand(n, -1, -1, -1), x], 2) for b, x in zip(before, (k, v), strict=True)
                )
                mask = self.later(length, self.prefix, q.dtype)
            out = _attention(q, k, v, scale, mask).reshape(n * length, -1, d)
            parts.append(out if self.even else out[self.unpad])
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def _attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """(rows, heads, length, d) to (rows, length, heads, d); causal when there is no mask."""
    out = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
    )
    return out.transpose(1, 2)


def hidden(network: Network, ids: torch.Tensor, reading: Reading) -> torch.Tensor:
    """Hidden states (tokens, width) after the last norm, of flat token ids, or of flat states below the first
    layer.
    """
    what = {"inputs_embeds": ids[None]} if ids.is_floating_point() else {"input_ids": ids[None]}
    out = network.decoder(
        **what, position_ids=reading.positions, use_cache=False, reading=reading
    ).last_hidden_state[0]
    assert isinstance(out, torch.Tensor)
    return out


def shared(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows have in common at their beginning, leaving each at least one of its own."""
    first, last = min(map(tuple, rows)), max(map(tuple, rows))
    shortest = min(len(row) for row in rows)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), shortest)
    return max(0, min(same, shortest - 1))


@contextmanager
def quiet() -> Iterator[ModuleType]:
    """The transformers library: without the network, telemetry, progress bars and notices."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with _once, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers

        log: Any = transformers.utils.logging
        level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
        log.set_verbosity_error()
        log.disable_progress_bar()
        try:
            with redirect_stderr(io.StringIO()):  # bars that do not ask whether they are wanted
                yield transformers
        finally:
            log.set_verbosity(level)
            if bars:
                log.enable_progress_bar()


def threads(wanted: int) -> int:
    """Use this many threads; 0 means one for each processor this process may run on."""
    count = (
        wanted or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    torch.set_num_threads(count)
    return count


def load(folder: Path, *, dtype: torch.dtype = torch.float32, four_bits: bool = False) -> Network:
    """Load a folder in the Hugging Face layout; with `four_bits` onto the GPU, as 4-bit NormalFloat.

    Errors: `BadInput`, `Refused`, `Exhausted`, with what to do.
    """
    with quiet() as transformers:
        _register(transformers)
        safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        packed = _four_bits(transformers) if four_bits else {}
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **safe)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, attn_implementation="eager", **safe, **packed
            )
        except (MemoryError, RuntimeError) as error:
            told = explained(error, f"loading {folder.name}")
            raise told from (None if told is error else error)
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(
                f"{folder.name} cannot be loaded: {str(error).splitlines()[0]}",
                hint="give a causal language model with its tokenizer, as safetensors",
            ) from error
        model.eval().requires_grad_(False)
        rows = model.get_input_embeddings().weight.shape[0]
        if len(tokenizer) > rows:
            raise BadInput(
                f"{folder.name}: the tokenizer knows {len(tokenizer):,} tokens, the model only {rows:,}",
                hint="take the tokenizer that came with this model",
            )
        settings, generation = model.config.get_text_config(), model.generation_config
        ends = {
            tokenizer.eos_token_id,
            *_listed(generation.eos_token_id),
            *_listed(settings.eos_token_id),
        } - {None}
        window = getattr(settings, "sliding_window", None) or settings.max_position_embeddings
        network = Network(
            model,
            tokenizer,
            model.get_decoder(),
            model.get_output_embeddings(),
            min(int(settings.max_position_embeddings), int(window)),
            frozenset(int(i) for i in ends),
        )
        _try(network)
    return network


def _four_bits(transformers: Any) -> dict[str, Any]:
    """How transformers is asked for 4-bit weights (Dettmers and others, 2023)."""
    packing = transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": packing, "device_map": {"": 0}}


def explained(error: BaseException, doing: str) -> Exception:
    """What to raise when torch gave up: `Exhausted` when the memory is full, otherwise the same again."""
    words = str(error)
    if isinstance(error, MemoryError) or "memory" in words or "alloc" in words:
        return Exhausted(
            f"the memory is full while {doing}",
            hint="choose a smaller base model, a smaller batch or shorter rows",
        )
    return error if isinstance(error, Exception) else RuntimeError(words)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _register(transformers: Any) -> None:
    """Teach transformers our attention: it asks the `reading` that the pass was given."""

    def attention(
        module: Any,
        query: Any,
        key: Any,
        value: Any,
        mask: Any,
        scaling: float | None = None,
        reading: Any = None,
        **_: Any,
    ) -> tuple[Any, None]:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
        return reading.attend(getattr(module, "layer_idx", 0), q, k, v, scale)[None], None

    transformers.AttentionInterface.register(NAME, attention)
    transformers.AttentionMaskInterface.register(NAME, lambda *_, **__: None)


def _try(network: Network) -> None:
    """Read two short rows our way and the model's own way; then leave the model set to ours."""
    vocabulary = network.model.get_input_embeddings().weight.shape[0]
    rows = [
        [(7 * i + 3) % vocabulary for i in range(4)] + [(11 * i + at) % vocabulary for i in range(n)]
        for at, n in ((5, 3), (9, 6))
    ]
    with torch.inference_mode():
        own = [network.model(torch.tensor([row])).logits[0] for row in rows]
        network.model.set_attn_implementation(NAME)
        try:
            flat = torch.tensor([*rows[0], *rows[1][4:]])
            ours = network.head(hidden(network, flat, Rows(4, (3, 6))))
            wanted = torch.cat([own[0], own[1][4:]])
            off = float((ours - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
        except (TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise Refused(
                f"{type(network.model).__name__} cannot be read row by row: {error}", hint=HINT
            ) from error
    if not off < (1e-3 if wanted.dtype == torch.float32 else 0.1):
        raise Refused(
            f"{type(network.model).__name__} gives other numbers when rows are packed ({off:.1e})", hint=HINT
        )


HINT = "choose a base model of the Llama, Qwen, Mistral or SmolLM family"
