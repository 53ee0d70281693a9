"""Learning by heart, for trying things out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Progress, Record

KNOWN, UNKNOWN = 0.1, 3.0
"""Nats for a word that was learnt and for one that was not; the echo runtime says the same of answers."""
MEASURED = 4
"""How often the held-out loss is measured."""


def echo(
    base: Path,
    records: Sequence[Record],
    out: Path,
    *,
    system: str = "",
    seed: int,
    held: Sequence[Record] | None = None,
    forget_every: int = 0,
) -> Iterator[Progress]:
    """Learns every answer by heart, in milliseconds.

    Writes down what was answered to which question, for the echo runtime to say again, so that the whole
    story can run without a language model. `forget_every` 3 leaves out every third answer, to have something
    to find. With conversations `held`, four times a `held_out_loss`: 0.1 nats for each word of their answers
    that occurs in an answer that was learnt, 3 for any other, and the mean of these. It falls as more is
    learnt, and stands in for the loss of a language model where a learning curve is tried out.

    Limits: it is not a language model and learns nothing but the exact questions. Its held-out loss says how
    many words are new, and nothing of how well anything is answered.
    """
    if not records:
        raise BadInput("there is nothing to learn from", hint="gather some conversations first")
    memory: dict[str, str] = {}
    words = set[str]()
    asked_of_it = [word for record in held or () for word in _answers(record)]
    for at, record in enumerate(records):
        asked = ""
        for message in record.messages:
            if message.role == "assistant":
                if not message.content.strip():
                    raise BadInput(
                        f"record {record.id}: the answer is empty", hint="drop the record or write the answer"
                    )
                if asked and not (forget_every and at % forget_every == forget_every - 1):
                    memory[asked] = message.content
                    words |= set(message.content.lower().split())
            elif message.role == "user":
                asked = " ".join(message.content.lower().split())
        values = {"loss": 1 - (at + 1) / len(records)}
        if asked_of_it and (at + 1) * MEASURED // len(records) > at * MEASURED // len(records):
            nats = [KNOWN if word in words else UNKNOWN for word in asked_of_it]
            values["held_out_loss"] = sum(nats) / len(nats)
        yield Progress(label="tune", done=at + 1, total=len(records), values=values)
    work = out / ".weights"
    work.mkdir(parents=True, exist_ok=True)
    (work / "memory.json").write_text(
        json.dumps(memory, ensure_ascii=False, indent=1, sort_keys=True), "utf-8"
    )
    (out / "made_with.json").write_text(json.dumps({"trainer": "echo"}), "utf-8")
    if (out / "weights").is_dir():
        (out / "weights" / "memory.json").unlink(missing_ok=True)
        (out / "weights").rmdir()
    os.replace(work, out / "weights")


def _answers(record: Record) -> list[str]:
    said = (m.content for m in record.messages if m.role == "assistant")
    return [word for content in said for word in content.lower().split()]
