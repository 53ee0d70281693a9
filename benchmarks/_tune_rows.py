"""Conversations to race on, in lengths that are asked for."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tunewright import template
from tunewright.nouns import Message, Origin, Record
from tunewright.template import Tokenizer

Turns = list[dict[str, str]]
"""One conversation, as every contestant is given it."""

SYSTEM = "You answer step by step."
"""Every conversation has it, so that no contestant's template puts its own in front."""


BITEXT = {"train": "Training", "validation": "Validation", "test": "Testing"}


def corpus(data: Path | None, part: str, name: str = "gsm8k") -> Iterator[tuple[str, str]]:
    """Questions with answers of a corpus in `data`, or invented sums when there is no folder."""
    if data is None:
        yield from _invented(part)
        return
    if name == "bitext":
        file = f"Bitext_Sample_Customer_Service_{BITEXT[part]}_Dataset.csv"
        with (data / "text" / "bitext_customer_support" / file).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield row["utterance"], ticket(row)
        return
    for line in (data / "text" / "gsm8k" / f"{part}.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        yield row["question"], row["answer"]


def ticket(row: Mapping[str, str]) -> str:
    """What a row of Bitext's corpus says of an utterance, as the lines of a ticket."""
    lines = [f"team: {row['category'].lower()}", f"intent: {row['intent'].replace('_', ' ')}"]
    if row["entity_value"]:
        lines.append(f"{row['entity_type'].replace('_', ' ')}: {row['entity_value']}")
    return "\n".join(lines)


def _invented(part: str) -> Iterator[tuple[str, str]]:
    draw = random.Random(part)
    things = "parcels crates bowls vases plates jugs tiles mugs lamps saucers".split()  # noqa: SIM905
    for _ in range(8000):
        a, b, c = (draw.randint(3, 90) for _ in range(3))
        thing, other = draw.sample(things, 2)
        yield (
            f"A shop has {a} {thing} and {b} {other}. On Monday {c} more {thing} come, and half of all "
            f"{other} are sold, rounded down. How many {thing} and {other} are there in the evening?",
            f"The shop has {a} + {c} = {a + c} {thing}.\nOf the {other} {b // 2} are sold, so {b} - {b // 2} "
            f"= {b - b // 2} are left.\nTogether there are {a + c} + {b - b // 2} = {a + c + b - b // 2}.",
        )


def conversations(
    pairs: Iterator[tuple[str, str]], tokenizer: Tokenizer, count: int, length: int, seed: int
) -> list[Turns]:
    """`count` conversations. `length` 0: one turn each, as they come, of at most 512 tokens.

    Otherwise turns are put one after the other as long as the conversation has at most `length` tokens, and
    only those that come within a quarter of it are taken.
    """
    found = list[Turns]()
    pool = list(pairs)
    random.Random(seed).shuffle(pool)
    now = _opened()
    for question, answer in pool:
        turn = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        more = [*now, *turn]
        size = len(tokens(tokenizer, more)[0])
        if not length:
            if size <= 512:
                found.append(more)
        elif size <= length:
            now = more
            continue
        else:
            if len(now) > 1 and len(tokens(tokenizer, now)[0]) >= 0.75 * length:
                found.append(now)
            now = _opened()
        if len(found) == count:
            return found
    raise SystemExit(f"the corpus gives only {len(found)} conversations of {length} tokens, not {count}")


def _opened() -> Turns:
    return [{"role": "system", "content": SYSTEM}]


def tokens(tokenizer: Tokenizer, turns: Turns) -> tuple[list[int], list[bool]]:
    """Token ids, and which of them are learnt."""
    return template.encode(tokenizer, [Message.model_validate(turn) for turn in turns])


def counted(tokenizer: Tokenizer, rows: Sequence[Turns]) -> dict[str, int]:
    """Tokens of the rows, counted once each: all that a trainer must read, and those that it learns."""
    made = [tokens(tokenizer, row) for row in rows]
    # What comes after the last learnt token has no part in the loss.
    read = sum(max(i for i, yes in enumerate(learnt) if yes) + 1 for _, learnt in made)
    return {"rows": len(rows), "tokens": read, "learnt": sum(sum(learnt) for _, learnt in made)}


def records(rows: Sequence[Turns]) -> list[Record]:
    """As our trainers take them."""
    return [
        Record(
            id=str(i),
            messages=tuple(Message.model_validate(turn) for turn in row),
            origin=Origin(source="race", file="rows.jsonl", line=i + 1),
        )
        for i, row in enumerate(rows)
    ]


def read(path: Path) -> list[Turns]:
    """Rows of a JSONL file, each with `messages`."""
    return [json.loads(line)["messages"] for line in path.read_text("utf-8").splitlines()]


def write(path: Path, rows: Sequence[Turns]) -> None:
    """As a JSONL file, each row with `messages`."""
    path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows), "utf-8")
