"""Conversations as rows of tokens, which of them are learnt, and in which order."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from tunewright import template
from tunewright.errors import BadInput
from tunewright.network import Network
from tunewright.nouns import Record

OPTIONS = (
    "system", "seed", "rank", "alpha", "dropout", "learning_rate", "epochs", "batch_size", "warmup",
    "weight_decay", "max_tokens", "truncate", "held_out", "layers", "checkpoint_every",
)  # fmt: skip
"""What decides the bytes of the result, apart from the base and the records (and `made_with`)."""


class Row(NamedTuple):
    """One conversation as tokens."""

    ids: tuple[int, ...]
    at: tuple[int, ...]
    """Positions whose next token is learnt."""
    targets: tuple[int, ...]
    """Those next tokens."""
    key: str
    """SHA-256 of the words, for choosing what is held out."""


def sane(options: dict[str, Any]) -> None:
    """Errors: `BadInput` naming the option that makes no sense."""
    bounds = {
        "rank": (1, 1024), "alpha": (1, 4096), "dropout": (0, 0.9), "learning_rate": (1e-9, 1),
        "epochs": (1e-6, 1000),
        "batch_size": (1, 4096), "warmup": (0, 1), "weight_decay": (0, 1), "max_tokens": (8, 1_000_000),
        "held_out": (0, 0.9), "layers": (1e-6, 1), "checkpoint_every": (1, 1_000_000),
    }  # fmt: skip
    for name, (low, high) in bounds.items():
        value = options[name]
        if not isinstance(value, (int, float)) or not low <= value <= high:
            raise BadInput(f"lora: {name} is {value!r}", hint=f"give a number from {low:g} to {high:g}")


def rows(net: Network, records: Sequence[Record], options: dict[str, Any]) -> list[Row]:
    """Errors: `BadInput` naming the record that cannot be learnt, and why."""
    if not records:
        raise BadInput("there is nothing to learn from", hint="gather some conversations first")
    longest = min(options["max_tokens"], net.context)
    made = []
    for record in records:
        try:
            ids, learnt = template.encode(net.tokenizer, template.under(options["system"], record.messages))
        except BadInput as error:
            raise BadInput(f"record {record.id}: {error}", hint=error.hint) from error
        if len(ids) > longest and not options["truncate"]:
            raise BadInput(
                f"record {record.id} has {len(ids)} tokens, more than {longest}",
                hint=f"set max_tokens to {len(ids)}, shorten it, or set truncate to cut its end",
            )
        # Nothing after the last learnt token matters to the loss, so it is not computed.
        end = min(max(i for i, learn in enumerate(learnt) if learn) + 1, longest)
        at = tuple(i - 1 for i in range(1, end) if learnt[i])
        if not at:
            raise BadInput(
                f"record {record.id} has no answer within {longest} tokens", hint="raise max_tokens"
            )
        key = hashlib.sha256(
            "\0".join(f"{m.role}\1{m.content}" for m in record.messages).encode()
        ).hexdigest()
        made.append(Row(tuple(ids[:end]), at, tuple(ids[i + 1] for i in at), key))
    return made


def split(made: list[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """What is learnt and what is held out. Rows with the same words stay on the same side."""
    words = sorted(
        {row.key for row in made}, key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).digest()
    )
    out = set(words[: min(len(words) - 1, math.ceil(len(words) * share))]) if share else set()
    return [row for row in made if row.key not in out], [row for row in made if row.key in out]


def batch(kept: Sequence[Row], step: int, options: dict[str, Any]) -> list[Row]:
    """The rows of one step.

    The order of every epoch follows from the seed, so a step needs no memory of earlier ones.
    """
    size = options["batch_size"]
    per = math.ceil(len(kept) / size)
    epoch, turn = divmod(step, per)
    order = list(range(len(kept)))
    random.Random(f"{options['seed']} {epoch}").shuffle(order)
    return [kept[i] for i in order[turn * size : (turn + 1) * size]]
