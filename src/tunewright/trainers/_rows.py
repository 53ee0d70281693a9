"""Conversations as rows of tokens, which of them are learnt, what is held out, and in which order."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tunewright import template
from tunewright.errors import BadInput
from tunewright.nouns import Message, Record


class Row(NamedTuple):
    """One conversation as tokens."""

    ids: tuple[int, ...]
    at: tuple[int, ...]
    """Positions whose next token is learnt."""
    targets: tuple[int, ...]
    """Those next tokens."""


class Item(NamedTuple):
    """What one record gives to learn: one row, or several that are compared."""

    rows: tuple[Row, ...]
    key: str
    """SHA-256 of the words, for choosing what is held out."""
    people: tuple[str, ...] = ()
    """Whom the record concerns: what may have to be forgotten is learnt last."""
    mark: int = 0
    """What an objective wants to know besides: the number of a label, or whether an answer was liked."""
    record: str = ""
    """Id of the record."""
    cut: bool = False
    """Whether its end was left out because it is longer than a row may be."""


class Cutter:
    """Makes rows: no longer than they may be, and cut only when that is allowed."""

    def __init__(self, tokenizer: template.Tokenizer, context: int, options: dict[str, Any]) -> None:
        self.tokenizer, self.system = tokenizer, options["system"]
        self.longest, self.cuts = min(options["max_tokens"], context), bool(options["truncate"])

    def row(self, messages: Sequence[Message]) -> tuple[Row, bool]:
        """A conversation, and whether its end was left out. Errors: `TooLong`, `BadInput`."""
        ids, learnt = template.encode(self.tokenizer, template.under(self.system, messages))
        if len(ids) > self.longest and not self.cuts:
            raise TooLong(len(ids), self.longest)
        # Nothing after the last learnt token matters to the loss, so it is not computed.
        end = min(max(i for i, learn in enumerate(learnt) if learn) + 1, self.longest)
        at = tuple(i - 1 for i in range(1, end) if learnt[i])
        if not at:
            raise BadInput(f"there is no answer within {self.longest} tokens", hint="raise max_tokens")
        return Row(tuple(ids[:end]), at, tuple(ids[i + 1] for i in at)), len(ids) > self.longest

    def asked(self, messages: Sequence[Message]) -> tuple[Row, bool]:
        """A question up to where the answer would begin; nothing in it is learnt."""
        ids = template.prompt(self.tokenizer, template.under(self.system, messages))
        if len(ids) > self.longest and not self.cuts:
            raise TooLong(len(ids), self.longest)
        return Row(tuple(ids[-self.longest :]), (), ()), len(ids) > self.longest


class TooLong(BadInput):
    """A conversation with more tokens than a row may have."""

    def __init__(self, tokens: int, longest: int) -> None:
        super().__init__(
            f"has {tokens} tokens, more than {longest}",
            hint=f"set max_tokens to {tokens}, shorten it, or set truncate to cut its end",
        )
        self.tokens = tokens


class LeftOut(BadInput):
    """A record in which there is nothing for this trainer, which is no fault: it is counted, not refused."""


def each(records: Iterable[Record], make: Any) -> Iterator[Item]:
    """What every record gives to learn; those that are left out give nothing.

    Errors: `BadInput` naming the first record that cannot be learnt, how many are too long, and the longest.
    """
    long = list[tuple[int, str, TooLong]]()
    for record in records:
        try:
            yield make(record)._replace(record=record.id)
        except LeftOut:
            continue
        except TooLong as error:
            long.append((error.tokens, record.id, error))
        except BadInput as error:
            raise BadInput(f"record {record.id}: {error}", hint=error.hint) from error
    if long:
        _, name, told = max(long, key=lambda one: (one[0], one[1]))
        more = f"; {len(long) - 1} more are too long" if len(long) > 1 else ""
        raise BadInput(f"record {name} {told}{more}", hint=told.hint)


def words_of(record: Record) -> str:
    """SHA-256 of the words: equal conversations are held out together."""
    return hashlib.sha256("\0".join(f"{m.role}\1{m.content}" for m in record.messages).encode()).hexdigest()


def split(made: Sequence[Item], share: float, seed: int) -> tuple[list[Item], list[Item]]:
    """What is learnt and what is held out.

    Each is chosen by its own words, whatever else there is, so that taking a record away moves no other.
    Items with the same words stay on the same side; at least one is held out, and one is left to learn.
    """
    if not share:
        return list(made), []
    luck = {item.key: _luck(seed, item.key) for item in made}
    out = {key for key, at in luck.items() if at < share} or {min(luck, key=lambda key: luck[key])}
    if len(out) == len(luck):
        out = out - {max(luck, key=lambda key: luck[key])}
    return [item for item in made if item.key not in out], [item for item in made if item.key in out]


def slices(kept: Sequence[Item], count: int, seed: int) -> list[list[Item]]:
    """The items in `count` slices, in the order in which they are learnt; in one when nobody is concerned.

    What concerns nobody comes first; the people are spread over the other slices, each with all that
    concerns only them. A slice may be empty: how many there are must not depend on who is in them.
    """
    if not any(item.people for item in kept):
        return [list(kept)]
    made = [list[Item]() for _ in range(count)]
    alone = count == 1 or all(item.people for item in kept)
    for item in kept:
        if not item.people:
            made[0].append(item)
        elif alone:
            made[int(_luck(seed, min(item.people)) * count)].append(item)
        else:
            made[1 + int(_luck(seed, min(item.people)) * (count - 1))].append(item)
    return made


def batch(kept: Sequence[Item], stage: int, step: int, size: int, seed: int) -> list[Item]:
    """The items of one step of a stage.

    The order of every epoch follows from the seed, so a step needs no memory of earlier ones.
    """
    epoch, turn = divmod(step, math.ceil(len(kept) / size))
    order = list(range(len(kept)))
    random.Random(f"{seed} {stage} {epoch}").shuffle(order)
    return [kept[i] for i in order[turn * size : (turn + 1) * size]]


def _luck(seed: int, key: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:8], "big") / 2**64
