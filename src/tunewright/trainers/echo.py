"""Learning by heart, for trying things out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Progress, Record


def echo(
    base: Path, records: Sequence[Record], out: Path, *, system: str = "", seed: int, forget_every: int = 0
) -> Iterator[Progress]:
    """Learns every answer by heart, in milliseconds.

    Writes down what was answered to which question, for the echo runtime to say again, so that the whole
    story can run without a language model. `forget_every` 3 leaves out every third answer, to have something
    to find.

    Limits: it is not a language model and learns nothing but the exact questions.
    """
    if not records:
        raise BadInput("there is nothing to learn from", hint="gather some conversations first")
    memory: dict[str, str] = {}
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
            elif message.role == "user":
                asked = " ".join(message.content.lower().split())
        loss = 1 - (at + 1) / len(records)
        yield Progress(label="tune", done=at + 1, total=len(records), values={"loss": loss})
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
