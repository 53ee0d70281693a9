"""Exports write a tuned model as others read it.   (base, weights, out, *, system, name, origin) -> Path

`base` is a folder that `bases` found; `weights` what a trainer made: a PEFT adapter, or a whole model in the
Hugging Face layout; `out` an empty folder that the export may fill. The caller fills in `system`, the system
prompt that the model was trained with, `name`, what the project calls it, and `origin`, the address of the
base. What is given back is what is loaded: `out` itself, or one file in it. Tokenizer, chat template and the
tokens that end an answer are part of every export.

`precision`, when a plugin has it, says how numbers are written; its first value is the default. Names with 32
promise answers that are those of the tuned model; all others round.
"""

from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

from tunewright.errors import BadInput
from tunewright.shelf import Shelf

GIVEN = ("system", "name", "origin")
"""Keyword parameters that the caller fills in: they are no options."""

exports: Shelf[Callable[..., Path]] = Shelf(__name__)


def precisions(name: str) -> tuple[str, ...]:
    """What `precision` may be for a plugin, the default first; nothing when it writes what is there."""
    return tuple(map(str, get_args(get_type_hints(exports[name]).get("precision"))))


def precise(name: str, wanted: str) -> str:
    """The precision as the plugin spells it. Errors: `BadInput` with those that there are."""
    known = precisions(name)
    if not wanted:
        return known[0] if known else ""
    for each in known:
        if each.lower() == wanted.lower():
            return each
    hint = (
        f"choose one of: {', '.join(known)}" if known else "leave it out: the weights are written as they are"
    )
    raise BadInput(f"exports/{name} cannot write {wanted!r}", hint=hint)


def rounds(precision: str) -> bool:
    """Whether this way of writing numbers changes them."""
    return bool(precision) and "32" not in precision
