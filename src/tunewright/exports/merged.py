"""One model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tunewright.exports import _weights


def merged(
    base: Path,
    weights: Path,
    out: Path,
    *,
    system: str = "",
    name: str = "model",
    origin: str = "",
    precision: Literal["float32", "bfloat16", "float16"] = "float32",
) -> Path:
    """One model in the Hugging Face layout: safetensors, configuration, tokenizer, chat template.

    The adapter is merged into the base's weights in 32-bit arithmetic, and only then rounded to `precision`.
    transformers, vLLM, SGLang, TGI and most converters read the folder. The tokens that end an answer stand
    in `generation_config.json`.

    Errors: `BadInput` for weights that do not fit the base; `Exhausted` when memory or disk is full.

    Limits: takes 4 bytes of memory a parameter while it is made. bfloat16 and float16 round, which changes
    some answers of small models. How to sample is the base model's own setting; answers were measured greedy.
    """
    with _weights.whole(base, weights, "a merged model") as net:
        _weights.write(net, out, precision)
    return out
