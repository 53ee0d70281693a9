"""What the speakers of this machine share: a conversation made to fit, and a full memory explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunewright import network, template
from tunewright.errors import BadInput
from tunewright.nouns import Message


def fitted(net: network.Network, conversation: Sequence[Message], max_tokens: int) -> list[int]:
    """The conversation as tokens, without its oldest turns when there is no room for the answer else.

    Errors: `BadInput` when the last turn alone is too long.
    """
    if max_tokens < 1:
        raise BadInput(f"max_tokens is {max_tokens}", hint="ask for at least one token")
    turns = list(conversation)
    while True:
        ids = template.prompt(net.tokenizer, turns)
        if len(ids) + max_tokens <= net.context:
            return ids
        system = 1 if turns[0].role == "system" else 0
        if len(turns) - system <= 1:
            raise BadInput(
                f"the question has {len(ids)} tokens; with {max_tokens} for the answer that is more than "
                f"the {net.context} that the model can read",
                hint="shorten the question or the system prompt, or lower max_tokens",
            )
        # Drop the oldest turn and whatever would then stand first without its question.
        del turns[system]
        while len(turns) - system > 1 and turns[system].role != "user":
            del turns[system]


def last_answer(learnt: Sequence[bool]) -> tuple[int, int]:
    """Where the last answer begins and ends, given which tokens of a conversation are answers."""
    end = max(i for i, learn in enumerate(learnt) if learn) + 1
    start = end
    while learnt[start - 1]:
        start -= 1
    return start, end


class Doing:
    """Says what was being done when the memory ran full."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, (MemoryError, RuntimeError)):
            told = network.explained(error, self.what)
            if told is not error:
                raise told from error
