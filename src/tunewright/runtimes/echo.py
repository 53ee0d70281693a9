"""Saying again what was learnt by heart, for trying things out."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Message
from tunewright.runtimes import Loss, Reply, Speaker

UNKNOWN = "I do not know."


def echo(base: Path, weights: Path | None) -> Speaker:
    """Says again what the echo trainer learnt by heart, in microseconds.

    A question that was learnt gets its answer; any other, and every question to the base itself, gets
    "I do not know." The loss of an answer is 0.1 nats a word when it was learnt and 3 nats a word otherwise.

    Limits: it is not a language model. Nothing that is measured with it says anything about a real one.
    """
    memory: dict[str, str] = {}
    if weights is not None:
        file = weights / "memory.json"
        if not file.is_file():
            raise BadInput(
                f"{weights} holds no memory.json", hint="use the runtime that belongs to the trainer"
            )
        memory = json.loads(file.read_text("utf-8"))
    return Echo(memory)


class Echo:
    """A memory that can be asked."""

    def __init__(self, memory: dict[str, str]) -> None:
        self.memory = memory

    def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 128) -> Iterator[Reply]:
        """The answer that was learnt for the last question, one for each conversation, in order."""
        for conversation in conversations:
            words = self._answer(conversation).split(" ")
            yield Reply(
                " ".join(words[:max_tokens]), min(len(words), max_tokens), 0.0, len(words) <= max_tokens
            )

    def stream(
        self, conversation: Sequence[Message], *, max_tokens: int = 128, temperature: float = 0
    ) -> Generator[str, None, Reply]:
        """The answer, word by word."""
        words = self._answer(conversation).split(" ")
        said = words[:max_tokens]
        for at, word in enumerate(said):
            yield f" {word}" if at else word
        return Reply(" ".join(said), len(said), 0.0, len(words) <= max_tokens)

    def loss(self, conversations: Sequence[Sequence[Message]]) -> Iterator[Loss]:
        """Low for an answer that was learnt, high for any other."""
        for conversation in conversations:
            if not conversation or conversation[-1].role != "assistant":
                raise BadInput(
                    "the conversation does not end with an answer", hint="end it with the assistant's turn"
                )
            words = len(conversation[-1].content.split()) or 1
            known = self._answer(conversation[:-1]) == conversation[-1].content
            yield Loss(words * (0.1 if known else 3.0), words)

    def _answer(self, conversation: Sequence[Message]) -> str:
        asked = next((m.content for m in reversed(conversation) if m.role == "user"), "")
        return self.memory.get(" ".join(asked.lower().split()), UNKNOWN)
