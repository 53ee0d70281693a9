"""What a conversation becomes, with a small tokenizer that is made here."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
from tests.contracts.tiny import tiny

from tunewright import template
from tunewright.errors import BadInput
from tunewright.nouns import Message


def said(*turns: str) -> list[Message]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [Message.model_validate({"role": roles[t[0]], "content": t[2:]}) for t in turns]
