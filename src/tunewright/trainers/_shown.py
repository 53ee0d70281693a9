"""Which tokens of a conversation are learnt, for people to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunewright.errors import BadInput
from tunewright.network import quiet
from tunewright.nouns import Record
from tunewright.trainers._rows import Cutter


def shown(base: Path, record: Record, system: str, options: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Every token's text, and whether it is learnt; what comes after the last learnt one is not read."""
    config = json.loads((base / "config.json").read_text("utf-8")) if (base / "config.json").exists() else {}
    if not config:
        raise BadInput("this base has no tokens to show", hint="choose a base with a tokenizer")
    with quiet() as transformers:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
            base, local_files_only=True, trust_remote_code=False
        )
    said = {
        "system": system,
        "max_tokens": options.get("max_tokens", 512),
        "truncate": options.get("truncate"),
    }
    try:
        row, _ = Cutter(tokenizer, int(config.get("max_position_embeddings", 1 << 30)), said).row(
            record.messages
        )
    except BadInput as error:
        raise BadInput(f"record {record.id} {error}", hint=error.hint) from error
    learnt = {at + 1 for at in row.at}
    return [(str(tokenizer.decode([token])), at in learnt) for at, token in enumerate(row.ids)]
